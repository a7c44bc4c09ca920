/* SPDX-License-Identifier: MIT */
/*
 * gpu - the devices that a program uses: what its user says about them, on the
 * command line or in the configuration, and which are chosen. One of them is
 * chosen only after it has proved itself: what it gave for known bytes was
 * right.
 *
 * Threads: pure; what was chosen has one owner who changes it.
 */
#ifndef ARC_GPU_H
#define ARC_GPU_H

#include "codec.h"
#include "config.h"
#include "ocl.h"

/* ---- what a user says ---------------------------------------------------- */

enum arc_gpu_mode {
	ARC_GPU_AUTO, /* those that are faster than the CPU; only looked for
		       * where the kernel knows of a GPU */
	ARC_GPU_OFF, /* OpenCL is not even looked at */
	ARC_GPU_FORCE /* all, or those of the list, and the CPU waits */
};

struct arc_gpu_options {
	enum arc_gpu_mode mode;
	char list[256]; /* with FORCE: "1,h200"; "": all */
	uint64_t memory; /* bytes of one device at most; 0: three quarters */
	unsigned encode_batch; /* frames at once at most; 0: by memory */
	unsigned decode_batch;
	bool no_fallback; /* a device that fails is an error */
	unsigned check_every; /* n-th record that a device encoded is decoded
			       * and compared; 1: each, 0: none */
	unsigned timeout_ms; /* for a batch, or a trial; 0: default */
};

#define ARC_GPU_MODES "auto, off, force or a list of devices"

void arc_gpu_defaults(struct arc_gpu_options *ret);

/* What the configuration says of devices. FORCE_CPU_MODE there means OFF. */
void arc_gpu_configure(struct arc_gpu_options *opt, const struct arc_config *c);

/* "auto", "off", "force", or numbers and parts of names (case does not matter)
 * with commas or colons between them. -EINVAL: an empty item; -E2BIG. */
int arc_gpu_set_mode(struct arc_gpu_options *opt, const char *text);

/* The same from the command line, which overrides FORCE_CPU_MODE elsewhere. */
int arc_gpu_ask(struct arc_gpu_options *opt, struct arc_config *c,
		const char *text);

/* Whether the list means the i-th device; an empty list means all. */
bool arc_gpu_is_listed(const struct arc_gpu_options *opt, unsigned i,
		       const struct arc_ocl_info *info);

/* The first item of the list that means none of the devices, copied to out (cap
 * bytes); false: there is none such. */
bool arc_gpu_unknown(const struct arc_gpu_options *opt,
		     const struct arc_ocl_list *list, char *out, size_t cap);

/* ---- what is chosen ------------------------------------------------------ */

enum arc_gpu_work { ARC_GPU_HASH, ARC_GPU_ENCODE, ARC_GPU_DECODE };
#define ARC_GPU_WORKS 3

/* Bytes a second, from memory to memory, by enum arc_gpu_work; 0: not tried. */
struct arc_gpu_rates {
	double work[ARC_GPU_WORKS];
};

struct arc_device;

/* How devices encode: only programs that do link it. */
struct arc_gpu_encoder;
extern const struct arc_gpu_encoder arc_gpu_encoder;

/* A device that was looked at. */
struct arc_gpu_device {
	unsigned number;
	struct arc_ocl_info info;
	bool tried;
	int err; /* of the trial: 0, or what it failed with */
	char why[320]; /* why it is used, or not, and for what */
	struct arc_gpu_rates rate;
	struct arc_device *device; /* opened; NULL: used for nothing */
};

/* Those that do one kind of work. */
struct arc_gpu_set {
	struct arc_device **device;
	unsigned count;
};

struct arc_gpu {
	struct arc_gpu_device *device; /* in the order of OpenCL */
	unsigned count;
	struct arc_gpu_rates cpu; /* of all threads together; only when some
				   * device was tried */
	struct arc_gpu_set used[ARC_GPU_WORKS]; /* one may do some works, and
						 * not others */
};

/* What devices are wanted for. */
struct arc_gpu_purpose {
	bool work[ARC_GPU_WORKS]; /* each is judged by itself */
	const struct arc_encoder_params *coding; /* with ARC_GPU_ENCODE */
	const struct arc_gpu_encoder *encoder; /* likewise: &arc_gpu_encoder */
	unsigned threads; /* of the CPU, to compare with */
};

/*
 * Looks at the devices and opens those that are to be used. Says what it found
 * to diag: as ARC_INFO, but for devices that were asked for and cannot be used;
 * diag is borrowed until what was chosen is freed. all: tries also those that
 * would not be used (to show them).
 *
 * With FORCE: -ENODEV when none that was asked for is there and proves itself.
 */
int arc_gpu_choose(const struct arc_gpu_options *opt,
		   const struct arc_gpu_purpose *purpose, bool all,
		   struct arc_diag *diag, struct arc_gpu **ret);

/* It is in no set any more: it has turned out to be no good. Stays open. */
void arc_gpu_drop(struct arc_gpu *gpu, const struct arc_device *device);

void arc_gpu_free(struct arc_gpu *gpu); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_gpu, arc_gpu_free)

#endif
