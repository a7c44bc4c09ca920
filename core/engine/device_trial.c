/* SPDX-License-Identifier: MIT */
/*
 * The work that a device is tried with: a record of tokens at random, the same
 * each time, and the bytes that the CPU makes of it. First one frame, every byte
 * of whose result is compared with what the CPU makes of it, then many at once,
 * with the clock running.
 */
#include <string.h>
#include <time.h>

#include "codec/lzext3_i.h"
#include "device_decode.h"
#include "device_hash.h"
#include "device_trial.h"
#include "engine_i.h"
#include "hash.h"

#define GROUP_LOG 20
#define LEAVES_PER_FRAME (ARC_TRIAL_FRAME / ARC_FNV_LEAF)

double arc_trial_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- a made-up record ---------------------------------------------------- */

/* splitmix64 (https://prng.di.unimi.it/splitmix64.c) */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* The streams of a segment on their way. */
struct streams {
	uint8_t lo[LZX_TOKENS_MAX * 2];
	uint8_t tok[LZX_TOKENS_MAX];
	uint8_t hi[LZX_TOKENS_MAX];
	uint8_t x8[LZX_TOKENS_MAX * 2];
	uint8_t lit[ARC_SEGMENT_SIZE];
	size_t los, toks, his, x8s, lits; /* bytes of each */
};

static void put_literals(struct streams *m, size_t n, uint64_t random)
{
	for (size_t i = 0; i < n; i++)
		m->lit[m->lits++] = (uint8_t)(random >> (i * 7 % 57));
}

/* A distance of k bytes at most, no more than what there is. Returns k. */
static uint32_t put_distance(struct streams *m, uint32_t k, uint32_t room,
			     uint64_t random)
{
	uint32_t most = k == 1 ? 0xff : k == 2 ? 0xffff : LZX_DISTANCE_MAX;
	uint32_t dist = (uint32_t)(1 + random % ARC_MIN(most, room));

	if (k >= 2) {
		m->lo[m->los++] = (uint8_t)dist;
		m->lo[m->los++] = (uint8_t)(dist >> 8);
	}
	if (k == 1 || k == 3)
		m->hi[m->his++] = (uint8_t)(k == 1 ? dist : dist >> 16);
	return k;
}

/* A token at `at` of its group, with what belongs to it, of `room` bytes at
 * most. Returns how many it makes; 0: it would be more. */
static uint32_t put_token(struct streams *m, uint32_t at, uint32_t room,
			  uint64_t *random)
{
	uint64_t r = next_random(random), more = next_random(random);
	uint32_t l = at ? r & 3 : 2, len = r >> 2 & 15, k = r >> 6 & 3;
	uint32_t l_more = l == LZX_LIT_MORE ? r >> 8 & 15 : 0;
	uint32_t len_more = len == LZX_LEN_MORE ? r >> 12 & 63 : 0;
	uint32_t lits = l + l_more;
	uint32_t n = lits + LZX_MIN_MATCH + len + len_more;

	if (n > room)
		return 0;
	if (k == 0 && m->toks == 0)
		k = 1;
	m->tok[m->toks++] =
		(uint8_t)(l << LZX_LIT_SHIFT | k << LZX_DIST_SHIFT | len);
	if (l == LZX_LIT_MORE)
		m->x8[m->x8s++] = (uint8_t)l_more;
	if (len == LZX_LEN_MORE)
		m->x8[m->x8s++] = (uint8_t)len_more;
	put_literals(m, lits, more);
	if (k > 0)
		put_distance(m, k, at + lits, r >> 18);
	return n;
}

static size_t join(const struct streams *m, uint8_t *out)
{
	const struct {
		const uint8_t *p;
		size_t n;
	} parts[] = { { m->lo, m->los },
		      { m->tok, m->toks },
		      { m->hi, m->his },
		      { m->x8, m->x8s },
		      { m->lit, m->lits } };
	size_t n = 0;

	for (size_t i = 0; i < ARC_COUNT(parts); i++) {
		memcpy(out + n, parts[i].p, parts[i].n);
		n += parts[i].n;
	}
	if (n % 2)
		out[n++] = 0;
	return n;
}

