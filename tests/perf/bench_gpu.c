/* SPDX-License-Identifier: MIT */
/* arc-bench gpu: finds the device, and measures one input after another. */
#include <stdio.h>

#include "bench_gpu.h"
#include "bench_measure.h"
#include "engine.h"

static int complain(struct arc_diag *diag, const char *what, int err)
{
	arc_say(diag, ARC_ERROR, "%s: %s", what, arc_error_text(err));
	return err;
}

/* ---- the device ---------------------------------------------------------- */

/* The first that is meant; of all, a GPU before what is made of CPU cores. */
static int find_device(const struct gpu_options *opt,
		       const struct arc_ocl_list *list, unsigned *ret)
{
	struct arc_gpu_options which = { 0 };
	bool found = false;

	if (*opt->device && arc_gpu_set_mode(&which, opt->device) < 0)
		return -EINVAL;
	for (unsigned i = arc_ocl_count(list); i-- > 0;) {
		const struct arc_ocl_info *info = arc_ocl_at(list, i);

		if (!arc_gpu_is_listed(&which, i, info) ||
		    (found && info->cpu && !arc_ocl_at(list, *ret)->cpu))
			continue;
		*ret = i;
		found = true;
	}
	return found ? 0 : -ENODEV;
}

static int open_device(const struct gpu_options *opt, struct arc_diag *diag,
		       struct arc_device **ret)
{
	static const struct arc_gpu_options gpu = {
		.mode = ARC_GPU_FORCE,
		.no_fallback = true,
		.check_every = 1,
	};
	arc_cleanup(arc_ocl_list_freep) struct arc_ocl_list *list = NULL;
	unsigned i = 0;
	int err = arc_ocl_list_new(&list);

	if (!err)
		err = find_device(opt, list, &i);
	if (!err)
		err = arc_device_open(list, i, &gpu, &arc_gpu_encoder, diag,
				      ret);
	if (err)
		complain(diag, *opt->device ? opt->device : "OpenCL", err);
	return err;
}

/* ---- one input ----------------------------------------------------------- */

static void add(struct gpu_series *s, double rate)
{
	if (rate > 0 && s->n < ARC_COUNT(s->rate))
		s->rate[s->n++] = rate;
}

/* Asked before each measurement. */
static bool is_late(struct gpu_bench *b)
{
	bool late = bench_now(CLOCK_MONOTONIC) >= b->end;

	b->complete = b->complete && !late;
	return late;
}

static int measure_cpu(const struct gpu_bench *b, struct gpu_figures *fig)
{
	double hash = 0, encode = 0, decode = 0;
	double lz4_encode = 0, lz4_decode = 0;
	int err = gpu_measure_cpu_hash(b, &hash);

	if (!err)
		err = gpu_measure_lz4(b, &lz4_encode, &lz4_decode,
				      &fig->lz4_stored);
	if (!err)
		err = gpu_measure_engine(b, ARC_GPU_ENCODE, 0, &encode);
	if (!err)
		err = gpu_measure_engine(b, ARC_GPU_DECODE, 0, &decode);
	add(&fig->cpu[ARC_GPU_HASH], hash);
	add(&fig->cpu[ARC_GPU_ENCODE], encode);
	add(&fig->cpu[ARC_GPU_DECODE], decode);
	add(&fig->lz4[ARC_GPU_ENCODE], lz4_encode);
	add(&fig->lz4[ARC_GPU_DECODE], lz4_decode);
	return err;
}

/* Frames that are stored as they are, say, are not for devices. */
static bool is_for_devices(const struct gpu_frames *f)
{
	bool all = true;

	for (unsigned i = 0; i < f->n; i++)
		all = all && arc_engine_devices_decode(f->record[i]);
	return all;
}

static int measure_work(const struct gpu_bench *b, enum arc_gpu_work work,
			unsigned batch, double *kernels, double *engine)
{
	int err;

	if (work == ARC_GPU_HASH)
		return gpu_measure_hash(b, batch, kernels, engine);
	if (work == ARC_GPU_DECODE && !is_for_devices(b->frames))
		return 0;
	err = work == ARC_GPU_ENCODE
		      ? gpu_measure_encode_kernels(b, batch, kernels)
		      : gpu_measure_decode_kernels(b, batch, kernels);
	return err ? err : gpu_measure_engine(b, work, batch, engine);
}

