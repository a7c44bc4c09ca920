/* SPDX-License-Identifier: MIT */
/*
 * device_lane - what the lanes of devices have in common: engine_device.c.
 * engine_decode.c, engine_encode.c and engine_hash.c do the work. A lane works
 * on copies of the jobs, so that one that hangs and comes back touches nothing
 * of theirs.
 */
#ifndef ARC_DEVICE_LANE_H
#define ARC_DEVICE_LANE_H

#include "device.h"
#include "engine_i.h"

struct arc_device_lane {
	struct arc_worker worker;
	struct arc_device *device;
	unsigned threads; /* for what the host has to do */
	unsigned batch; /* jobs at once that there is memory for */
	unsigned now; /* that it takes, as long as launches have been */
	bool obeys; /* takes as many as it was told, however long they take */
	size_t frame_max; /* bytes, whole segments */
	double share; /* of the jobs at hand */
	size_t block; /* bytes of what it lends, for each job; 0: nothing */
	struct arc_ocl_pinned *lent; /* until the engine has it; or NULL */
	bool wrong; /* a result was */
};

/* Makes a lane ready: takes the memory for `batch` jobs. -ENOMEM: for so many
 * there is none. */
typedef int (*arc_lane_make)(struct arc_device_lane *l);

/* Fills in all but ops. work: what for; times: how many times its size a
 * frame takes of the device's memory. */
void arc_device_lane_init(struct arc_device_lane *l,
			  const struct arc_engine_params *params, unsigned i,
			  enum arc_gpu_work work, unsigned times);

/* make(), with half as many jobs as long as memory is short. Then memory to be
 * lent, if there is some. */
int arc_device_lane_prepare(struct arc_device_lane *l, arc_lane_make make);

/* How many of n jobs at hand are for this lane: 1 to n. */
unsigned arc_device_lane_takes(const struct arc_device_lane *l, unsigned n);

/*
 * Takes half as many from now on, if the longest launch for n jobs took more
 * than 50 ms; or one more, if that promises to be no longer. launch_ns: by the
 * device's clock; where it does not tell, all since `begun` counts. Nothing of
 * a result depends on how many are done at once.
 */
void arc_device_lane_learn(struct arc_device_lane *l, unsigned n,
			   uint64_t launch_ns, double begun);

/* For the table of ops. */
void arc_device_lane_lend(struct arc_worker *worker,
			  struct arc_staging *staging);
void arc_device_lane_why(struct arc_worker *worker, char *out, size_t cap);
void arc_device_lane_abandon(struct arc_worker *worker);

/* Frees the lane by end(l), which may hang. */
void arc_device_lane_free(struct arc_device_lane *l, int (*end)(void *l));

/* For end(): memory to be lent that the engine has never got. */
void arc_device_lane_end(struct arc_device_lane *l);

int arc_lane_decode_new(const struct arc_engine_params *params, unsigned i,
			struct arc_device_lane **ret);
int arc_lane_hash_new(const struct arc_engine_params *params, unsigned i,
		      struct arc_device_lane **ret);

#endif
