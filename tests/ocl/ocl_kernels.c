/* SPDX-License-Identifier: MIT */
/*
 * ocl_kernels hash|encode|decode|mistakes - does a little of it on the first
 * device, with work-groups as GPUs have them, for an interpreter that watches
 * every access (oclgrind.sh). Exit status:
 *
 *	0	the results are what the CPU makes of the same
 *	3	something answered an error
 *	5	the results are wrong
 *
 * mistakes: a kernel in which all occur that are to be found.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "engine/device_decode.h"
#include "engine/device_encode.h"
#include "engine/device_hash.h"
#include "hash.h"

#define GROUP_LOG 17
#define HASH_LOG 12 /* a small table is cleared sooner */
#define RAW (ARC_SEGMENT_SIZE + 700) /* decoded: two segments of a group */

/* ---- what the interpreter does not know ----------------------------------- */

/*
 * To Oclgrind 21.10 memory that was filled is memory that nobody has written
 * to, and so is all of a buffer of which a part is written again. So here a
 * buffer is written in place of being filled, and written anew as a whole when
 * a part of it is; functions of a program come before those of libraries.
 */
static struct {
	cl_mem mem; /* the buffer that was filled last */
	uint8_t bytes[2 * ARC_SEGMENT_SIZE + 64];
	size_t n;
} image;

typedef cl_int(CL_API_CALL *write_fn)(cl_command_queue queue, cl_mem mem,
				      cl_bool blocking, size_t off, size_t n,
				      const void *p, cl_uint waits,
				      const cl_event *wait, cl_event *ret);

cl_int CL_API_CALL clEnqueueWriteBuffer(cl_command_queue queue, cl_mem mem,
					cl_bool blocking, size_t off, size_t n,
					const void *p, cl_uint waits,
					const cl_event *wait, cl_event *ret)
{
	write_fn next = (write_fn)dlsym(RTLD_NEXT, "clEnqueueWriteBuffer");

	if (mem == image.mem && off + n <= image.n) {
		memmove(image.bytes + off, p, n);
		return next(queue, mem, CL_TRUE, 0, image.n, image.bytes, waits,
			    wait, ret);
	}
	return next(queue, mem, blocking, off, n, p, waits, wait, ret);
}

cl_int CL_API_CALL clEnqueueFillBuffer(cl_command_queue queue, cl_mem mem,
				       const void *pattern, size_t width,
				       size_t off, size_t n, cl_uint waits,
				       const cl_event *wait, cl_event *ret)
{
	if (off != 0 || n > sizeof(image.bytes))
		return CL_OUT_OF_RESOURCES;
	image.mem = mem;
	image.n = n;
	for (size_t at = 0; at < n; at += width)
		memcpy(image.bytes + at, pattern, width);
	return clEnqueueWriteBuffer(queue, mem, CL_TRUE, 0, n, image.bytes,
				    waits, wait, ret);
}

/* ---- what there is to do -------------------------------------------------- */

/* Mostly zeros, which cost little; text, repeats near and far, and noise at the
 * beginning and at the border of segments. */
static void make_raw(uint8_t raw[RAW])
{
	uint32_t state = 1;
	char word[16];

	memset(raw, 0, RAW);
	for (size_t at = 0; at < 900; at += strlen(word)) {
		state = state * 1664525 + 1013904223;
		snprintf(word, sizeof(word), "%x ", state >> 26);
		memcpy(raw + at, word, strlen(word));
	}
	for (size_t at = 300; at < 400; at++) {
		state = state * 1664525 + 1013904223;
		raw[at] = (uint8_t)(state >> 24);
	}
	memcpy(raw + ARC_SEGMENT_SIZE - 500, raw + 100, 1000);
}

static int hash(struct arc_ocl_device *dev, const uint8_t *raw)
{
	arc_cleanup(arc_device_hasher_freep) struct arc_device_hasher *h = NULL;
	struct arc_span leaf[40];
	uint64_t hash[ARC_COUNT(leaf)];
	int err = arc_device_hasher_new(dev, NULL, ARC_COUNT(leaf), 1, &h);

	for (size_t i = 0; i < ARC_COUNT(leaf); i++)
		leaf[i] = (struct arc_span){ raw + i, i * 7 };
	if (!err)
		err = arc_device_hasher_run(h, leaf, ARC_COUNT(leaf), hash);
	for (size_t i = 0; !err && i < ARC_COUNT(leaf); i++) {
		if (hash[i] != arc_fnv1a(leaf[i].p, leaf[i].n))
			err = -EBADMSG;
	}
	return err;
}

static const struct arc_record_params params = {
	.codec = { .level = 6,
		   .group_log = GROUP_LOG,
		   .parallel = true,
		   .hash_log = HASH_LOG },
};

/* What the CPU makes of n bytes; the caller frees both. */
static int make_record(const uint8_t *raw, size_t n, uint8_t **ret_stored,
		       struct arc_record **ret)
{
	arc_cleanup(arc_record_encoder_freep) struct arc_record_encoder *e =
		NULL;
	struct arc_record_params p = params;
	struct arc_record_info info;
	int err;

	p.encoder = arc_encoder_find("lzext3");
	*ret_stored = malloc(arc_record_bound(RAW) + ARC_DECODE_SLACK);
	err = *ret_stored ? arc_record_encoder_new(&p, &e) : -ENOMEM;
	if (!err)
		err = arc_record_encode(e, 0, (struct arc_span){ raw, n },
					*ret_stored, &info);
	return err ? err
		   : arc_record_parse((struct arc_span){ *ret_stored,
							 info.stored },
				      ret);
}

