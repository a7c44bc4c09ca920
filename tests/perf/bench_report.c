/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <sys/utsname.h>

#include "bench_report.h"

const char *bench_reach_text(const struct arc_encoder_params *params,
			     char ret[BENCH_REACH_ROOM])
{
	if (params->group_auto)
		snprintf(ret, BENCH_REACH_ROOM, "auto");
	else if (params->group_log < 20)
		snprintf(ret, BENCH_REACH_ROOM, "%uK",
			 1U << (params->group_log - 10));
	else
		snprintf(ret, BENCH_REACH_ROOM, "%uM",
			 1U << (params->group_log - 20));
	return ret;
}

/* ---- figures ------------------------------------------------------------ */

static double median(const double *values, unsigned n)
{
	double sorted[BENCH_ROUNDS_MAX];

	memcpy(sorted, values, n * sizeof(sorted[0]));
	bench_sort(sorted, n);
	return (sorted[(n - 1) / 2] + sorted[n / 2]) / 2;
}

/* Ratios are taken within rounds: that is what rounds are for. */
static double median_ratio(const double *a, const double *b, unsigned n)
{
	double each[BENCH_ROUNDS_MAX];

	for (unsigned i = 0; i < n; i++)
		each[i] = a[i] / b[i];
	return median(each, n);
}

static double ratio(const struct bench_table *t, const struct bench_row *row)
{
	return (double)t->bytes / (double)row->fig.stored;
}

static double encode(const struct bench_table *t, const struct bench_row *row)
{
	return median(row->fig.encode, t->opt->encode_rounds) / 1e6;
}

static double decode(const struct bench_table *t, const struct bench_row *row)
{
	return median(row->fig.decode, t->opt->rounds) / 1e6;
}

static double decode_all(const struct bench_table *t,
			 const struct bench_row *row)
{
	return median(row->fig.decode_all, t->opt->rounds) / 1e6;
}

static double read_mean(const struct bench_table *t,
			const struct bench_row *row)
{
	return median(row->fig.read_mean, t->opt->rounds) * 1e3;
}

static double read_p95(const struct bench_table *t, const struct bench_row *row)
{
	return median(row->fig.read_p95, t->opt->rounds) * 1e3;
}

static double closure(const struct bench_table *t, const struct bench_row *row)
{
	(void)t;
	return row->fig.closure / 1024;
}

static double decode_hc9(const struct bench_table *t,
			 const struct bench_row *row)
{
	return median_ratio(row->fig.decode, t->hc9->fig.decode,
			    t->opt->rounds);
}

static double encode_lz4(const struct bench_table *t,
			 const struct bench_row *row)
{
	return median_ratio(row->fig.encode, t->lz4->fig.encode,
			    t->opt->encode_rounds);
}

static double encode_hc9(const struct bench_table *t,
			 const struct bench_row *row)
{
	return median_ratio(row->fig.encode, t->hc9->fig.encode,
			    t->opt->encode_rounds);
}

static double encode_hc12(const struct bench_table *t,
			  const struct bench_row *row)
{
	return median_ratio(row->fig.encode, t->hc12->fig.encode,
			    t->opt->encode_rounds);
}

/* The time of a cold read in times that liblz4 takes for as many bytes. */
static double read_hc9(const struct bench_table *t, const struct bench_row *row)
{
	double each[BENCH_ROUNDS_MAX];

	for (unsigned i = 0; i < t->opt->rounds; i++)
		each[i] = row->fig.read_mean[i] * t->hc9->fig.decode[i] /
			  row->fig.closure;
	return median(each, t->opt->rounds);
}

/* ---- the table ---------------------------------------------------------- */

static const struct column {
	const char *title;
	double (*value)(const struct bench_table *t,
			const struct bench_row *row);
	int digits;
	bool relative; /* to rows that --no-reference leaves out */
} columns[] = {
	{ "ratio", ratio, 3, false },
	{ "encode MB/s", encode, 1, false },
	{ "decode MB/s", decode, 0, false },
	{ "all cores MB/s", decode_all, 0, false },
	{ "cold ms", read_mean, 3, false },
	{ "p95 ms", read_p95, 3, false },
	{ "closure KiB", closure, 0, false },
	{ "enc / lz4", encode_lz4, 2, true },
	{ "enc / HC 9", encode_hc9, 2, true },
	{ "enc / HC 12", encode_hc12, 2, true },
	{ "dec / HC 9", decode_hc9, 2, true },
	{ "cold / HC 9", read_hc9, 2, true },
};

static bool shown(const struct column *c, const struct bench_options *opt)
{
	return opt->reference || !c->relative;
}

static void print_line(const struct bench_table *t, const struct bench_row *row)
{
	printf("| %s |", row->name);
	for (size_t i = 0; i < ARC_COUNT(columns); i++) {
		if (shown(&columns[i], t->opt))
			printf(" %.*f |", columns[i].digits,
			       columns[i].value(t, row));
	}
	printf("\n");
}

void bench_report_table(const struct bench_table *t)
{
	printf("\n## %s, %.1f MiB\n\n| coder |", t->name,
	       (double)t->bytes / (double)ARC_MIB);
	for (size_t i = 0; i < ARC_COUNT(columns); i++) {
		if (shown(&columns[i], t->opt))
			printf(" %s |", columns[i].title);
	}
	printf("\n|---|");
	for (size_t i = 0; i < ARC_COUNT(columns); i++) {
		if (shown(&columns[i], t->opt))
			printf("---:|");
	}
	printf("\n");
	for (size_t i = 0; i < t->count; i++)
		print_line(t, &t->rows[i]);
	fflush(stdout);
}

/* ---- the head ----------------------------------------------------------- */

void bench_report_machine(void)
{
	arc_cleanup(arc_freep) char *line = NULL;
	FILE *f = fopen("/proc/cpuinfo", "re");
	struct utsname u;
	size_t cap = 0;
	int at = 0;

	while (f && at == 0 && getline(&line, &cap, f) > 0)
		sscanf(line, "model name : %n", &at);
	if (at > 0)
		line[strcspn(line, "\n")] = 0;
	if (f)
		fclose(f);
	uname(&u);
	printf("- machine: %s, %s %s\n", at > 0 ? line + at : u.machine,
	       u.sysname, u.release);
}

/* A setting that the level decides while it is 0. */
static void print_setting(const char *name, unsigned value)
{
	if (value > 0)
		printf(", %s %u", name, value);
}

void bench_report_head(const struct bench_options *opt)
{
	printf("# Codecs\n\n");
	bench_report_machine();
	printf("- arcfs %s, liblz4 %s, libzstd %s\n", ARC_VERSION,
	       bench_lz4_version(), bench_zstd_version());
	printf("- frames of %u KiB, up to %u far references%s",
	       opt->frame_size >> 10, opt->params.far_max,
	       opt->bare ? ", decoding without checksums" : "");
	print_setting("hash_log", opt->params.hash_log);
	print_setting("candidates", opt->params.candidates);
	print_setting("good_enough", opt->params.good_enough);
	printf("\n- medians of %u rounds (encoding: %u), passes of at least "
	       "%g s, %u cold reads; CPU time of one thread, all cores: wall "
	       "time of %u threads; MB: 10^6 bytes\n",
	       opt->rounds, opt->encode_rounds, opt->seconds, opt->reads,
	       opt->threads);
	if (opt->reference)
		printf("- enc, dec: speed beside that of liblz4; cold: time "
		       "beside that of liblz4 (HC 9) for as many bytes\n");
}
