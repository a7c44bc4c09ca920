/* SPDX-License-Identifier: MIT */
/*
 * device - an OpenCL device that the engine uses, with what its lanes have in
 * common.
 *
 * Threads: immutable once it is in use.
 */
#ifndef ARC_DEVICE_H
#define ARC_DEVICE_H

#include "gpu.h"

struct arc_trial;
struct arc_device_lane;
struct arc_engine_params;

struct arc_gpu_encoder {
	int (*try_it)(struct arc_trial *t, double *ret_rate, double *ret_cpu);
	int (*new_lane)(const struct arc_engine_params *params, unsigned i,
			struct arc_device_lane **ret);
};

struct arc_device {
	struct arc_ocl_device *ocl;
	struct arc_diag *diag; /* for what goes wrong when it is released */
	char name[128];
	char *cache_dir; /* of programs; NULL: none */
	uint64_t memory; /* bytes that all lanes together may take */
	double share[ARC_GPU_WORKS]; /* of the work: its rate beside the CPU's,
				      * 0..1 */
	struct arc_gpu_rates rate; /* as it was tried */
	struct arc_gpu_options opt;
	const struct arc_gpu_encoder *encoder; /* NULL: it does not encode */
};

/* Opens the i-th device. Says nothing. encoder: NULL where it shall not encode.
 */
int arc_device_open(const struct arc_ocl_list *list, unsigned i,
		    const struct arc_gpu_options *opt,
		    const struct arc_gpu_encoder *encoder,
		    struct arc_diag *diag, struct arc_device **ret);

/* Accepts NULL. Once any device was abandoned nothing is released any more: a
 * thread that hangs may still look at it. */
void arc_device_close(struct arc_device *d);
ARC_DEFINE_CLEANUP(struct arc_device, arc_device_close)

/* fn(ctx), which releases something and never fails. -ECANCELED: the driver
 * hangs in it, which has been said, and the device has to be abandoned. */
int arc_device_release(const struct arc_device *d, int (*fn)(void *ctx),
		       void *ctx);

/* "NAME: what went wrong last". */
void arc_device_why(struct arc_device *d, char *out, size_t cap);

/*
 * Has it do what is asked for and compares every byte with what the CPU makes
 * of the same; measures both. -EBADMSG: a result was wrong; else what failed.
 */
int arc_device_try(struct arc_device *d, const struct arc_gpu_purpose *purpose,
		   struct arc_gpu_rates *ret_rate,
		   struct arc_gpu_rates *ret_cpu);

#endif
