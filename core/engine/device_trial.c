/* SPDX-License-Identifier: MIT */
/*
 * The work that a device is tried with: frames of made-up text with stretches
 * of noise and of one byte, the same each time. First a small batch, every byte
 * of whose result is compared with what the CPU makes of it, then as many
 * frames at once as will be later, with the clock running.
 */
#include <string.h>
#include <time.h>

#include "device.h"
#include "device_decode.h"
#include "device_encode.h"
#include "device_hash.h"
#include "engine_i.h"
#include "hash.h"

#define FRAME ((size_t)4 * ARC_MIB)
#define FRAMES 16 /* at once; on a device made of CPU cores one */
#define LEAVES_PER_FRAME (FRAME / ARC_FNV_LEAF)

/* What a trial works with. */
struct trial {
	struct arc_device *device;
	unsigned threads;
	unsigned frames;
	uint8_t *raw; /* one frame */
	uint8_t *stored; /* its record, and slack */
	struct arc_record *record;
	struct arc_encoder_params coding;
	uint8_t *out; /* where frames are decoded to, one after another */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- made-up data -------------------------------------------------------- */

/* splitmix64 (https://prng.di.unimi.it/splitmix64.c) */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Words of one to eight letters out of a few thousand, common ones more
 * often. */
static size_t put_word(uint8_t *p, size_t room, uint64_t *random)
{
	uint64_t r = next_random(random);
	uint64_t word = (r & 0xfff) & (r >> 12 & 0xfff);
	size_t n = 1 + (word * 7 + 3) % 8;

	n = ARC_MIN(n, room - 1);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)('a' + (word * 131 + i * word * 17) % 26);
	p[n] = r >> 60 ? ' ' : '\n';
	return n + 1;
}

static void fill(uint8_t *p, size_t n)
{
	uint64_t random = 1;
	size_t i = 0;

	while (i < n) {
		size_t kind = i >> 15 & 15;

		if (kind == 5)
			p[i++] = (uint8_t)next_random(&random);
		else if (kind == 6)
			p[i++] = 'x';
		else if (n - i > 1)
			i += put_word(p + i, n - i, &random);
		else
			p[i++] = '\n';
	}
}

static int encode_frame(struct trial *t)
{
	const struct arc_record_params params = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = { .level = 3, .group_log = 20 },
	};
	arc_cleanup(arc_record_encoder_freep) struct arc_record_encoder *e =
		NULL;
	struct arc_record_info info;
	int err = arc_record_encoder_new(&params, &e);

	if (!err)
		err = arc_record_encode(e, 0,
					(struct arc_span){ t->raw, FRAME },
					t->stored, &info);
	if (err)
		return err;
	memset(t->stored + info.stored, 0, ARC_DECODE_SLACK);
	return arc_record_parse(
		(struct arc_span){
			t->stored,
			arc_record_head_size(arc_segment_count(info.raw),
					     info.entry_size) },
		&t->record);
}

static int make_trial(struct trial *t)
{
	t->raw = malloc(FRAME);
	t->stored = malloc(arc_record_bound(FRAME) + ARC_DECODE_SLACK);
	t->out = malloc(FRAME * t->frames);
	if (!t->raw || !t->stored || !t->out)
		return -ENOMEM;
	fill(t->raw, FRAME);
	return encode_frame(t);
}

static void end_trial(struct trial *t)
{
	free(t->raw);
	free(t->stored);
	free(t->out);
	free(t->record);
}

/* ---- decoding ------------------------------------------------------------ */

struct decode_jobs {
	struct arc_decode_job job[FRAMES];
	uint8_t *groups[FRAMES][ARC_FRAME_SEGMENTS_MAX];
};

static void set_jobs(const struct trial *t, struct decode_jobs *d)
{
	for (unsigned i = 0; i < t->frames; i++) {
		struct arc_decode_job *job = &d->job[i];

		arc_record_place_groups(t->record, t->out + i * FRAME,
					d->groups[i]);
		*job = (struct arc_decode_job){
			.record = t->record,
			.payload = t->stored + t->record->head,
			.groups = d->groups[i],
		};
		for (uint32_t s = 0; s < t->record->segments; s++)
			arc_segset_add(&job->set, s);
		job->want = job->set;
	}
}

