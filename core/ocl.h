/* SPDX-License-Identifier: MIT */
/*
 * ocl - OpenCL 1.2 devices, their memory, programs and queues, through the ICD
 * loader. Knows nothing of frames.
 *
 * Nothing is looked for before arc_ocl_list_new(), which loads every driver of
 * the machine (milliseconds to a second) and may not be called before a
 * program has forked into the background: drivers start threads.
 *
 * Errors: -ENODEV: there is no device, or none such; -ENOMEM: of the host or
 * of the device; -EIO: anything else a driver answers. The facts (the call and
 * the driver's code by name, a build log) are said once, as `why` or to the
 * diag of the device. A call may also never return: whoever cannot wait calls
 * from a thread of its own and gives that up (see arc_ocl_abandon()).
 *
 * Threads: a list is immutable. A device is locked inside; programs are
 * immutable. A queue has one owner, and so has a kernel object.
 */
#ifndef ARC_OCL_H
#define ARC_OCL_H

#include "diag.h"

/* ---- what there is ------------------------------------------------------- */

struct arc_ocl_info {
	char name[128]; /* of the device, spaces at both ends removed */
	char platform[128];
	char driver[64]; /* its version */
	char version[64]; /* "OpenCL 1.2 ..." */
	uint64_t memory; /* bytes */
	uint64_t largest; /* one buffer at most */
	uint64_t local_memory; /* per work-group */
	size_t work_group; /* work-items at most */
	unsigned units; /* that compute */
	bool cpu; /* the "device" is made of CPU cores */
	bool little; /* byte order */
};

struct arc_ocl_list;

/* All devices of all platforms, in the loader's order, that know OpenCL 1.2,
 * are available and have a compiler. A machine without any gives an empty list.
 * -ENOMEM. */
int arc_ocl_list_new(struct arc_ocl_list **ret);
void arc_ocl_list_free(struct arc_ocl_list *list); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_ocl_list, arc_ocl_list_free)
unsigned arc_ocl_count(const struct arc_ocl_list *list);
const struct arc_ocl_info *arc_ocl_at(const struct arc_ocl_list *list,
				      unsigned i);

/* Why something was left out of it last, "NAME: clGetDeviceInfo: CL_..."; ""
 * when nothing was. */
const char *arc_ocl_list_why(const struct arc_ocl_list *list);

/* ---- a device ------------------------------------------------------------ */

struct arc_ocl_device;

/* Makes a context for the i-th device; -ENODEV when there are not so many.
 * Borrows diag (debug messages; may be NULL). The list may go before the
 * device. */
int arc_ocl_open(const struct arc_ocl_list *list, unsigned i,
		 struct arc_diag *diag, struct arc_ocl_device **ret);
const struct arc_ocl_info *arc_ocl_info(const struct arc_ocl_device *dev);

/* Everything that was made from it must have gone. Accepts NULL. */
void arc_ocl_close(struct arc_ocl_device *dev);
ARC_DEFINE_CLEANUP(struct arc_ocl_device, arc_ocl_close)

/* What went wrong last, "clFinish: CL_OUT_OF_RESOURCES" ("" if nothing did),
 * into out (cap bytes, terminated). */
void arc_ocl_why(struct arc_ocl_device *dev, char *out, size_t cap);

/* ---- programs ------------------------------------------------------------ */

struct arc_ocl_program;

/*
 * Builds the sources (n strings, one after the other) with the options. A
 * binary built before is taken from the folder cache_dir (NULL: none), where
 * one is put otherwise, under a name made of sources, options, device and
 * driver; whatever is wrong with it only means building anew. Where one is put,
 * those go that were not used for 90 days, and all but the 64 used last. -EIO
 * with the build log to the device's diag.
 */
int arc_ocl_build(struct arc_ocl_device *dev, const char *const *sources,
		  unsigned n, const char *options, const char *cache_dir,
		  struct arc_ocl_program **ret);
void arc_ocl_program_free(struct arc_ocl_program *program); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_ocl_program, arc_ocl_program_free)

/* Whether it came from cache_dir. */
bool arc_ocl_program_was_cached(const struct arc_ocl_program *program);

/* $XDG_CACHE_HOME/arcfs or ~/.cache/arcfs, made when it is not there; NULL
 * when there is neither or it cannot be made. The caller frees it. */
char *arc_ocl_cache_dir(void);

