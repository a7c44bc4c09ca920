/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "verify_i.h"

static const struct argp_option options[] = {
	{ "json", TOOL_KEY_JSON, 0, 0, "One JSON object", 0 },
	{ "threads", 'j', "N", 0, "Threads (default: one per core)", 0 },
	{ "gpu", TOOL_KEY_GPU, "MODE", 0,
	  "Devices that decode: auto: those that are faster than the CPU; off; "
	  "force; or which, by number or name (default: auto)",
	  0 },
	{ "quiet", 'q', 0, 0, "Print nothing; the exit status tells", 0 },
	{ 0 }
};

#define NAME_ROOM 4352 /* a path and a volume number */

/* What the core finds; the callbacks come one at a time. */
struct findings {
	struct tool *tool;
	struct tool_damage *list;
	size_t n;
	size_t cap;
	bool out_of_memory; /* some were not kept */
	uint64_t checked; /* bytes */
};

static void keep_damage(void *ctx, const struct arc_damage *d)
{
	struct findings *f = ctx;
	struct tool_damage *kept;

	if (f->n == f->cap) {
		size_t cap = f->cap ? f->cap * 2 : 64;
		struct tool_damage *more =
			reallocarray(f->list, cap, sizeof(*more));

		if (!more) {
			f->out_of_memory = true;
			return;
		}
		f->list = more;
		f->cap = cap;
	}
	kept = &f->list[f->n++];
	kept->d = *d;
	snprintf(kept->what, sizeof(kept->what), "%s", d->what ? d->what : "");
	kept->d.what = NULL;
}

static void show_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct findings *f = ctx;

	f->checked = ARC_MAX(f->checked, done);
	tool_meter_total(f->tool->meter, total);
	tool_meter_set(f->tool->meter, done);
}

/* By place, so that what is printed does not depend on the threads. */
static int by_place(const void *a, const void *b)
{
	const struct tool_damage *x = a, *y = b;

	if (x->d.volume != y->d.volume)
		return x->d.volume < y->d.volume ? -1 : 1;
	if (x->d.offset != y->d.offset)
		return x->d.offset < y->d.offset ? -1 : 1;
	if (x->d.stream != y->d.stream)
		return x->d.stream < y->d.stream ? -1 : 1;
	return strcmp(x->what, y->what);
}

/* ---- what is damaged ----------------------------------------------------- */

/*
 * Volumes that are gone are one fact, however many frames they held; so are the
 * segments of a frame.
 */
static bool same_fact(const struct tool_damage *a, const struct tool_damage *b)
{
	if (a->d.volumes > 0 && b->d.err == a->d.err)
		return b->d.volume - a->d.volume < a->d.volumes;
	if (a->d.volume != b->d.volume || a->d.err != b->d.err)
		return false;
	return a->d.err == -ENOMEDIUM || a->d.err == -ESTALE ||
	       (a->d.frame != UINT64_MAX && a->d.frame == b->d.frame &&
		strcmp(a->what, b->what) == 0);
}

static void print_damage_text(const struct tool_damage *x, size_t count,
			      const char *volume)
{
	printf("damaged: %s", volume);
	if (x->d.volumes > 1)
		printf(" and %" PRIu32 " behind it", x->d.volumes - 1);
	fputs(": ", stdout);
	if (x->d.err == -ENOMEDIUM || x->d.err == -ESTALE) {
		puts(arc_error_text(x->d.err));
		return;
	}
	if (x->d.frame != UINT64_MAX)
		printf("frame %" PRIu64 ", ", x->d.frame);
	if (x->d.volume)
		printf("offset %" PRIu64 ", ", x->d.offset);
	printf("%s", x->what);
	if (count > 1)
		printf(" and %zu more", count - 1);
	printf(": %s\n", arc_error_text(x->d.err));
}

/* Rows of the index are in no volume in particular. */
static void name_place(const struct findings *f, uint32_t volume, char *ret)
{
	if (volume)
		arc_volumes_name(arc_archive_volumes(f->tool->archive), volume,
				 ret, NAME_ROOM);
	else
		snprintf(ret, NAME_ROOM, "index");
}

static int print_damage_json(const struct tool_damage *x, const char *volume,
			     bool last)
{
	json_t *o = json_pack("{sIsIsssssI}", "volume", (json_int_t)x->d.volume,
			      "offset", arc_json_int(x->d.offset), "what",
			      x->what, "error", arc_error_name(x->d.err),
			      "bytes", arc_json_int(x->d.len));

	if (x->d.volumes > 1)
		json_object_set_new(o, "volumes",
				    json_integer((json_int_t)x->d.volumes));
	if (x->d.frame != UINT64_MAX)
		json_object_set_new(o, "frame",
				    json_integer(arc_json_int(x->d.frame)));
	if (x->d.len)
		json_object_set_new(o, "stream",
				    json_integer(arc_json_int(x->d.stream)));
	arc_json_set(o, "name", volume, strlen(volume));
	return arc_json_line(o, stdout, last ? "" : ",");
}

