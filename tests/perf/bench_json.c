/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>

#include "bench_report.h"

struct json_t *bench_json_head(const struct bench_options *opt)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:i, s:b, s:i, s:i, s:f, s:i, "
			 "s:i, s:[]}",
			 "version", ARC_VERSION, "liblz4", bench_lz4_version(),
			 "libzstd", bench_zstd_version(), "frame_size",
			 (json_int_t)opt->frame_size, "far",
			 (int)opt->params.far_max, "bare", opt->bare, "rounds",
			 (int)opt->rounds, "encode_rounds",
			 (int)opt->encode_rounds, "seconds", opt->seconds,
			 "reads", (int)opt->reads, "threads", (int)opt->threads,
			 "inputs");
}

static json_t *pack_doubles(const double *values, unsigned n)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < n; i++)
		json_array_append_new(array, json_real(values[i]));
	return array;
}

/* Codec, level and reach stand in rows of the project's codecs only. */
static void set_setting(json_t *object, const struct bench_setting *setting)
{
	char reach[BENCH_REACH_ROOM];

	if (!setting->encoder)
		return;
	json_object_set_new(object, "codec",
			    json_string(setting->encoder->name));
	json_object_set_new(object, "level",
			    json_integer(setting->params.level));
	json_object_set_new(
		object, "reach",
		json_string(bench_reach_text(&setting->params, reach)));
}

static json_t *pack_row(const struct bench_options *opt,
			const struct bench_row *row)
{
	const struct bench_figures *fig = &row->fig;
	json_t *object = json_pack(
		"{s:s, s:I, s:f, s:o, s:o, s:o, s:o, s:o}", "coder", row->name,
		"stored", (json_int_t)fig->stored, "closure_bytes",
		fig->closure, "encode",
		pack_doubles(fig->encode, opt->encode_rounds), "decode",
		pack_doubles(fig->decode, opt->rounds), "decode_all_cores",
		pack_doubles(fig->decode_all, opt->rounds), "cold_mean",
		pack_doubles(fig->read_mean, opt->rounds), "cold_p95",
		pack_doubles(fig->read_p95, opt->rounds));

	set_setting(object, &row->setting);
	return object;
}

int bench_json_table(struct json_t *head, const struct bench_table *t)
{
	json_t *rows = json_array();
	json_t *input = json_pack("{s:s, s:I, s:o}", "name", t->name, "bytes",
				  (json_int_t)t->bytes, "rows", rows);
	int failed = 0;

	for (size_t i = 0; i < t->count; i++)
		failed |= json_array_append_new(rows,
						pack_row(t->opt, &t->rows[i]));
	failed |= json_array_append_new(json_object_get(head, "inputs"), input);
	return failed ? -ENOMEM : 0;
}

int bench_json_print(struct json_t *head)
{
	int err = json_dumpf(head, stdout, JSON_INDENT(1)) < 0 ? -EIO : 0;

	printf("\n");
	return err;
}