/* Whether the first n frames are what they should be. */
static bool is_decoded(const struct trial *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (memcmp(t->out + i * FRAME, t->raw, FRAME) != 0)
			return false;
	}
	return true;
}

static int time_decoding(const struct trial *t, struct decode_jobs *d,
			 double *ret_rate, double *ret_cpu)
{
	arc_cleanup(
		arc_device_decoder_freep) struct arc_device_decoder *decoder =
		NULL;
	double begun;
	int err = arc_device_decoder_new(t->device->ocl, t->device->cache_dir,
					 FRAME * t->frames,
					 (FRAME + ARC_MIB) * t->frames,
					 t->threads, &decoder);

	if (!err)
		err = arc_device_decoder_run(decoder, d->job, 1);
	if (!err && !is_decoded(t, 1))
		err = -EBADMSG;
	if (err)
		return err;
	memset(t->out, 0, FRAME * t->frames);
	begun = now();
	err = arc_device_decoder_run(decoder, d->job, t->frames);
	*ret_rate = (double)(FRAME * t->frames) / (now() - begun);
	if (!err && !is_decoded(t, t->frames))
		err = -EBADMSG;
	if (err)
		return err;
	begun = now();
	err = arc_engine_decode_here(&d->job[0]);
	*ret_cpu = (double)FRAME * t->threads / (now() - begun);
	return err;
}

static int try_decoding(struct trial *t, double *ret_rate, double *ret_cpu)
{
	arc_cleanup(arc_freep) struct decode_jobs *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	memset(t->out, 0, FRAME * t->frames);
	set_jobs(t, d);
	return time_decoding(t, d, ret_rate, ret_cpu);
}

/* ---- encoding ------------------------------------------------------------ */

/* Codes the frame on the CPU and compares each segment. */
static int compare_coded(const struct trial *t, void *state,
			 const struct arc_encode_frame *f)
{
	const struct arc_encoder *encoder = arc_encoder_find("lzext3");
	struct arc_frame_plan plan = { .group_log = t->coding.group_log };
	size_t group = (size_t)1 << f->group_log;
	uint8_t out[ARC_SEGMENT_SIZE];

	encoder->plan(state, (struct arc_span){ t->raw, FRAME }, &plan);
	for (size_t at = 0; at < FRAME; at += ARC_SEGMENT_SIZE) {
		const struct arc_encoded_segment *s =
			&f->segment[at >> ARC_SEGMENT_LOG];
		size_t begin = at / group * group;
		struct arc_segment seg = { 0 };
		size_t n;

		if (at == begin)
			encoder->begin(state, t->raw + begin,
				       ARC_MIN(group, FRAME - begin));
		n = encoder->encode(state, t->raw + begin, at - begin,
				    ARC_SEGMENT_SIZE, out, ARC_SEGMENT_SIZE - 1,
				    &seg);
		if (n != s->size ||
		    (n > 0 && (memcmp(out, f->coded + s->offset, n) != 0 ||
			       memcmp(seg.ext, &s->ext, sizeof(s->ext)) != 0)))
			return -EBADMSG;
	}
	return 0;
}

static int time_encoding(const struct trial *t, void *state, double *ret_rate,
			 double *ret_cpu)
{
	arc_cleanup(arc_device_encoder_freep) struct arc_device_encoder *e =
		NULL;
	struct arc_encode_frame frame[FRAMES];
	struct arc_frame_plan plan = { .group_log = t->coding.group_log };
	double begun;
	int err = arc_device_encoder_new(t->device->ocl, t->device->cache_dir,
					 &t->coding, FRAME * t->frames, &e);

	arc_encoder_find("lzext3")->plan(
		state, (struct arc_span){ t->raw, FRAME }, &plan);
	for (unsigned i = 0; i < t->frames; i++)
		frame[i] = (struct arc_encode_frame){
			.raw = { t->raw, FRAME },
			.group_log = plan.group_log,
		};
	if (!err)
		err = arc_device_encoder_run(e, frame, 1);
	begun = now();
	if (!err)
		err = compare_coded(t, state, &frame[0]);
	*ret_cpu = (double)FRAME * t->threads / (now() - begun);
	if (err)
		return err;
	begun = now();
	err = arc_device_encoder_run(e, frame, t->frames);
	*ret_rate = (double)(FRAME * t->frames) / (now() - begun);
	return err;
}

