/* SPDX-License-Identifier: MIT */
/*
 * engine - who does the work on frames, encoding and decoding them, and on what
 * may be equal, hashing it: the CPU's threads, and the devices that were chosen
 * (gpu.h). All of them take jobs from one queue, a device many at once.
 *
 *	submit --> queue --> CPU thread, CPU thread, ...
 *	                 \-> device: lane, lane  (a failed one: back to queue)
 *
 * A job's result does not depend on who does it. A device that fails, hangs or
 * gives a wrong result is retired with one message, and its jobs are done by
 * the others; without `fallback` they fail with -EIO instead.
 *
 * Decoding of one group is done inline by the calling thread (see cache.h):
 * a batch of one on the CPU has no queue hop.
 *
 * Threads: any thread submits and waits; the engine's own threads work.
 */
#ifndef ARC_ENGINE_H
#define ARC_ENGINE_H

#include "record.h"

/* One frame to encode. */
struct arc_encode_job {
	struct arc_span in; /* raw frame */
	uint64_t number; /* of the frame */
	struct arc_segset named; /* as arc_record_encode_named() has it */
	uint8_t *out; /* arc_record_bound(in.n) bytes, and ARC_DECODE_SLACK
		       * more that can be read */

	struct arc_record_info info; /* result */
};

/* Some segments of a frame to decode. */
struct arc_decode_job {
	const struct arc_record *record;
	const uint8_t *payload; /* the stored bytes of segment s are at
				 * payload + segment[s].offset, and
				 * ARC_DECODE_SLACK more can be read; of others
				 * than those of `set` there need be none */
	struct arc_segset set; /* what is decoded: with all that it needs */
	struct arc_segset want; /* those of the set that are handed out */
	uint8_t *const *groups; /* where to, as arc_record_decode_segment() has
				 * it; has room for all of the set, and nothing
				 * is known afterwards of what is not wanted, or
				 * bad */

	bool pinned; /* the engine's: the device that does it takes the payload
		      * from where it is */

	struct arc_segset bad; /* result: wanted ones that are not right */
};

/*
 * Some leaves of the duplicate hash (hash.h). Of what a device gives, one in
 * each job is compared with the CPU's: the hash proposes duplicates and nothing
 * else, so that a wrong one loses some space, and never data.
 */
struct arc_hash_job {
	const struct arc_span *leaf; /* none longer than ARC_FNV_LEAF */
	uint32_t n; /* up to ARC_HASH_JOB_LEAVES */
	uint64_t *hash; /* result: arc_fnv1a() of each */
};

#define ARC_HASH_JOB_LEAVES 32

enum arc_job_kind { ARC_JOB_ENCODE, ARC_JOB_DECODE, ARC_JOB_HASH };

/* What it points to is borrowed until it is done. */
struct arc_job {
	enum arc_job_kind kind;
	union {
		struct arc_encode_job encode;
		struct arc_decode_job decode;
		struct arc_hash_job hash;
	};

	/* Results, valid after arc_engine_wait(). */
	int err; /* 0 or negative errno: -ENOMEM, -EOPNOTSUPP, -EIO */
	bool by_device;
	bool begins_batch; /* the first of those that were done at once */

	/* The engine's. */
	struct arc_job *next;
	unsigned staged; /* lies in memory lent of that device, from 1 on; 0: of
			  * none */
	bool done;
};

struct arc_device;

struct arc_engine_params {
	enum arc_job_kind work; /* what it is for: all that devices do. The CPU
				 * decodes and hashes in any case */
	unsigned threads; /* of the CPU, at least 1 */
	const struct arc_record_params *record; /* how frames are encoded; NULL:
						 * none are */
	struct arc_diag *diag; /* may be NULL */

	struct arc_device *const *device; /* chosen ones, in use meanwhile */
	unsigned devices;
	bool devices_only; /* the CPU has work only when no device is left */
	bool no_fallback;
	size_t frame_max; /* bytes of the largest frame; 0: ARC_FRAME_MAX */
	unsigned batch; /* jobs a device takes at once at most; 0: what its
			 * memory and the time of launches allow, and
			 * batch_max */
	unsigned batch_max; /* 0: 16 */
	unsigned deadline_ms; /* for one batch on a device; 0: 20 seconds */
	unsigned waiting; /* batches that may wait to be taken; 0: what is
			   * worked on, and two jobs more */
};

struct arc_engine;

/* Borrows what params points to. */
int arc_engine_new(const struct arc_engine_params *params,
		   struct arc_engine **ret);

/*
 * Hands the job over. Never blocks longer than until somebody takes work, when
 * as many jobs are queued as may wait.
 */
void arc_engine_submit(struct arc_engine *e, struct arc_job *job);

/* Jobs that should be under way for everybody to have work. */
unsigned arc_engine_depth(const struct arc_engine *e);

/*
 * Lends memory for n bytes that a job is going to be made of: a frame, or a
 * payload with the slack behind it. It is pinned memory of a device, which takes
 * the bytes from there without a copy, as long as there is some, and plain
 * memory otherwise; so a reader reads into it, and nothing else is different.
 * It stays as it is until it is given back, even if the device is retired and
 * the CPU does the job. NULL: no memory.
 */
uint8_t *arc_engine_lend(struct arc_engine *e, size_t n);

/* When jobs made of it are done, and before the engine is freed. Accepts NULL. */
void arc_engine_give_back(struct arc_engine *e, uint8_t *p);

/* Jobs in a batch: what is taken at once by who takes most. */
unsigned arc_engine_batch(const struct arc_engine *e);

/* Returns when the job is done; look at job->err then. */
void arc_engine_wait(struct arc_engine *e, struct arc_job *job);

/* Whether some device has not been retired. */
bool arc_engine_has_devices(struct arc_engine *e);

/* Whether the i-th device has been, and should not be used any more. */
bool arc_engine_is_retired(struct arc_engine *e, unsigned i);

/* Whether devices can decode a record at all; jobs with others are for the
 * CPU. */
bool arc_engine_devices_decode(const struct arc_record *r);

/* No job may be under way. Accepts NULL. */
void arc_engine_free(struct arc_engine *e);
ARC_DEFINE_CLEANUP(struct arc_engine, arc_engine_free)

#endif
