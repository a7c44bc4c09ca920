/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "tool.h"

static const struct argp_option options[] = {
	{ "json", TOOL_KEY_JSON, 0, 0, "One JSON object", 0 }, { 0 }
};

#define NAME_ROOM 4352 /* a path and a volume number */

/* A volume, or several that are missing one after the other. */
struct volumes {
	uint32_t first;
	uint32_t last;
	int err;
	uint64_t bytes;
};

/* What is computed, once for both forms. */
struct sums {
	uint64_t frames;
	uint64_t volumes; /* of the set */
	uint64_t absent; /* of these: missing, foreign or damaged */
	uint64_t out; /* bytes of the volumes that are there */
	struct arc_buf runs; /* struct volumes, ascending */
};

static const struct volumes *run_at(const struct sums *sums, size_t i)
{
	const struct volumes *runs = (const void *)sums->runs.p;

	return i < sums->runs.n / sizeof(*runs) ? &runs[i] : NULL;
}

static int add_run(struct sums *sums, const struct volumes *run)
{
	if (run->first > run->last)
		return 0;
	if (run->err < 0)
		sums->absent += run->last - run->first + 1;
	sums->out += run->bytes;
	return arc_buf_append(&sums->runs, run, sizeof(*run));
}

/* One that is there, and those missing before it. */
static int add_present(struct arc_volumes *vs, struct sums *sums,
		       uint32_t *last, uint32_t number)
{
	struct volumes run = { .first = *last + 1,
			       .last = number - 1,
			       .err = -ENOMEDIUM };
	int r = add_run(sums, &run);

	*last = number;
	if (r < 0 || number > sums->volumes)
		return r;
	run = (struct volumes){ .first = number, .last = number };
	run.err = arc_volumes_size(vs, number, &run.bytes);
	return add_run(sums, &run);
}

static int sum_up(struct tool *t, struct sums *sums)
{
	const struct arc_summary *s = arc_index_summary(t->index);
	struct arc_volumes *vs = arc_archive_volumes(t->archive);
	struct arc_buf present = { 0 };
	uint32_t last = 0, number;
	int r;

	*sums = (struct sums){ .volumes = arc_volumes_count(vs) };
	for (size_t i = 0; i < ARC_COUNT(s->codec); i++)
		sums->frames += s->codec[i].frames;
	r = arc_volumes_present(vs, &present);
	for (size_t at = 0; at < present.n && r == 0; at += sizeof(number)) {
		memcpy(&number, present.p + at, sizeof(number));
		r = add_present(vs, sums, &last, number);
	}
	if (r == 0)
		r = add_present(vs, sums, &last, (uint32_t)sums->volumes + 1);
	arc_buf_fini(&present);
	return r;
}

/* Percent saved of what went in; only true when every volume is there. */
static double reduction(const struct arc_summary *s, const struct sums *sums)
{
	return s->bytes ? 100.0 - tool_percent(sums->out, s->bytes) : 0.0;
}

static double ratio(uint64_t in, uint64_t out)
{
	return out ? (double)in / (double)out : 0.0;
}

/* ---- for people ---------------------------------------------------------- */

static void print_bytes(const char *label, uint64_t n, const char *what)
{
	char size[TOOL_SIZE_ROOM];

	printf("%-12s %" PRIu64 " bytes (%s)%s\n", label, n,
	       tool_show_size(n, size), what);
}

static int print_volumes(struct tool *t, const struct sums *sums)
{
	struct arc_volumes *vs = arc_archive_volumes(t->archive);
	arc_cleanup(arc_freep) char *name = malloc(NAME_ROOM);
	const struct volumes *run;
	struct arc_buf room = { 0 };
	int r = name ? 0 : -ENOMEM;

	printf("volumes      %" PRIu64, sums->volumes);
	if (sums->absent)
		printf(", %" PRIu64 " of them missing or damaged",
		       sums->absent);
	putchar('\n');
	for (size_t i = 0; r == 0 && (run = run_at(sums, i)); i++) {
		const char *shown;

		arc_volumes_name(vs, run->first, name, NAME_ROOM);
		shown = tool_show(&room, name, strlen(name));
		if (!shown) {
			r = -ENOMEM;
			break;
		}
		if (run->err < 0)
			printf("  %14s  %s", arc_error_name(run->err), shown);
		else
			printf("  %14" PRIu64 "  %s", run->bytes, shown);
		if (run->last > run->first)
			printf(" and %" PRIu32 " behind it",
			       run->last - run->first);
		putchar('\n');
	}
	arc_buf_fini(&room);
	return r;
}

