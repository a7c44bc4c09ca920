/* SPDX-License-Identifier: MIT */
/*
 * device_mirror - memory that a device and the host both have: what is written
 * at a place of the host's is copied to the same place of the device's, or back.
 *
 * Threads: one owner; others may write into the host's memory.
 */
#ifndef ARC_DEVICE_MIRROR_H
#define ARC_DEVICE_MIRROR_H

#include "ocl.h"

struct arc_mirror {
	struct arc_ocl_buffer *device;
	struct arc_ocl_pinned *host;
	void *p; /* the host's, aligned for anything */
};

/* n > 0 bytes. After a failure arc_mirror_fini() must be called, too. */
int arc_mirror_init(struct arc_mirror *m, struct arc_ocl_device *dev, size_t n);

/* Accepts one that is all zeros. */
void arc_mirror_fini(struct arc_mirror *m);

/* Copies n bytes at off, as arc_ocl_write() and arc_ocl_read() do. */
int arc_mirror_send(const struct arc_mirror *m, struct arc_ocl_queue *queue,
		    size_t off, size_t n);
int arc_mirror_fetch(const struct arc_mirror *m, struct arc_ocl_queue *queue,
		     size_t off, size_t n);

#endif