struct arc_ocl_kernel;
int arc_ocl_kernel_new(const struct arc_ocl_program *program, const char *name,
		       struct arc_ocl_kernel **ret);
void arc_ocl_kernel_free(struct arc_ocl_kernel *kernel); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_ocl_kernel, arc_ocl_kernel_free)

/* ---- memory -------------------------------------------------------------- */

/* Of the device. n > 0. */
struct arc_ocl_buffer;
int arc_ocl_buffer_new(struct arc_ocl_device *dev, size_t n,
		       struct arc_ocl_buffer **ret);
void arc_ocl_buffer_free(struct arc_ocl_buffer *buffer); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_ocl_buffer, arc_ocl_buffer_free)
size_t arc_ocl_buffer_size(const struct arc_ocl_buffer *buffer);

/* Of the host, pinned, so that it is copied from and to without a detour. */
struct arc_ocl_pinned;
int arc_ocl_pinned_new(struct arc_ocl_device *dev, size_t n,
		       struct arc_ocl_pinned **ret);
void arc_ocl_pinned_free(struct arc_ocl_pinned *pinned); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_ocl_pinned, arc_ocl_pinned_free)
void *arc_ocl_pinned_at(const struct arc_ocl_pinned *pinned);

/* Bytes of buffers (not pinned ones) that live on the device now. */
uint64_t arc_ocl_in_use(const struct arc_ocl_device *dev);

/* ---- queues -------------------------------------------------------------- */

/*
 * What is given to a queue happens in order, after the call has returned and
 * before arc_ocl_finish() has; host memory must stay until then. Queues of a
 * device overlap. After an error a queue is good for nothing but being freed:
 * every call answers that error again, and host memory must stay until it has
 * been freed.
 */
struct arc_ocl_queue;
int arc_ocl_queue_new(struct arc_ocl_device *dev, struct arc_ocl_queue **ret);
void arc_ocl_queue_free(struct arc_ocl_queue *queue); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct arc_ocl_queue, arc_ocl_queue_free)

int arc_ocl_write(struct arc_ocl_queue *queue, struct arc_ocl_buffer *to,
		  size_t off, const void *from, size_t n);
int arc_ocl_read(struct arc_ocl_queue *queue, struct arc_ocl_buffer *from,
		 size_t off, void *to, size_t n);
/* The pattern is one 32-bit word; off and n are multiples of 4. */
int arc_ocl_fill(struct arc_ocl_queue *queue, struct arc_ocl_buffer *to,
		 size_t off, uint32_t word, size_t n);

/* An argument of a kernel: a buffer (NULL: a null pointer), or n bytes at p by
 * value, or n bytes of local memory. */
struct arc_ocl_arg {
	struct arc_ocl_buffer *buffer;
	const void *p;
	size_t n;
};

#define ARC_OCL_BUFFER(b) ((struct arc_ocl_arg){ .buffer = (b) })
#define ARC_OCL_VALUE(lvalue)                                                  \
	((struct arc_ocl_arg){ .p = &(lvalue), .n = sizeof(lvalue) })
#define ARC_OCL_LOCAL(bytes) ((struct arc_ocl_arg){ .n = (bytes) })

/* groups work-groups of `items` work-items each, in one dimension. */
int arc_ocl_run(struct arc_ocl_queue *queue, struct arc_ocl_kernel *kernel,
		size_t groups, size_t items, const struct arc_ocl_arg *args,
		unsigned n);

/* Lets the device begin without waiting for it. */
int arc_ocl_flush(struct arc_ocl_queue *queue);

/* Waits for all of it. Says what any of it ended with. */
int arc_ocl_finish(struct arc_ocl_queue *queue);

/* Nanoseconds that kernels ran between the last two calls of finish, by the
 * device's clock; 0 when it does not tell. */
uint64_t arc_ocl_kernel_ns(const struct arc_ocl_queue *queue);

/* Likewise of the launch that took longest. */
uint64_t arc_ocl_longest_ns(const struct arc_ocl_queue *queue);

/* ---- giving up ----------------------------------------------------------- */

/*
 * A thread hangs in a driver: the device and all that was made from it must be
 * left as they are, for ever: from now on every call with them answers -ENODEV
 * and does nothing, and releasing them does nothing. dev is NULL when the
 * thread hangs before it had one. The program then has to end by _exit(2),
 * since the driver's own exit handlers could hang too.
 */
void arc_ocl_abandon(struct arc_ocl_device *dev);
bool arc_ocl_any_abandoned(void);

#endif