/* Whether a frame's only segment is the record's. */
static int compare_coded(const struct arc_encode_frame *f)
{
	arc_cleanup(arc_freep) uint8_t *stored = NULL;
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	int err = make_record(f->raw.p, f->raw.n, &stored, &r);

	if (err)
		return err;
	if (r->segment[0].type != ARC_SEGMENT_CODED ||
	    r->segment[0].size != f->segment[0].size ||
	    memcmp(f->coded + f->segment[0].offset,
		   stored + r->head + r->segment[0].offset,
		   r->segment[0].size) != 0)
		return -EBADMSG;
	return 0;
}

/* A frame of two chunks and many tiles, and a short one. Lengths are multiples of
 * four: words are written back as they were behind any other end. */
static int encode(struct arc_ocl_device *dev, const uint8_t *raw)
{
	static const struct arc_encode_shape shape = { 64, 16 };
	arc_cleanup(arc_device_encoder_freep) struct arc_device_encoder *e =
		NULL;
	struct arc_encode_frame f[] = {
		{ .raw = { raw, 4500 }, .group_log = GROUP_LOG },
		{ .raw = { raw, 268 }, .group_log = GROUP_LOG },
	};
	int err = arc_device_encoder_new_shaped(
		dev, NULL, &shape, &params.codec, 2 * ARC_SEGMENT_SIZE, &e);

	if (!err)
		err = arc_device_encoder_run(e, f, ARC_COUNT(f));
	for (size_t i = 0; i < ARC_COUNT(f) && !err; i++)
		err = compare_coded(&f[i]);
	return err;
}

/* Two segments, the second of which copies from the first. */
static int decode(struct arc_ocl_device *dev, const uint8_t *raw)
{
	static const struct arc_decode_shape shape = { 32, 64 };
	arc_cleanup(arc_device_decoder_freep) struct arc_device_decoder *d =
		NULL;
	arc_cleanup(arc_freep) uint8_t *out = calloc(1, RAW);
	arc_cleanup(arc_freep) uint8_t *stored = NULL;
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	struct arc_decode_job job = { .groups = groups };
	int err = make_record(raw, RAW, &stored, &r);

	if (err || !out)
		return err ? err : -ENOMEM;
	job.record = r;
	job.payload = stored + r->head;
	arc_record_place_groups(r, out, groups);
	for (uint32_t s = 0; s < r->segments; s++)
		arc_segset_add(&job.set, s);
	job.want = job.set;
	err = arc_device_decoder_new_shaped(dev, NULL, &shape, RAW, RAW, 1, &d);
	if (!err)
		err = arc_device_decoder_run(d, &job, 1);
	if (!err && memcmp(out, raw, RAW) != 0)
		err = -EBADMSG;
	return err;
}

/* ---- what must be found --------------------------------------------------- */

static const char mistakes[] =
	"kernel void mistakes(global uint *a, global uint *b)\n"
	"{\n"
	"	local uint room[4];\n"
	"\n"
	"	room[get_local_id(0)] = 1;\n"
	"	b[get_global_id(0)] = room[get_local_id(0) ^ 1];\n"
	"	b[get_global_id(0)] += a[get_global_id(0)];\n"
	"	if (get_global_id(0) == 0)\n"
	"		b[64] = 1;\n"
	"}\n";

static int make_mistakes(struct arc_ocl_device *dev, const uint8_t *raw)
{
	const char *const sources[] = { mistakes };
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *p = NULL;
	arc_cleanup(arc_ocl_kernel_freep) struct arc_ocl_kernel *k = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *a = NULL;
	arc_cleanup(arc_ocl_buffer_freep) struct arc_ocl_buffer *b = NULL;
	arc_cleanup(arc_ocl_queue_freep) struct arc_ocl_queue *q = NULL;
	int err;

	(void)raw;
	if ((err = arc_ocl_build(dev, sources, 1, "", NULL, &p)) < 0 ||
	    (err = arc_ocl_kernel_new(p, "mistakes", &k)) < 0 ||
	    (err = arc_ocl_buffer_new(dev, 256, &a)) < 0 ||
	    (err = arc_ocl_buffer_new(dev, 256, &b)) < 0 ||
	    (err = arc_ocl_queue_new(dev, &q)) < 0 ||
	    (err = arc_ocl_run(q, k, 16, 4,
			       (struct arc_ocl_arg[]){ ARC_OCL_BUFFER(a),
						       ARC_OCL_BUFFER(b) },
			       2)) < 0)
		return err;
	return arc_ocl_finish(q);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(struct arc_ocl_device *dev, const uint8_t *raw);
	} works[] = {
		{ "hash", hash },
		{ "encode", encode },
		{ "decode", decode },
		{ "mistakes", make_mistakes },
	};
	static uint8_t raw[RAW];
	struct arc_ocl_list *list = NULL;
	struct arc_ocl_device *dev = NULL;
	int err = arc_ocl_list_new(&list);

	make_raw(raw);
	if (!err)
		err = arc_ocl_open(list, 0, NULL, &dev);
	for (size_t i = 0; i < ARC_COUNT(works) && !err && argc > 1; i++) {
		if (strcmp(argv[1], works[i].name) == 0)
			err = works[i].run(dev, raw);
	}
	if (err)
		printf("%s\n", arc_error_name(err));
	arc_ocl_close(dev);
	arc_ocl_list_free(list);
	return err == -EBADMSG ? 5 : err ? 3 : 0;
}
