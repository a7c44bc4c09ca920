/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "printed.h"
#include "tool.h"

#define WATCH_MAX 86400.0 /* seconds */
#define CACHE_PER_THREAD (8 * (size_t)ARC_MIB) /* a group or two in use */

static const struct tool_verb *const verbs[] = {
	&tool_verb_info,   &tool_verb_list,   &tool_verb_extract,
	&tool_verb_verify, &tool_verb_status, &tool_verb_devices,
};

static const struct argp_child config_options[] = {
	{ &tool_config_argp, 0, NULL, 0 },
	{ 0 },
};

/* What argp's parser of a verb fills in. */
struct parse {
	const struct tool_verb *verb;
	struct tool_request *req;
};

static void refuse(struct argp_state *state, const char *text, const char *arg)
{
	fprintf(stderr, "arctool: %s%s%s\n", text, arg ? ": " : "",
		arg ? arg : "");
	argp_state_help(state, stderr, ARGP_HELP_STD_ERR);
}

/* arg may be NULL. */
static double parse_seconds(struct argp_state *state, const char *arg)
{
	double n = 1;
	char *end;

	if (!arg)
		return n;
	n = strtod(arg, &end);
	if (strspn(arg, "0123456789.") != strlen(arg) || end == arg || *end ||
	    n < 0.01 || n > WATCH_MAX)
		refuse(state, "not a number of seconds", arg);
	return n;
}

/* ARCHIVE or MOUNTPOINT, DEST and the first PATH; the rest is taken as it stands. */
static error_t take_argument(struct parse *p, char *arg,
			     struct argp_state *state)
{
	struct tool_request *req = p->req;

	if (!req->archive && !p->verb->no_archive) {
		req->archive = arg;
		return 0;
	}
	if (p->verb->takes_mount && !req->mount) {
		req->mount = arg;
		return 0;
	}
	if (p->verb->takes_dest && !req->dest && !req->tar) {
		req->dest = arg;
		return 0;
	}
	if (!p->verb->takes_paths)
		refuse(state, "too many arguments", arg);
	/* getopt has moved everything that is no option to the end. */
	req->paths = &state->argv[state->next - 1];
	req->path_count = (size_t)(state->argc - state->next + 1);
	state->next = state->argc;
	return 0;
}

static void refuse_if_incomplete(const struct parse *p,
				 struct argp_state *state)
{
	const struct tool_request *req = p->req;

	if (!req->archive && !p->verb->no_archive)
		refuse(state, "ARCHIVE is missing", NULL);
	if (p->verb->takes_mount && !req->mount)
		refuse(state, "MOUNTPOINT is missing", NULL);
	if (p->verb->takes_dest && !req->dest && !req->tar)
		refuse(state, "DEST is missing", NULL);
}