/* Segment s behind the payload so far. */
static void put_segment(struct arc_trial *t, uint32_t s, struct streams *m,
			uint64_t *random)
{
	uint32_t off = (uint32_t)arc_offset_in_group(s, GROUP_LOG);
	struct arc_segment *seg = &t->record->segment[s];
	struct arc_disk_lzext3 x = { 0 };
	uint32_t made = 0, n;

	m->los = m->toks = m->his = m->x8s = m->lits = 0;
	while ((n = put_token(m, off + made, (uint32_t)ARC_SEGMENT_SIZE - made,
			      random)))
		made += n;
	put_literals(m, ARC_SEGMENT_SIZE - made, next_random(random));
	x.tokens = arc_put16((uint16_t)m->toks);
	x.lo = arc_put16((uint16_t)(m->los / 2));
	x.hi = arc_put16((uint16_t)m->his);
	x.x8 = arc_put16((uint16_t)m->x8s);
	x.near = arc_put16((uint16_t)lzx_granules_before(s, GROUP_LOG));
	seg->type = ARC_SEGMENT_CODED;
	seg->offset = t->record->payload;
	seg->size = (uint32_t)join(m, t->stored + seg->offset);
	memcpy(seg->ext, &x, sizeof(x));
	t->record->payload += seg->size;
}

/* What the CPU makes of a segment is what it is to be. */
static int decode_segment(struct arc_trial *t, uint32_t s, uint8_t **groups)
{
	struct arc_segment *seg = &t->record->segment[s];
	const struct arc_decode d = { .seg = seg,
				      .src = t->stored + seg->offset,
				      .s = s,
				      .n = ARC_SEGMENT_SIZE,
				      .group_log = GROUP_LOG,
				      .groups = groups };
	int err = t->record->decoder->decode(&d);

	seg->check = arc_xxh64(t->raw + ((size_t)s << ARC_SEGMENT_LOG),
			       ARC_SEGMENT_SIZE);
	return err;
}

/* Tokens at random: no encoder is needed for it, and every kind occurs. */
static int make_record(struct arc_trial *t, struct streams *m)
{
	uint32_t segments = ARC_TRIAL_FRAME >> ARC_SEGMENT_LOG;
	struct arc_record *r =
		calloc(1, sizeof(*r) + segments * sizeof(*r->segment));
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX];
	uint64_t random = 1;
	int err = 0;

	t->record = r;
	if (!r)
		return -ENOMEM;
	r->raw = ARC_TRIAL_FRAME;
	r->segments = segments;
	r->codec = ARC_CODEC_LZEXT3;
	r->group_log = GROUP_LOG;
	r->decoder = arc_decoder_find(ARC_CODEC_LZEXT3);
	arc_record_place_groups(r, t->raw, groups);
	for (uint32_t s = 0; s < segments && !err; s++) {
		put_segment(t, s, m, &random);
		err = decode_segment(t, s, groups);
	}
	return err;
}

static int make_trial(struct arc_trial *t)
{
	arc_cleanup(arc_freep) struct streams *m = malloc(sizeof(*m));

	t->raw = malloc(ARC_TRIAL_FRAME);
	t->stored = calloc(1, ARC_TRIAL_FRAME * 2);
	t->out = malloc(ARC_TRIAL_FRAME * t->frames);
	if (!m || !t->raw || !t->stored || !t->out)
		return -ENOMEM;
	return make_record(t, m);
}

static void end_trial(struct arc_trial *t)
{
	free(t->raw);
	free(t->stored);
	free(t->out);
	free(t->record);
}

/* ---- decoding ------------------------------------------------------------ */

struct decode_jobs {
	struct arc_decode_job job[ARC_TRIAL_FRAMES];
	uint8_t *groups[ARC_TRIAL_FRAMES][ARC_FRAME_SEGMENTS_MAX];
};

