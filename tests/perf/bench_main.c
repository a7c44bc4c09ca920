/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

static char program[] = "arc-bench";

static const struct bench_verb *const verbs[] = {
	&bench_verb_codec,
	&bench_verb_gpu,
	&bench_verb_sizes,
};

struct top {
	const struct bench_verb *verb;
	int at; /* where the verb stands in argv */
};

static const struct bench_verb *find_verb(const char *name)
{
	for (size_t i = 0; i < ARC_COUNT(verbs); i++) {
		if (strcmp(verbs[i]->name, name) == 0)
			return verbs[i];
	}
	return NULL;
}

static error_t parse_top(int key, char *arg, struct argp_state *state)
{
	struct top *top = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		top->verb = find_verb(arg);
		if (!top->verb)
			argp_error(state, "no such verb: %s", arg);
		top->at = state->next - 1;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "VERB is missing");
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
	fputs("\narc-bench VERB --help tells more about one.", f);
	return fclose(f) == 0 ? out : NULL;
}

static const struct argp top_argp = {
	.parser = parse_top,
	.args_doc = "VERB [ARGUMENT...]",
	.doc = "Measures parts of arcfs, for those who work on it.\v ",
	.help_filter = list_verbs,
};

int main(int argc, char **argv)
{
	struct top top = { 0 };
	struct arc_diag diag;
	int status;

	argp_program_version = "arc-bench " ARC_VERSION;
	argp_err_exit_status = BENCH_EXIT_USAGE;
	argp_parse(&top_argp, argc, argv, ARGP_IN_ORDER, NULL, &top);
	arc_diag_init(&diag, arc_sink_stderr, program, ARC_WARN);
	status = top.verb->run(argc - top.at, argv + top.at, &diag);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		arc_say(&diag, ARC_ERROR, "standard output cannot be written");
		status = BENCH_EXIT_FAILED;
	}
	arc_diag_fini(&diag);
	return status;
}