static error_t parse_verb_option(int key, char *arg, struct argp_state *state)
{
	struct parse *p = state->input;
	struct tool_request *req = p->req;

	switch (key) {
	case TOOL_KEY_JSON:
		req->json = true;
		return 0;
	case TOOL_KEY_FORCE:
		req->force = true;
		return 0;
	case TOOL_KEY_HARDLINK:
		req->hardlink_duplicates = true;
		return 0;
	case TOOL_KEY_FILES_FROM:
		req->files_from = arg;
		return 0;
	case TOOL_KEY_NULL:
		req->null = true;
		return 0;
	case TOOL_KEY_TAR:
		req->tar = true;
		return 0;
	case TOOL_KEY_CLOSURE:
		req->closure = true;
		return 0;
	case TOOL_KEY_WATCH:
		req->watch = parse_seconds(state, arg);
		return 0;
	case TOOL_KEY_GPU:
		if (arc_gpu_ask(&req->gpu, &req->config, arg) < 0)
			refuse(state, "not " ARC_GPU_MODES, arg);
		return 0;
	case 'i':
		req->inodes = true;
		return 0;
	case 'j':
		if (arc_config_offer(&req->config,
				     ARC_CONFIG_MAX_WORKER_THREADS, arg,
				     ARC_CONFIG_COMMAND) < 0)
			refuse(state, "not a number of threads", arg);
		return 0;
	case 'q':
		req->verbosity = -1;
		return 0;
	case 'v':
		req->verbosity = 1;
		return 0;
	case ARGP_KEY_ARG:
		return take_argument(p, arg, state);
	case ARGP_KEY_INIT:
		state->child_inputs[0] = req;
		return 0;
	case ARGP_KEY_END:
		if (!req->show_config)
			refuse_if_incomplete(p, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void parse_verb(const struct tool_verb *verb, int argc, char **argv,
		       struct tool_request *ret)
{
	arc_cleanup(arc_freep) char *doc = NULL;
	struct parse p = { .verb = verb, .req = ret };
	char title[32]; /* for usage and help */
	struct argp argp = { .options = verb->options,
			     .parser = parse_verb_option,
			     .args_doc = verb->args,
			     .children = config_options };

	snprintf(title, sizeof(title), "arctool %s", verb->name);
	argv[0] = title;
	if (asprintf(&doc, "%s.%s%s", verb->about, verb->doc ? "\v" : "",
		     verb->doc ? verb->doc : "") < 0)
		doc = NULL;
	argp.doc = doc ? doc : verb->about;
	argp_parse(&argp, argc, argv, 0, NULL, &p);
}

/* ---- arctool without a verb ---------------------------------------------- */

static const struct tool_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARC_COUNT(verbs); i++) {
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	}
	return NULL;
}

struct top {
	const struct tool_verb *verb;
	int at; /* where the verb stands in argv */
	struct tool_request *req;
};

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	struct top *top = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		top->verb = find_verb(arg);
		if (!top->verb)
			refuse(state, "no such verb", arg);
		top->at = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_INIT:
		state->child_inputs[0] = top->req;
		return 0;
	case ARGP_KEY_NO_ARGS:
		if (!top->req->show_config)
			refuse(state, "VERB is missing", NULL);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The text behind the options of --help: the verbs, from their table. */
static char *list_verbs(int key, const char *text, void *input)
{
	char *out = NULL;
	size_t n;
	FILE *f;

	(void)input;
	if (key != ARGP_KEY_HELP_POST_DOC)
		return (char *)(uintptr_t)text;
	f = open_memstream(&out, &n);
	if (!f)
		return NULL;
	fputs("Verbs:\n", f);
	for (size_t i = 0; i < ARC_COUNT(verbs); i++)
		fprintf(f, "  %-10s %s\n", verbs[i]->name, verbs[i]->about);
	fputs("\narctool VERB --help tells more about one. ARCHIVE is any "
	      "volume of the set.",
	      f);
	return fclose(f) == 0 ? out : NULL;
}

static const struct argp top_argp = {
	.parser = parse_top,
	.args_doc = "VERB [ARGUMENT...]",
	.doc = "Shows, extracts and checks archives made by mkarchive.\v ",
	.children = config_options,
	.help_filter = list_verbs,
};

/* ---- running a verb ------------------------------------------------------ */

static void say_to_stderr(void *ctx, enum arc_level level, const char *text)
{
	static char program[] = "arctool";
	struct tool *t = ctx;

	if (t->muted)
		return;
	tool_meter_clear(t->meter);
	arc_sink_stderr(program, level, text);
}

static int run_verb(const struct tool_verb *verb, struct tool *t)
{
	arc_cleanup(arc_archive_closep) struct arc_archive *archive = NULL;
	struct arc_archive_options opt = { .cache_size = verb->cache_size };
	int status;

	/* a ceiling, below which threads would wait for each other */
	if (opt.cache_size)
		opt.cache_size += t->req.threads * CACHE_PER_THREAD;

	if (!verb->no_archive) {
		if (arc_archive_open(t->req.archive, &opt, &t->diag, &archive) <
		    0)
			return TOOL_EXIT_UNREADABLE;
		t->archive = archive;
		t->index = arc_archive_index(archive);
	}
	status = verb->run(t);
	if (tool_flush(t) < 0 && status == TOOL_EXIT_OK)
		status = TOOL_EXIT_INEXACT;
	return status;
}

/* Parses the command line and reads the configuration: -1 to go on. */
static int get_ready(int argc, char **argv, struct tool_request *req,
		     const struct tool_verb **ret)
{
	struct top top = { .req = req };

	arc_config_init(&req->config);
	arc_gpu_defaults(&req->gpu);
	argp_program_version = "arctool " ARC_VERSION;
	argp_err_exit_status = TOOL_EXIT_USAGE;
	argp_parse(&top_argp, argc, argv, ARGP_IN_ORDER, NULL, &top);
	if (top.verb)
		parse_verb(top.verb, argc - top.at, argv + top.at, req);
	*ret = top.verb;
	return tool_config_settle(req);
}

int main(int argc, char **argv)
{
	struct tool t = { 0 };
	const struct tool_verb *verb;
	int status;

	arc_printed_or(TOOL_EXIT_INEXACT, "arctool");
	status = get_ready(argc, argv, &t.req, &verb);
	if (status < 0) {
		arc_diag_init(&t.diag, say_to_stderr, &t, ARC_WARN);
		status = run_verb(verb, &t);
		arc_diag_fini(&t.diag);
	}
	arc_config_fini(&t.req.config);
	if (arc_ocl_any_abandoned()) {
		fflush(NULL);
		_exit(status);
	}
	return status;
}
