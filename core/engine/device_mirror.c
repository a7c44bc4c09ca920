/* SPDX-License-Identifier: MIT */
#include "device_mirror.h"

int arc_mirror_init(struct arc_mirror *m, struct arc_ocl_device *dev, size_t n)
{
	int err = arc_ocl_buffer_new(dev, n, &m->device);

	if (err == 0)
		err = arc_ocl_pinned_new(dev, n, &m->host);
	if (err == 0)
		m->p = arc_ocl_pinned_at(m->host);
	return err;
}

void arc_mirror_fini(struct arc_mirror *m)
{
	arc_ocl_pinned_free(m->host);
	arc_ocl_buffer_free(m->device);
}

int arc_mirror_send(const struct arc_mirror *m, struct arc_ocl_queue *queue,
		    size_t off, size_t n)
{
	return arc_ocl_write(queue, m->device, off, (uint8_t *)m->p + off, n);
}

int arc_mirror_fetch(const struct arc_mirror *m, struct arc_ocl_queue *queue,
		     size_t off, size_t n)
{
	return arc_ocl_read(queue, m->device, off, (uint8_t *)m->p + off, n);
}
