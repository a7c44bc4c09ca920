/* SPDX-License-Identifier: MIT */
/*
 * bench_gpu - what the files of `arc-bench gpu` share: batches of frames that
 * an OpenCL device hashes, encodes and decodes, beside the CPU and liblz4.
 *
 * What is measured takes turns: everything once a round. A figure is the bytes
 * of raw frames in a second; a figure that there is none of is not in its
 * series.
 *
 * Threads: one owner; what is frozen after it was made is said.
 */
#ifndef BENCH_GPU_H
#define BENCH_GPU_H

#include "bench.h"
#include "bench_input.h"
#include "engine/device.h"

#define GPU_BATCHES_MAX 8
#define GPU_NOTES_MAX 8

/* The command line; strings are argv's. Frozen after the device is known. */
struct gpu_options {
	char *const *inputs; /* none: the samples of bench_gpu_frames.c */
	size_t input_count;
	const char *source; /* stands for generated source code; or NULL */
	uint64_t max; /* bytes of an input; 0: by device, as the next two */
	size_t frame_size;
	unsigned batch[GPU_BATCHES_MAX]; /* ascending */
	unsigned batches;

	char *device; /* "": the first that is no CPU, or else the first */
	struct arc_encoder_params coding; /* the device's: parallel */
	unsigned rounds;
	double seconds; /* no measurement begins later */
	unsigned threads; /* of the CPU */
	bool json;
	const char *note[GPU_NOTES_MAX]; /* lines above the table */
	unsigned notes;
};

/* As bench_options_parse(). */
void gpu_options_parse(int argc, char **argv, struct gpu_options *ret);

/* Fills in what is left to the device. */
void gpu_options_settle(struct gpu_options *opt,
			const struct arc_ocl_info *info);

/* ---- frames (bench_gpu_frames.c) ----------------------------------------- */

/*
 * As many frames as the largest batch has, cut out of an input that is repeated
 * without end: frame i begins at byte i * (frame size + GPU_FRAMES_SHIFT). A
 * prime, so that no two frames are alike before an input has been repeated very
 * often. Repeats of the whole input are out of reach where it is longer than
 * that.
 */
#define GPU_FRAMES_SHIFT 1000003

/* Frozen after it was made, but for device_stored. */
struct gpu_frames {
	const char *name;
	size_t size; /* bytes of a frame, whole segments */
	unsigned n;
	uint8_t *raw; /* one after the other */

	/* Coded by the CPU, serially: records at i * stride, each with slack,
	 * and what they say. */
	size_t stride;
	uint8_t *coded;
	struct arc_record **record;
	uint64_t stored;

	/* The first frame coded by the C code of the parallel profile. */
	uint8_t *twin;
	size_t twin_n;

	uint32_t *device_stored; /* bytes of records; 0: not coded yet */
};

/* What is asked for, and the i-th of it. Says what is wrong. */
size_t gpu_input_count(const struct gpu_options *opt);
int gpu_input_get(const struct gpu_options *opt, size_t i,
		  struct arc_diag *diag, struct bench_input *ret);

int gpu_frames_make(const struct gpu_options *opt,
		    const struct bench_input *input, struct gpu_frames *ret);
void gpu_frames_fini(struct gpu_frames *frames);

static inline struct arc_span gpu_frame(const struct gpu_frames *frames,
					size_t i)
{
	return (struct arc_span){ frames->raw + i * frames->size,
				  frames->size };
}

/* ---- measuring ----------------------------------------------------------- */

struct gpu_series {
	double rate[BENCH_ROUNDS_MAX]; /* B/s */
	unsigned n;
};

/* By enum arc_gpu_work, and by place in the batches asked for. */
struct gpu_figures {
	struct gpu_series kernels[ARC_GPU_WORKS][GPU_BATCHES_MAX];
	struct gpu_series engine[ARC_GPU_WORKS][GPU_BATCHES_MAX];
	struct gpu_series cpu[ARC_GPU_WORKS];
	struct gpu_series lz4[ARC_GPU_WORKS]; /* not of hashing */
	uint64_t lz4_stored; /* all frames; 0: not known */
};

/* What measuring takes. */
struct gpu_bench {
	const struct gpu_options *opt;
	struct arc_diag *diag;
	struct arc_device *device;
	const struct gpu_frames *frames;
	double end; /* of CLOCK_MONOTONIC: nothing begins later */
	bool complete; /* nothing was left out for that */
};

/* Both of hashing, for it overlaps by itself; 0: there is no such figure. All
 * compare what they get: -EBADMSG. */
int gpu_measure_hash(const struct gpu_bench *b, unsigned batch,
		     double *ret_kernels, double *ret_engine);

/* Kernels alone (bench_gpu_kernels.c). */
int gpu_measure_encode_kernels(const struct gpu_bench *b, unsigned batch,
			       double *ret);
int gpu_measure_decode_kernels(const struct gpu_bench *b, unsigned batch,
			       double *ret);

/* Jobs through the lanes of the device, so many frames at once; 0: through the
 * threads of the CPU (bench_gpu_engine.c). */
int gpu_measure_engine(const struct gpu_bench *b, enum arc_gpu_work work,
		       unsigned batch, double *ret);

/* All threads of the CPU (bench_gpu_cpu.c). */
int gpu_measure_cpu_hash(const struct gpu_bench *b, double *ret);
int gpu_measure_lz4(const struct gpu_bench *b, double *ret_encode,
		    double *ret_decode, uint64_t *ret_stored);

/* ---- the report (bench_gpu_report.c) ------------------------------------- */

struct gpu_report;

/* Prints what stands above the table, or remembers it as JSON. */
int gpu_report_new(const struct gpu_options *opt,
		   const struct arc_ocl_info *info, struct gpu_report **ret);
int gpu_report_add(struct gpu_report *r, const struct gpu_frames *frames,
		   const struct gpu_figures *fig);

/* complete: nothing was left out for want of time. */
int gpu_report_end(struct gpu_report *r, bool complete);
void gpu_report_free(struct gpu_report *r); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct gpu_report, gpu_report_free)

#endif