/* A batch that is too large for the device has no figures. */
static int measure_batch(struct gpu_bench *b, unsigned k,
			 struct gpu_figures *fig)
{
	for (size_t work = 0; work < ARC_GPU_WORKS && !is_late(b); work++) {
		double kernels = 0, engine = 0;
		int err = measure_work(b, (enum arc_gpu_work)work,
				       b->opt->batch[k], &kernels, &engine);

		if (err == -ENOMEM)
			arc_say(b->diag, ARC_WARN,
				"%s: no memory for batches of %u frames",
				b->device->name, b->opt->batch[k]);
		else if (err)
			return err;
		add(&fig->kernels[work][k], kernels);
		add(&fig->engine[work][k], engine);
	}
	return 0;
}

static int measure_frames(struct gpu_bench *b, struct gpu_figures *fig)
{
	int err = 0;

	for (unsigned round = 0; round < b->opt->rounds && !err; round++) {
		if (!is_late(b))
			err = measure_cpu(b, fig);
		for (unsigned k = 0; k < b->opt->batches && !err; k++)
			err = measure_batch(b, k, fig);
	}
	return err;
}

static int measure_input(struct gpu_bench *b, const struct bench_input *input,
			 struct gpu_report *report)
{
	arc_cleanup(arc_freep) struct gpu_figures *fig = NULL;
	struct gpu_frames frames;
	int err = gpu_frames_make(b->opt, input, &frames);

	if (err)
		return complain(b->diag, input->name, err);
	b->frames = &frames;
	fig = calloc(1, sizeof(*fig));
	err = fig ? measure_frames(b, fig) : -ENOMEM;
	if (err == -EBADMSG)
		arc_say(b->diag, ARC_ERROR, "%s: a result is wrong",
			input->name);
	else if (err)
		complain(b->diag, input->name, err);
	if (!err)
		err = gpu_report_add(report, &frames, fig);
	gpu_frames_fini(&frames);
	return err;
}

/* ---- all of them --------------------------------------------------------- */

/* Every input has its share of the time that is left. */
static int measure_all(struct gpu_bench *b, struct gpu_report *report)
{
	double end = bench_now(CLOCK_MONOTONIC) + b->opt->seconds;
	size_t n = gpu_input_count(b->opt);
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		double now = bench_now(CLOCK_MONOTONIC);
		struct bench_input input;

		b->end = now + (end - now) / (double)(n - i);
		err = gpu_input_get(b->opt, i, b->diag, &input);
		if (err)
			break;
		err = measure_input(b, &input, report);
		bench_input_fini(&input);
	}
	return err;
}

static int run_device(const struct gpu_options *opt, struct arc_device *device,
		      struct arc_diag *diag)
{
	arc_cleanup(gpu_report_freep) struct gpu_report *report = NULL;
	struct gpu_bench b = {
		.opt = opt,
		.device = device,
		.diag = diag,
		.complete = true,
	};
	int err = gpu_report_new(opt, arc_ocl_info(device->ocl), &report);

	if (err)
		return complain(diag, "report", err);
	err = measure_all(&b, report);
	return err ? err : gpu_report_end(report, b.complete);
}

static int run(int argc, char **argv, struct arc_diag *diag)
{
	arc_cleanup(arc_device_closep) struct arc_device *device = NULL;
	struct gpu_options opt;
	int err;

	gpu_options_parse(argc, argv, &opt);
	err = open_device(&opt, diag, &device);
	if (!err) {
		gpu_options_settle(&opt, arc_ocl_info(device->ocl));
		err = run_device(&opt, device, diag);
	}
	if (arc_ocl_any_abandoned()) {
		fflush(stdout);
		_exit(BENCH_EXIT_FAILED);
	}
	return err < 0 ? BENCH_EXIT_FAILED : BENCH_EXIT_OK;
}

const struct bench_verb bench_verb_gpu = {
	.name = "gpu",
	.about = "speed of an OpenCL device beside the CPU and liblz4",
	.run = run,
};
