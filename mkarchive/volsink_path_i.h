/* SPDX-License-Identifier: MIT */
/*
 * volsink_path_i - what the files of the sink for a folder share:
 * volsink_path.c makes volumes, volsink_adopt.c takes over those of an earlier
 * run, volsink_set.c knows what volumes are called and which there are.
 *
 * Threads: one owner, but for mk_path_adopt().
 */
#ifndef MK_VOLSINK_PATH_I_H
#define MK_VOLSINK_PATH_I_H

#include <limits.h>

#include "making.h"
#include "volwrite.h"

struct mk_path_sink {
	int dir;
	char *dir_name; /* with a slash at its end, "" for the working one */
	char *base;
	enum mk_volume_mode mode; /* NEW, once an old set has been removed */
	int lock; /* the first volume, locked: this set is being written */
	struct arc_diag *diag;
	struct mk_making *making;
	char *identity; /* for it; NULL: there is to be none */
	bool sync;

	/* MK_VOLUMES_RESUME: what was found when the sink was made */
	uint32_t old; /* volumes with their final name, from 1 on */
	bool old_part; /* the one behind them has been begun */
	bool old_complete; /* the set: nothing may be written */
	uint8_t old_id[16]; /* of a complete one */
};

/* A volume of a set that is there. */
struct mk_found_volume {
	uint32_t number;
	bool part;
};

void mk_path_volume_name(const struct mk_path_sink *ps, uint32_t number,
			 bool part, char out[NAME_MAX + 1]);

/* Says what went wrong with a volume; returns err. */
int mk_path_say(const struct mk_path_sink *ps, const char *doing,
		uint32_t number, bool part, int err);

/* All volumes of the set, the last one first: struct mk_found_volume. */
int mk_path_find_set(const struct mk_path_sink *ps, struct arc_buf *ret);

/* -EEXIST and said where there is a set; else it may be made. */
int mk_path_refuse_set(const struct mk_path_sink *ps);

/* Removes the set, if all of it can be. The volume with the footer goes first:
 * what is left of a set whose removal was interrupted is no complete set. */
int mk_path_remove_set(const struct mk_path_sink *ps);

/* Gives a volume its final name, or (to_part) takes it away again. */
int mk_path_rename(const struct mk_path_sink *ps, uint32_t number,
		   bool to_part);

/* Makes a volume, and the file beside the set with the first. */
int mk_path_create(void *ctx, uint32_t number, struct arc_store **ret);

/* A store for the open file of a volume, which is taken, on failure too. */
int mk_path_store(struct mk_path_sink *ps, uint32_t number, bool part, int fd,
		  struct arc_store **ret);

/* Whoever writes a set holds a lock on its first volume. */
void mk_path_lock(struct mk_path_sink *ps, int fd);

/* Looks for what is to be resumed, and locks it. Says what is wrong. */
int mk_path_find_old(struct mk_path_sink *ps);

/* Of struct mk_volume_sink_ops. */
int mk_path_adopt(void *ctx, uint32_t number, struct arc_store **ret,
		  bool *ret_complete);
int mk_path_reopen(void *ctx, uint32_t number, uint64_t n,
		   struct arc_store **ret);

#endif
