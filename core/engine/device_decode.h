/* SPDX-License-Identifier: MIT */
/*
 * device_decode - segments of LZ-EXT3 frames decoded by an OpenCL device, many
 * at a time. Bytes are gathered into pinned memory, unless they lie there
 * already, copied to the device, decoded there (decode.cl) in the order that device_plan.h says, and copied
 * back; what comes back is compared with the checksums here, by several
 * threads, and only then handed on. So neither a device nor an archive that
 * lies makes wrong bytes.
 *
 * All memory is taken when a decoder is made: a run fails only when the device
 * does.
 *
 * Threads: one owner.
 */
#ifndef ARC_DEVICE_DECODE_H
#define ARC_DEVICE_DECODE_H

#include "engine.h"
#include "ocl.h"

/* Whether devices decode this record. */
bool arc_device_decodes(const struct arc_record *r);

struct arc_device_decoder;

/*
 * For runs of up to raw_max raw and stored_max stored bytes (see
 * arc_device_decoder_fits()), for which it takes a little more than both of the
 * device's memory, and as much of the host's. Checksums are compared by up to
 * check_threads threads. cache_dir as arc_ocl_build() has it. -ENODEV when the
 * device is none that could.
 */
int arc_device_decoder_new(struct arc_ocl_device *dev, const char *cache_dir,
			   size_t raw_max, size_t stored_max,
			   unsigned check_threads,
			   struct arc_device_decoder **ret);
void arc_device_decoder_free(struct arc_device_decoder *d); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_device_decoder, arc_device_decoder_free)

/* How a work-group is made; what arc_device_decoder_new() takes depends on the
 * device. */
struct arc_decode_shape {
	unsigned items; /* work-items of a work-group, 1..256 */
	unsigned tokens; /* of a batch: 64, 128 or 256 */
};

int arc_device_decoder_new_shaped(struct arc_ocl_device *dev,
				  const char *cache_dir,
				  const struct arc_decode_shape *shape,
				  size_t raw_max, size_t stored_max,
				  unsigned check_threads,
				  struct arc_device_decoder **ret);

/* How many of the n jobs, from the first on, one run can take. What counts of a
 * frame is its part from the lowest to the highest segment of the set. */
unsigned arc_device_decoder_fits(const struct arc_device_decoder *d,
				 const struct arc_decode_job *jobs, unsigned n);

/*
 * Decodes n jobs, which fit, of records that devices decode. 0: each job's
 * `bad` says what is wrong with it; nothing has been written but wanted
 * segments that are right. -EINVAL when a set lacks something. Else the device
 * has failed, nothing is known, and the decoder is good for nothing but being
 * freed.
 */
int arc_device_decoder_run(struct arc_device_decoder *d,
			   struct arc_decode_job *jobs, unsigned n);

/*
 * The same in three steps. Only the second has to do with the device, and may
 * hang; it looks at nothing but the decoder's own memory, and payloads that are
 * pinned.
 */
int arc_device_decoder_load(struct arc_device_decoder *d,
			    struct arc_decode_job *jobs, unsigned n);
int arc_device_decoder_compute(struct arc_device_decoder *d);
int arc_device_decoder_store(struct arc_device_decoder *d);

/* What the last run was. */
struct arc_decode_figures {
	uint64_t kernel_ns; /* 0: the device does not tell */
	uint64_t launch_ns; /* the longest; likewise */
	uint64_t raw; /* bytes decoded, wanted or not */
	uint64_t stored;
	uint64_t gathered; /* bytes: stored ones that the host has copied */
	uint32_t refused; /* segments that the device could not decode */
	uint32_t chains;
	uint32_t launches;
};

struct arc_decode_figures
arc_device_decoder_figures(const struct arc_device_decoder *d);

#endif
