/* SPDX-License-Identifier: MIT */
/*
 * device_encode - frames coded by an OpenCL device in the parallel profile of
 * LZ-EXT3, many at a time. Bytes are what the C code of the profile makes of
 * them (lzext3_parallel.h), whatever the device and however its work-groups are
 * made. Only coded bytes come back.
 *
 * All memory is taken when an encoder is made: a run fails only when the device
 * does.
 *
 * Threads: one owner.
 */
#ifndef ARC_DEVICE_ENCODE_H
#define ARC_DEVICE_ENCODE_H

#include "codec.h"
#include "ocl.h"

/* A segment, coded. */
struct arc_encoded_segment {
	uint32_t offset; /* in the frame's coded bytes */
	uint32_t size; /* 0: it does not shrink */
	struct arc_disk_lzext3 ext; /* for its entry, where it does */
};

struct arc_encode_frame {
	struct arc_span raw; /* 1..ARC_FRAME_MAX bytes, borrowed for the run;
			      * copied without a detour when pinned */
	uint8_t group_log; /* 16 up to what the params say */

	/* Results, valid until the next run. */
	const uint8_t *coded; /* of all segments, one after the other; pinned */
	const struct arc_encoded_segment *segment;
};

struct arc_device_encoder;

/*
 * For runs of up to raw_max bytes (see arc_device_encoder_fits()). The device
 * gives six times that, and up to four times that for the tables of the search
 * (a pair at least); the host gives it once. Of the params, what is said for
 * the parallel profile holds; the numbers of the search are built into the
 * kernels. cache_dir is as arc_ocl_build() has it. -ENODEV when the device is
 * none that could.
 */
int arc_device_encoder_new(struct arc_ocl_device *dev, const char *cache_dir,
			   const struct arc_encoder_params *params,
			   size_t raw_max, struct arc_device_encoder **ret);
void arc_device_encoder_free(struct arc_device_encoder *e); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_device_encoder, arc_device_encoder_free)

/* How work-groups are made; what arc_device_encoder_new() takes depends on the
 * device. Powers of two. */
struct arc_encode_shape {
	unsigned search; /* work-items that search a group, 1..256 */
	unsigned items; /* of other work-groups, 1..64 */
};

int arc_device_encoder_new_shaped(struct arc_ocl_device *dev,
				  const char *cache_dir,
				  const struct arc_encode_shape *shape,
				  const struct arc_encoder_params *params,
				  size_t raw_max,
				  struct arc_device_encoder **ret);

/* How many of the n frames, from the first on, one run can take: each counts in
 * whole segments. */
unsigned arc_device_encoder_fits(const struct arc_device_encoder *e,
				 const struct arc_encode_frame *frames,
				 unsigned n);

/*
 * Codes n frames, which fit. Anything but 0: the device has failed, there are
 * no results, and the encoder is good for nothing but being freed.
 */
int arc_device_encoder_run(struct arc_device_encoder *e,
			   struct arc_encode_frame *frames, unsigned n);

/* What the last run was. */
struct arc_encode_figures {
	uint64_t kernel_ns; /* 0: the device does not tell */
	uint64_t launch_ns; /* the longest; likewise */
	uint64_t raw;
	uint64_t coded; /* bytes of segments that shrink */
	uint32_t groups;
};

struct arc_encode_figures
arc_device_encoder_figures(const struct arc_device_encoder *e);

/* Entries of each table of the search, log2: what params or level say, but no
 * more than a group can fill. */
unsigned arc_device_encoder_hash_log(const struct arc_device_encoder *e);

#endif