static void set_jobs(const struct arc_trial *t, struct decode_jobs *d)
{
	for (unsigned i = 0; i < t->frames; i++) {
		struct arc_decode_job *job = &d->job[i];

		arc_record_place_groups(t->record, t->out + i * ARC_TRIAL_FRAME,
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
static bool is_decoded(const struct arc_trial *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		if (memcmp(t->out + i * ARC_TRIAL_FRAME, t->raw,
			   ARC_TRIAL_FRAME) != 0)
			return false;
	}
	return true;
}

static int time_decoding(const struct arc_trial *t, struct decode_jobs *d,
			 double *ret_rate, double *ret_cpu)
{
	arc_cleanup(
		arc_device_decoder_freep) struct arc_device_decoder *decoder =
		NULL;
	double begun;
	int err =
		arc_device_decoder_new(t->device->ocl, t->device->cache_dir,
				       ARC_TRIAL_FRAME * t->frames,
				       (ARC_TRIAL_FRAME + ARC_MIB) * t->frames,
				       t->threads, &decoder);

	if (!err)
		err = arc_device_decoder_run(decoder, d->job, 1);
	if (!err && !is_decoded(t, 1))
		err = -EBADMSG;
	if (err)
		return err;
	memset(t->out, 0, ARC_TRIAL_FRAME * t->frames);
	begun = arc_trial_now();
	err = arc_device_decoder_run(decoder, d->job, t->frames);
	*ret_rate = (double)(ARC_TRIAL_FRAME * t->frames) /
		    (arc_trial_now() - begun);
	if (!err && !is_decoded(t, t->frames))
		err = -EBADMSG;
	if (err)
		return err;
	begun = arc_trial_now();
	err = arc_engine_decode_here(&d->job[0]);
	*ret_cpu = (double)ARC_TRIAL_FRAME * t->threads /
		   (arc_trial_now() - begun);
	return err;
}

static int try_decoding(struct arc_trial *t, double *ret_rate, double *ret_cpu)
{
	arc_cleanup(arc_freep) struct decode_jobs *d = calloc(1, sizeof(*d));

	if (!d)
		return -ENOMEM;
	memset(t->out, 0, ARC_TRIAL_FRAME * t->frames);
	set_jobs(t, d);
	return time_decoding(t, d, ret_rate, ret_cpu);
}

/* ---- hashing ------------------------------------------------------------- */

static int time_hashing(const struct arc_trial *t, struct arc_device_hasher *h,
			struct arc_span *leaf, uint64_t *hash, double *ret_rate,
			double *ret_cpu)
{
	size_t n = LEAVES_PER_FRAME * t->frames;
	uint64_t wanted[LEAVES_PER_FRAME];
	double begun = arc_trial_now();
	int err;

	arc_fnv_leaves(t->raw, ARC_TRIAL_FRAME, wanted);
	*ret_cpu = (double)ARC_TRIAL_FRAME * t->threads /
		   (arc_trial_now() - begun);
	for (size_t i = 0; i < n; i++)
		leaf[i] = (struct arc_span){ t->raw + i % LEAVES_PER_FRAME *
							      ARC_FNV_LEAF,
					     ARC_FNV_LEAF };
	err = arc_device_hasher_run(h, leaf, LEAVES_PER_FRAME, hash);
	if (!err && memcmp(hash, wanted, sizeof(wanted)) != 0)
		err = -EBADMSG;
	if (err)
		return err;
	begun = arc_trial_now();
	err = arc_device_hasher_run(h, leaf, n, hash);
	*ret_rate = (double)(ARC_TRIAL_FRAME * t->frames) /
		    (arc_trial_now() - begun);
	return err;
}

static int try_hashing(struct arc_trial *t, double *ret_rate, double *ret_cpu)
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
	static int (*const tries[ARC_GPU_WORKS])(struct arc_trial * t,
						 double *rate, double *cpu) = {
		[ARC_GPU_HASH] = try_hashing,
		[ARC_GPU_DECODE] = try_decoding,
	};
	struct arc_trial t = {
		.device = d,
		.threads = purpose->threads,
		.frames = arc_ocl_info(d->ocl)->cpu ? 1 : ARC_TRIAL_FRAMES,
	};
	int err;

	if (purpose->coding)
		t.coding = *purpose->coding;
	err = make_trial(&t);

	for (size_t i = 0; i < ARC_GPU_WORKS && !err; i++) {
		if (purpose->work[i] && i == ARC_GPU_ENCODE)
			err = d->encoder->try_it(&t, &ret_rate->work[i],
						 &ret_cpu->work[i]);
		else if (purpose->work[i])
			err = tries[i](&t, &ret_rate->work[i],
				       &ret_cpu->work[i]);
	}
	end_trial(&t);
	return err;
}
