/* SPDX-License-Identifier: MIT */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench_coder.h"
#include "bench_gpu.h"
#include "bench_measure.h"
#include "bench_report.h"

struct gpu_report {
	const struct gpu_options *opt;
	json_t *json; /* NULL: a table is printed */
};

static const char *const works[ARC_GPU_WORKS] = {
	[ARC_GPU_HASH] = "hash",
	[ARC_GPU_ENCODE] = "encode",
	[ARC_GPU_DECODE] = "decode",
};

/* ---- figures ------------------------------------------------------------- */

static double median(const struct gpu_series *s)
{
	double sorted[BENCH_ROUNDS_MAX];

	memcpy(sorted, s->rate, s->n * sizeof(sorted[0]));
	bench_sort(sorted, s->n);
	return (sorted[(s->n - 1) / 2] + sorted[s->n / 2]) / 2;
}

/* What a device made of all frames; 0 when it did not have all of them. */
static uint64_t device_stored(const struct gpu_frames *f)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < f->n; i++) {
		if (f->device_stored[i] == 0)
			return 0;
		sum += f->device_stored[i];
	}
	return sum;
}

/* ---- the table ----------------------------------------------------------- */

static void print_rate(const struct gpu_series *s)
{
	double gb = s->n ? median(s) / 1e9 : 0;

	if (s->n)
		printf(" %.*f |", gb < 1 ? 3 : gb < 10 ? 2 : 1, gb);
	else
		printf(" - |");
}

static void print_ratio(const struct gpu_frames *f, uint64_t stored)
{
	if (stored)
		printf(" %.3f |",
		       (double)f->n * (double)f->size / (double)stored);
	else
		printf(" - |");
}

static void print_row(const struct gpu_options *opt, const struct gpu_frames *f,
		      const struct gpu_figures *fig, size_t work)
{
	printf("| %s | %s |", f->name, works[work]);
	for (unsigned k = 0; k < opt->batches; k++)
		print_rate(&fig->kernels[work][k]);
	for (unsigned k = 0; k < opt->batches; k++)
		print_rate(&fig->engine[work][k]);
	print_rate(&fig->cpu[work]);
	print_rate(&fig->lz4[work]);
	if (work == ARC_GPU_ENCODE) {
		print_ratio(f, device_stored(f));
		print_ratio(f, f->stored);
		print_ratio(f, fig->lz4_stored);
	} else {
		printf(" | | |");
	}
	printf("\n");
}

static void print_titles(const struct gpu_options *opt)
{
	printf("\n| input | work |");
	for (unsigned k = 0; k < opt->batches; k++)
		printf(" kernels, %u |", opt->batch[k]);
	for (unsigned k = 0; k < opt->batches; k++)
		printf(" engine, %u |", opt->batch[k]);
	printf(" CPU | liblz4 | ratio | of the CPU | of liblz4 |\n|---|---|");
	for (unsigned k = 0; k < 2 * opt->batches + 5; k++)
		printf("---:|");
	printf("\n");
}

static void print_device(const struct arc_ocl_info *info)
{
	printf("- device: %s%s, %u units, %.1f GiB\n", info->name,
	       info->cpu ? " (CPU cores)" : "", info->units,
	       (double)info->memory / (double)ARC_GIB);
	printf("- driver: %s, %s, %s\n", info->platform, info->driver,
	       info->version);
}

static void print_head(const struct gpu_options *opt,
		       const struct arc_ocl_info *info)
{
	char reach[BENCH_REACH_ROOM];

	printf("# OpenCL%s\n\n", info->cpu ? " on CPU cores" : "");
	if (info->cpu)
		printf("- no figures of a GPU: the kernels run on the same cores "
		       "as the C code in the column CPU\n");
	for (unsigned i = 0; i < opt->notes; i++)
		printf("- %s\n", opt->note[i]);
	print_device(info);
	bench_report_machine();
	printf("- arcfs %s, liblz4 %s; CPU: %u threads\n", ARC_VERSION,
	       bench_lz4_version(), opt->threads);
	printf("- lzext3 level %u, reach %s; device: the parallel profile; "
	       "CPU: the serial one; liblz4: its default\n",
	       opt->coding.level, bench_reach_text(&opt->coding, reach));
	printf("- frames of %zu KiB; an input of up to %.1f MiB is repeated "
	       "without end, frame i of a batch begins at byte i * (frame + "
	       "%u) of that\n",
	       opt->frame_size >> 10, (double)opt->max / (double)ARC_MIB,
	       GPU_FRAMES_SHIFT);
	printf("- GB/s (10^9 raw bytes), medians of %u rounds. kernels, N: "
	       "the device's clock, for N frames at once. engine, N: the "
	       "same from memory to memory, batches overlapping; decoded with "
	       "checksums compared, encoded with records made, decoded again "
	       "and compared. CPU: the engine on all threads; what is decoded "
	       "was encoded by it, and frames stored raw are not for devices. "
	       "liblz4: without checksums\n",
	       opt->rounds);
	print_titles(opt);
	fflush(stdout);
}