static void print_frames(const struct arc_summary *s, const struct sums *sums)
{
	printf("frames       %" PRIu64 "\n", sums->frames);
	for (uint8_t id = 0; id < ARC_COUNT(s->codec); id++) {
		if (!s->codec[id].frames)
			continue;
		printf("  %-10s %" PRIu64 " (%.1f %%), %" PRIu64 " -> %" PRIu64
		       " bytes, ratio %.2f\n",
		       arc_codec_name(id), s->codec[id].frames,
		       tool_percent(s->codec[id].frames, sums->frames),
		       s->codec[id].raw, s->codec[id].stored,
		       ratio(s->codec[id].raw, s->codec[id].stored));
	}
}

static void print_features(const struct arc_disk_footer *f)
{
	char id[33];

	tool_show_hex(f->id, sizeof(f->id), id);
	printf("archive id   %s\n", id);
	printf("format       %u, features: incompat %#" PRIx64
	       ", ro-compat %#" PRIx64 ", compat %#" PRIx64 "\n",
	       arc_get16(f->version), arc_get64(f->incompat),
	       arc_get64(f->ro_compat), arc_get64(f->compat));
}

static int print_options(struct tool *t)
{
	const char *line = arc_index_text(t->index);
	struct arc_buf room = { 0 };
	int r = 0;

	if (*line)
		puts("made with");
	while (*line && r == 0) {
		size_t n = strcspn(line, "\n");
		const char *shown = tool_show(&room, line, n);

		if (shown)
			printf("  %s\n", shown);
		else
			r = -ENOMEM;
		line += n;
		line += *line == '\n';
	}
	arc_buf_fini(&room);
	return r;
}

static int print_text(struct tool *t, const struct sums *sums)
{
	const struct arc_summary *s = arc_index_summary(t->index);
	int r;

	print_features(arc_volumes_footer(arc_archive_volumes(t->archive)));
	r = print_volumes(t, sums);
	printf("files        %" PRIu64 "\n", s->files);
	printf("directories  %" PRIu64 "\n", s->dirs);
	printf("other        %" PRIu64 " symlinks, %" PRIu64
	       " special files, %" PRIu64 " further hard links\n",
	       s->symlinks, s->others, s->hardlinks);
	printf("duplicates   %" PRIu64 ", %" PRIu64 " bytes saved\n",
	       s->duplicates, s->duplicate_bytes);
	if (s->holes)
		printf("holes        %" PRIu64 " bytes\n", s->holes);
	print_frames(s, sums);
	print_bytes("in", s->bytes, ", the sizes of all files");
	print_bytes("stream", s->stream, ", each content once");
	print_bytes("stored", s->stored, ", all frames");
	print_bytes("out", sums->out,
		    sums->absent ? ", the volumes that are here"
				 : ", all volumes");
	if (sums->absent)
		puts("reduction    not known while volumes are missing");
	else
		printf("reduction    %.1f %%, ratio %.2f\n", reduction(s, sums),
		       ratio(s->bytes, sums->out));
	return r < 0 ? r : print_options(t);
}

/* ---- for machines -------------------------------------------------------- */

static json_t *json_volumes(struct tool *t, const struct sums *sums)
{
	struct arc_volumes *vs = arc_archive_volumes(t->archive);
	arc_cleanup(arc_freep) char *name = malloc(NAME_ROOM);
	json_t *list = json_array();
	const struct volumes *run;

	for (size_t i = 0; name && (run = run_at(sums, i)); i++) {
		json_t *o = json_pack("{sI}", "number", (json_int_t)run->first);
		int err = run->err;

		arc_volumes_name(vs, run->first, name, NAME_ROOM);
		tool_json_set(o, "name", name, strlen(name));
		if (err >= 0)
			json_object_set_new(
				o, "size",
				json_integer(tool_json_int(run->bytes)));
		if (run->last > run->first)
			json_object_set_new(
				o, "last", json_integer((json_int_t)run->last));
		json_object_set_new(o, "state",
				    json_string(err < 0 ? arc_error_name(err)
							: "ok"));
		json_array_append_new(list, o);
	}
	return list;
}

