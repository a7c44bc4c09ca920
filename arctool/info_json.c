/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "info_i.h"

static json_t *json_volumes(struct tool *t, const struct tool_info *info)
{
	struct arc_volumes *vs = arc_archive_volumes(t->archive);
	arc_cleanup(arc_freep) char *name = malloc(TOOL_INFO_NAME_ROOM);
	json_t *list = json_array();
	const struct tool_info_run *run;

	for (size_t i = 0; name && (run = tool_info_run_at(info, i)); i++) {
		json_t *o = json_pack("{sI}", "number", (json_int_t)run->first);
		int err = run->err;

		arc_volumes_name(vs, run->first, name, TOOL_INFO_NAME_ROOM);
		arc_json_set(o, "name", name, strlen(name));
		if (err >= 0)
			json_object_set_new(
				o, "size",
				json_integer(arc_json_int(run->bytes)));
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

static json_t *json_closure(const struct tool_closure *c)
{
	return json_pack("{sIsIsI}", "segments", arc_json_int(c->segments),
			 "mean", arc_json_int((uint64_t)tool_info_mean(c)),
			 "max", arc_json_int(c->max));
}

static json_t *json_codecs(const struct arc_summary *s,
			   const struct tool_info *info)
{
	json_t *codecs = json_object();

	for (uint8_t id = 0; id < ARC_COUNT(s->codec); id++) {
		uint64_t n = s->codec[id].frames;
		json_t *o;

		if (!n)
			continue;
		o = json_pack("{sIsfsIsI}", "frames", arc_json_int(n),
			      "percent", tool_percent(n, info->frames), "raw",
			      arc_json_int(s->codec[id].raw), "stored",
			      arc_json_int(s->codec[id].stored));
		if (info->surveyed && id < ARC_CODEC_COUNT)
			json_object_set_new(
				o, "closure",
				json_closure(&info->closures.codec[id]));
		json_object_set_new(codecs, arc_codec_name(id), o);
	}
	return codecs;
}

/* An option of the writer as a number, where it is one. */
static void add_number(json_t *o, struct tool *t, const char *key)
{
	uint64_t value;
	size_t n;
	const char *text = tool_info_option(t, key, &n);

	if (text && tool_info_number(text, n, &value))
		json_object_set_new(o, key, json_integer(arc_json_int(value)));
}

static void add_closures(json_t *o, const struct tool_closures *c)
{
	json_t *reaches = json_object();

	for (unsigned i = 0; i < ARC_COUNT(c->reach); i++) {
		char bytes[24];

		if (!c->reach[i])
			continue;
		snprintf(bytes, sizeof(bytes), "%" PRIu64, UINT64_C(1) << i);
		json_object_set_new(reaches, bytes,
				    json_integer(arc_json_int(c->reach[i])));
	}
	json_object_set_new(o, "reaches", reaches);
	json_object_set_new(o, "closure", json_closure(&c->all));
	json_object_set_new(o, "closure_unknown_frames",
			    json_integer(arc_json_int(c->unknown)));
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
			arc_json_set(o, key, equals + 1,
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
				    json_integer(arc_json_int(rows[i].value)));
}

static void add_features(json_t *o, const struct arc_disk_footer *f)
{
	char id[33];

	arc_hex(f->id, sizeof(f->id), id);
	json_object_set_new(o, "id", json_string(id));
	json_object_set_new(o, "format", json_integer(arc_get16(f->version)));
	json_object_set_new(
		o, "features",
		json_pack("{sIsIsI}", "incompat",
			  (json_int_t)arc_get64(f->incompat), "ro_compat",
			  (json_int_t)arc_get64(f->ro_compat), "compat",
			  (json_int_t)arc_get64(f->compat)));
}

int tool_info_print_json(struct tool *t, const struct tool_info *info)
{
	const struct arc_summary *s = arc_index_summary(t->index);
	json_t *o = json_object();
	int r;

	add_features(o, arc_volumes_footer(arc_archive_volumes(t->archive)));
	add_counts(o, s);
	json_object_set_new(o, "frames",
			    json_integer(arc_json_int(info->frames)));
	json_object_set_new(o, "codecs", json_codecs(s, info));
	add_number(o, t, "level");
	add_number(o, t, "reach");
	if (info->surveyed)
		add_closures(o, &info->closures);
	json_object_set_new(o, "bytes_out",
			    json_integer(arc_json_int(info->out)));
	json_object_set_new(o, "missing_volumes",
			    json_integer(arc_json_int(info->absent)));
	json_object_set_new(o, "volumes", json_volumes(t, info));
	json_object_set_new(o, "reduction_percent",
			    info->absent
				    ? json_null()
				    : json_real(tool_info_reduction(s, info)));
	json_object_set_new(
		o, "ratio",
		info->absent ? json_null()
			     : json_real(tool_info_ratio(s->bytes, info->out)));
	json_object_set_new(o, "options",
			    json_options(arc_index_text(t->index)));
	r = json_dumpf(o, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(o);
	putchar('\n');
	return r < 0 ? -ENOMEM : 0;
}
