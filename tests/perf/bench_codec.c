/* SPDX-License-Identifier: MIT */
/* arc-bench codec: rows for what was asked for, and the inputs one by one. */
#include <jansson.h>
#include <stdio.h>

#include "bench_input.h"
#include "bench_report.h"

/* Others' libraries, which every table begins with. */
static const struct reference {
	const char *name;
	const struct bench_coder *coder;
	int level;
} references[] = {
	{ "liblz4", &bench_coder_lz4, 1 },
	{ "liblz4 HC 9", &bench_coder_lz4hc, 9 },
	{ "liblz4 HC 12", &bench_coder_lz4hc, 12 },
	{ "libzstd -1", &bench_coder_zstd, 1 },
	{ "libzstd -3", &bench_coder_zstd, 3 },
	{ "libzstd -9", &bench_coder_zstd, 9 },
};

/* Places in the table above. */
enum { LZ4, HC9, HC12 };

static void add_reference(const struct reference *ref, struct bench_row *row)
{
	row->coder = ref->coder;
	row->setting.level = ref->level;
	snprintf(row->name, sizeof(row->name), "%s", ref->name);
}

static void add_codec(const struct bench_options *opt,
		      const struct arc_encoder *encoder, unsigned level,
		      struct bench_reach reach, struct bench_row *row)
{
	char text[BENCH_REACH_ROOM];

	row->coder = &bench_coder_record;
	row->setting.encoder = encoder;
	row->setting.params = opt->params;
	row->setting.params.level = level;
	row->setting.params.group_log = reach.group_log;
	row->setting.params.group_auto = reach.group_auto;
	row->setting.bare = opt->bare;
	snprintf(row->name, sizeof(row->name), "%s -l %u, %s", encoder->name,
		 level, bench_reach_text(&row->setting.params, text));
}

static int make_rows(const struct bench_options *opt, struct bench_row **ret,
		     size_t *ret_n)
{
	size_t most = ARC_COUNT(references) +
		      (size_t)opt->encoders * opt->levels * opt->reaches;
	struct bench_row *rows = calloc(most, sizeof(*rows));
	size_t n = 0;

	if (!rows)
		return -ENOMEM;
	for (size_t i = 0; opt->reference && i < ARC_COUNT(references); i++)
		add_reference(&references[i], &rows[n++]);
	for (unsigned e = 0; e < opt->encoders; e++)
		for (unsigned l = 0; l < opt->levels; l++)
			for (unsigned r = 0; r < opt->reaches; r++)
				add_codec(opt, opt->encoder[e], opt->level[l],
					  opt->reach[r], &rows[n++]);
	*ret = rows;
	*ret_n = n;
	return 0;
}

static int measure_input(const struct bench_options *opt,
			 const struct bench_input *input, json_t *json,
			 struct arc_diag *diag)
{
	arc_cleanup(arc_freep) struct bench_row *rows = NULL;
	struct arc_span bytes = { input->bytes.p, input->bytes.n };
	struct bench_table table = {
		.opt = opt,
		.name = input->name,
		.bytes = bytes.n,
	};
	int err = make_rows(opt, &rows, &table.count);

	if (err < 0) {
		arc_say(diag, ARC_ERROR, "%s", arc_error_text(err));
		return err;
	}
	err = bench_measure(opt, bytes, rows, table.count, diag);
	if (err < 0)
		return err;
	table.rows = rows;
	if (opt->reference) {
		table.lz4 = &rows[LZ4];
		table.hc9 = &rows[HC9];
		table.hc12 = &rows[HC12];
	}
	if (json)
		return bench_json_table(json, &table);
	bench_report_table(&table);
	return 0;
}

static size_t count_inputs(const struct bench_options *opt)
{
	unsigned n = 0;

	if (opt->input_count > 0)
		return opt->input_count;
	while (bench_sample_at(n))
		n++;
	return n;
}

static int get_input(const struct bench_options *opt, size_t i,
		     struct arc_diag *diag, struct bench_input *ret)
{
	if (opt->input_count > 0)
		return bench_input_read(opt->inputs[i], opt->max, diag, ret);
	return bench_input_make(bench_sample_at((unsigned)i), opt->max, diag,
				ret);
}

static int measure_all(const struct bench_options *opt, json_t *json,
		       struct arc_diag *diag)
{
	int err = 0;

	for (size_t i = 0; i < count_inputs(opt) && err == 0; i++) {
		struct bench_input input;

		err = get_input(opt, i, diag, &input);
		if (err < 0)
			break;
		err = measure_input(opt, &input, json, diag);
		bench_input_fini(&input);
	}
	return err;
}

static int run(int argc, char **argv, struct arc_diag *diag)
{
	struct bench_options opt;
	json_t *json = NULL;
	int err;

	bench_options_parse(argc, argv, &opt);
	if (opt.json)
		json = bench_json_head(&opt);
	else
		bench_report_head(&opt);
	err = measure_all(&opt, json, diag);
	if (json && err == 0)
		err = bench_json_print(json);
	json_decref(json);
	return err < 0 ? BENCH_EXIT_FAILED : BENCH_EXIT_OK;
}

const struct bench_verb bench_verb_codec = {
	.name = "codec",
	.about = "ratio and speed of codecs beside liblz4 and libzstd",
	.run = run,
};