static json_t *json_codecs(const struct arc_summary *s, const struct sums *sums)
{
	json_t *codecs = json_object();

	for (uint8_t id = 0; id < ARC_COUNT(s->codec); id++) {
		uint64_t n = s->codec[id].frames;

		if (!n)
			continue;
		json_object_set_new(
			codecs, arc_codec_name(id),
			json_pack("{sIsfsIsI}", "frames", tool_json_int(n),
				  "percent", tool_percent(n, sums->frames),
				  "raw", tool_json_int(s->codec[id].raw),
				  "stored",
				  tool_json_int(s->codec[id].stored)));
	}
	return codecs;
}

/* {"codec": "lz4", ...} of the "key=value" lines */
static json_t *json_options(const char *line)
{
	json_t *o = json_object();

	while (*line) {
		size_t n = strcspn(line, "\n");
		const char *equals = memchr(line, '=', n);

		if (equals) {
			char key[48];

			snprintf(key, sizeof(key), "%.*s",
				 (int)ARC_MIN(equals - line, 40), line);
			tool_json_set(o, key, equals + 1,
				      n - (size_t)(equals + 1 - line));
		}
		line += n;
		line += *line == '\n';
	}
	return o;
}

static void add_counts(json_t *o, const struct arc_summary *s)
{
	const struct {
		const char *key;
		uint64_t value;
	} rows[] = {
		{ "entries", s->entries },
		{ "files", s->files },
		{ "directories", s->dirs },
		{ "symlinks", s->symlinks },
		{ "others", s->others },
		{ "hardlinks", s->hardlinks },
		{ "bytes_in", s->bytes },
		{ "hole_bytes", s->holes },
		{ "stream_bytes", s->stream },
		{ "stored_bytes", s->stored },
		{ "duplicates", s->duplicates },
		{ "duplicate_bytes", s->duplicate_bytes },
	};

	for (size_t i = 0; i < ARC_COUNT(rows); i++)
		json_object_set_new(o, rows[i].key,
				    json_integer(tool_json_int(rows[i].value)));
}

static void add_features(json_t *o, const struct arc_disk_footer *f)
{
	char id[33];

	tool_show_hex(f->id, sizeof(f->id), id);
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "format", json_integer(arc_get16(f->version)));
	json_object_set_new(
		o, "features",
		json_pack("{sIsIsI}", "incompat",
			  (json_int_t)arc_get64(f->incompat), "ro_compat",
			  (json_int_t)arc_get64(f->ro_compat), "compat",
			  (json_int_t)arc_get64(f->compat)));
}

static int print_json(struct tool *t, const struct sums *sums)
{
	const struct arc_summary *s = arc_index_summary(t->index);
	json_t *o = json_object();
	int r;

	add_features(o, arc_volumes_footer(arc_archive_volumes(t->archive)));
	add_counts(o, s);
	json_object_set_new(o, "frames",
			    json_integer(tool_json_int(sums->frames)));
	json_object_set_new(o, "codecs", json_codecs(s, sums));
	json_object_set_new(o, "bytes_out",
			    json_integer(tool_json_int(sums->out)));
	json_object_set_new(o, "missing_volumes",
			    json_integer(tool_json_int(sums->absent)));
	json_object_set_new(o, "volumes", json_volumes(t, sums));
	json_object_set_new(o, "reduction_percent",
			    sums->absent ? json_null()
					 : json_real(reduction(s, sums)));
	json_object_set_new(o, "ratio",
			    sums->absent
				    ? json_null()
				    : json_real(ratio(s->bytes, sums->out)));
	json_object_set_new(o, "options",
			    json_options(arc_index_text(t->index)));
	r = json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(o);
	putchar('\n');
	return r < 0 ? -ENOMEM : 0;
}

static int run(struct tool *t)
{
	struct sums sums;
	int r;

	/* What is missing is said in the listing itself. */
	t->muted = true;
	r = sum_up(t, &sums);
	if (r == 0)
		r = t->req.json ? print_json(t, &sums) : print_text(t, &sums);
	arc_buf_fini(&sums.runs);
	t->muted = false;
	if (r < 0) {
		arc_say(&t->diag, ARC_ERROR, "%s", arc_error_text(r));
		return TOOL_EXIT_INEXACT;
	}
	return sums.absent ? TOOL_EXIT_INEXACT : TOOL_EXIT_OK;
}

const struct tool_verb tool_verb_info = {
	.name = "info",
	.about = "Shows volumes, sizes, codecs, duplicates and features",
	.args = "ARCHIVE",
	.options = options,
	.run = run,
};