/* ---- JSON ---------------------------------------------------------------- */

static json_t *pack_series(const struct gpu_series *s)
{
	json_t *array = json_array();

	for (unsigned i = 0; i < s->n; i++)
		json_array_append_new(array, json_real(s->rate[i]));
	return array;
}

static json_t *pack_batches(const struct gpu_options *opt,
			    const struct gpu_series *s)
{
	json_t *object = json_object();

	for (unsigned k = 0; k < opt->batches; k++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", opt->batch[k]);
		json_object_set_new(object, name, pack_series(&s[k]));
	}
	return object;
}

static json_t *pack_input(const struct gpu_options *opt,
			  const struct gpu_frames *f,
			  const struct gpu_figures *fig)
{
	json_t *object = json_pack("{s:s, s:i, s:I, s:I, s:I, s:I}", "name",
				   f->name, "frames", (int)f->n, "frame_bytes",
				   (json_int_t)f->size, "stored_device",
				   (json_int_t)device_stored(f), "stored_cpu",
				   (json_int_t)f->stored, "stored_liblz4",
				   (json_int_t)fig->lz4_stored);

	for (size_t work = 0; work < ARC_GPU_WORKS; work++)
		json_object_set_new(
			object, works[work],
			json_pack("{s:o, s:o, s:o, s:o}", "kernels",
				  pack_batches(opt, fig->kernels[work]),
				  "engine",
				  pack_batches(opt, fig->engine[work]), "cpu",
				  pack_series(&fig->cpu[work]), "liblz4",
				  pack_series(&fig->lz4[work])));
	return object;
}

static json_t *pack_head(const struct gpu_options *opt,
			 const struct arc_ocl_info *info)
{
	return json_pack(
		"{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:I, s:i, s:b}, s:i, s:i, "
		"s:i, s:i, s:[]}",
		"version", ARC_VERSION, "liblz4", bench_lz4_version(), "device",
		"name", info->name, "platform", info->platform, "driver",
		info->driver, "opencl", info->version, "memory",
		(json_int_t)info->memory, "units", (int)info->units, "cpu",
		info->cpu, "level", (int)opt->coding.level, "reach_log",
		(int)opt->coding.group_log, "threads", (int)opt->threads,
		"rounds", (int)opt->rounds, "inputs");
}

/* -------------------------------------------------------------------------- */

int gpu_report_new(const struct gpu_options *opt,
		   const struct arc_ocl_info *info, struct gpu_report **ret)
{
	arc_cleanup(gpu_report_freep) struct gpu_report *r =
		calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->opt = opt;
	if (opt->json) {
		r->json = pack_head(opt, info);
		if (!r->json)
			return -ENOMEM;
	} else {
		print_head(opt, info);
	}
	*ret = arc_steal(r);
	return 0;
}

int gpu_report_add(struct gpu_report *r, const struct gpu_frames *frames,
		   const struct gpu_figures *fig)
{
	if (r->json)
		return json_array_append_new(json_object_get(r->json, "inputs"),
					     pack_input(r->opt, frames, fig))
			       ? -ENOMEM
			       : 0;
	for (size_t work = 0; work < ARC_GPU_WORKS; work++)
		print_row(r->opt, frames, fig, work);
	fflush(stdout);
	return 0;
}

int gpu_report_end(struct gpu_report *r, bool complete)
{
	if (r->json) {
		json_object_set_new(r->json, "verified", json_true());
		json_object_set_new(r->json, "complete",
				    json_boolean(complete));
		return bench_json_print(r->json);
	}
	printf("\nVerified in this run: bytes that were decoded and hashes "
	       "are those of the CPU; records that the device encoded decode "
	       "to their frames, and the first frame's have the bytes that "
	       "the C code of the parallel profile makes.\n");
	if (!complete)
		printf("\nThere was no time for all rounds: some figures are "
		       "medians of fewer, and - stands for none.\n");
	return 0;
}

void gpu_report_free(struct gpu_report *r)
{
	if (!r)
		return;
	json_decref(r->json);
	free(r);
}