static int try_encoding(struct trial *t, double *ret_rate, double *ret_cpu)
{
	const struct arc_encoder *encoder = arc_encoder_find("lzext3");
	void *state = NULL;
	int err = encoder->new_state(&t->coding, &state);

	if (!err)
		err = time_encoding(t, state, ret_rate, ret_cpu);
	if (state)
		encoder->free_state(state);
	return err;
}

/* ---- hashing ------------------------------------------------------------- */

static int time_hashing(const struct trial *t, struct arc_device_hasher *h,
			struct arc_span *leaf, uint64_t *hash, double *ret_rate,
			double *ret_cpu)
{
	size_t n = LEAVES_PER_FRAME * t->frames;
	uint64_t wanted[LEAVES_PER_FRAME];
	double begun = now();
	int err;

	arc_fnv_leaves(t->raw, FRAME, wanted);
	*ret_cpu = (double)FRAME * t->threads / (now() - begun);
	for (size_t i = 0; i < n; i++)
		leaf[i] = (struct arc_span){ t->raw + i % LEAVES_PER_FRAME *
							      ARC_FNV_LEAF,
					     ARC_FNV_LEAF };
	err = arc_device_hasher_run(h, leaf, LEAVES_PER_FRAME, hash);
	if (!err && memcmp(hash, wanted, sizeof(wanted)) != 0)
		err = -EBADMSG;
	if (err)
		return err;
	begun = now();
	err = arc_device_hasher_run(h, leaf, n, hash);
	*ret_rate = (double)(FRAME * t->frames) / (now() - begun);
	return err;
}

static int try_hashing(struct trial *t, double *ret_rate, double *ret_cpu)
{
	size_t n = LEAVES_PER_FRAME * t->frames;
	arc_cleanup(arc_freep) struct arc_span *leaf = calloc(n, sizeof(*leaf));
	arc_cleanup(arc_freep) uint64_t *hash = calloc(n, sizeof(*hash));
	arc_cleanup(arc_device_hasher_freep) struct arc_device_hasher *h = NULL;
	int err;

	if (!leaf || !hash)
		return -ENOMEM;
	err = arc_device_hasher_new(t->device->ocl, t->device->cache_dir,
				    (uint32_t)n, t->threads, &h);
	return err ? err : time_hashing(t, h, leaf, hash, ret_rate, ret_cpu);
}

/* ------------------------------------------------------------------------- */

int arc_device_try(struct arc_device *d, const struct arc_gpu_purpose *purpose,
		   struct arc_gpu_rates *ret_rate,
		   struct arc_gpu_rates *ret_cpu)
{
	static int (*const tries[ARC_GPU_WORKS])(struct trial * t, double *rate,
						 double *cpu) = {
		[ARC_GPU_HASH] = try_hashing,
		[ARC_GPU_ENCODE] = try_encoding,
		[ARC_GPU_DECODE] = try_decoding,
	};
	struct trial t = {
		.device = d,
		.threads = purpose->threads,
		.frames = arc_ocl_info(d->ocl)->cpu ? 1 : FRAMES,
	};
	int err;

	if (purpose->coding)
		t.coding = *purpose->coding;
	err = make_trial(&t);

	for (size_t i = 0; i < ARC_GPU_WORKS && !err; i++) {
		if (purpose->work[i])
			err = tries[i](&t, &ret_rate->work[i],
				       &ret_cpu->work[i]);
	}
	end_trial(&t);
	return err;
}