static int print_damages(const struct findings *f)
{
	arc_cleanup(arc_freep) char *name = malloc(NAME_ROOM);
	struct arc_buf room = { 0 };
	int r = name ? 0 : -ENOMEM;

	for (size_t i = 0, count; r == 0 && i < f->n; i += count) {
		const struct tool_damage *x = &f->list[i];
		const char *shown;

		name_place(f, x->d.volume, name);
		for (count = 1; !f->tool->req.json && i + count < f->n &&
				same_fact(x, x + count);)
			count++;
		if (f->tool->req.json) {
			r = print_damage_json(x, name, i + 1 == f->n);
			continue;
		}
		shown = tool_show(&room, name, strlen(name));
		if (shown)
			print_damage_text(x, count, shown);
		else
			r = -ENOMEM;
	}
	arc_buf_fini(&room);
	return r;
}

/* ---- the report ---------------------------------------------------------- */

static void print_result_text(const struct findings *f, double seconds,
			      uint64_t affected)
{
	char size[TOOL_SIZE_ROOM];

	printf("%s: %s checked in %.1f s (%.0f MB/s): ",
	       f->n ? "DAMAGED" : "intact", tool_show_size(f->checked, size),
	       seconds,
	       seconds > 0 ? (double)f->checked / (double)ARC_MIB / seconds
			   : 0.0);
	if (f->n)
		printf("%zu damaged pieces, %" PRIu64 " entries affected\n",
		       f->n, affected);
	else
		puts("no damage");
}

static void print_result_json(const struct findings *f, double seconds,
			      uint64_t affected)
{
	printf("\"damaged_pieces\": %zu,\n\"affected_entries\": %" PRIu64 ",\n",
	       f->n, affected);
	printf("\"bytes_checked\": %" PRIu64 ",\n\"seconds\": %.3f,\n",
	       f->checked, seconds);
	printf("\"intact\": %s\n}\n", f->n ? "false" : "true");
}

static int report(struct findings *f, double seconds)
{
	bool json = f->tool->req.json;
	uint64_t affected = 0;
	int r;

	if (f->tool->req.verbosity < 0)
		return 0;
	if (f->n)
		qsort(f->list, f->n, sizeof(*f->list), by_place);
	if (json)
		puts("{\n\"damages\": [");
	r = print_damages(f);
	if (json)
		puts("],\n\"affected\": [");
	if (r == 0 && f->n)
		r = tool_verify_print_affected(f->tool, f->list, f->n,
					       &affected);
	if (json) {
		puts("],");
		print_result_json(f, seconds, affected);
	} else {
		print_result_text(f, seconds, affected);
	}
	return r;
}

static int verify(struct findings *f, struct arc_engine *engine)
{
	struct tool *t = f->tool;
	struct arc_verify_options opt = { .threads = t->req.threads,
					  .engine = engine,
					  .damage = keep_damage,
					  .progress = show_progress,
					  .ctx = f };
	double begun = tool_now();
	ssize_t found;
	int r;

	/* The findings are reported here, with what they affect. */
	t->muted = true;
	found = arc_archive_verify(t->archive, &opt);
	tool_meter_clear(t->meter);
	if (found < 0) {
		t->muted = false;
		arc_say(&t->diag, ARC_ERROR, "%s: cannot be checked: %s",
			t->req.archive, arc_error_text((int)found));
		return TOOL_EXIT_UNREADABLE;
	}
	r = report(f, tool_now() - begun);
	t->muted = false;
	if (f->out_of_memory)
		r = -ENOMEM;
	if (r < 0)
		arc_say(&t->diag, ARC_ERROR, "the report is not complete: %s",
			arc_error_text(r));
	return found > 0 || r < 0 ? TOOL_EXIT_INEXACT : TOOL_EXIT_OK;
}

static int run(struct tool *t)
{
	arc_cleanup(tool_meter_freep) struct tool_meter *meter = NULL;
	struct findings f = { .tool = t };
	struct tool_devices devices;
	int status;

	if (t->req.verbosity >= 0 && tool_meter_new("checked", &meter) < 0)
		meter = NULL;
	t->meter = meter;
	if (tool_devices_begin(t, &devices) < 0)
		status = TOOL_EXIT_UNREADABLE;
	else
		status = verify(&f, devices.engine);
	tool_devices_end(&devices);
	t->meter = NULL;
	free(f.list);
	return status;
}

const struct tool_verb tool_verb_verify = {
	.name = "verify",
	.about = "Reads everything and compares all checksums",
	.args = "ARCHIVE",
	.doc = "Names the damaged volumes and frames and the paths that use "
	       "them. Exit status: 0 intact, 1 damaged, 2 wrong usage, 3 the "
	       "archive cannot be read at all, or no device that was forced "
	       "can be used.",
	.options = options,
	.run = run,
};
