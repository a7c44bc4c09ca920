/* SPDX-License-Identifier: MIT */
/*
 * stages - what the stages of a run have taken: time, processors, files, bytes.
 * One stage follows the other, so what all threads do meanwhile is the stage's.
 *
 *	|--- scan ---|   |-- dedup --|--------- pack ---------|- index -|
 *	             devices are chosen: no stage, but part of the whole
 *
 * Threads: one owner begins and ends stages. What is looked at are counters
 * of the run and of the system.
 */
#ifndef MK_STAGES_H
#define MK_STAGES_H

#include <stdint.h>

struct mk_run;

enum mk_stage {
	MK_STAGE_SCAN,
	MK_STAGE_DEDUP,
	MK_STAGE_ORDER,
	MK_STAGE_PACK,
	MK_STAGE_INDEX,
	MK_STAGE_VERIFY,
	MK_STAGE_REMOVE,
	MK_STAGES
};

/* What was used up to a moment, or from one to another. */
struct mk_usage {
	double wall; /* seconds */
	double cpu; /* seconds of all threads, the system's for them included */
	uint64_t files; /* looked at, opened, or written down */
	uint64_t read; /* bytes of files */
	uint64_t written; /* bytes of volumes */
	uint64_t disk_read; /* bytes that came from a disk, not from memory */
	uint64_t disk_written; /* bytes handed to a disk, lists included */
};

struct mk_stages {
	struct mk_usage run; /* at the beginning */
	struct mk_usage begun; /* at that of the stage */
	int stage; /* enum mk_stage, -1: none */
	struct mk_usage of[MK_STAGES];
	unsigned readers; /* threads that read small files ahead, in the end */
};

/* The run begins. */
void mk_stages_start(struct mk_run *run);

/* A stage begins, and the one before it ends; the progress line follows. */
void mk_stages_begin(struct mk_run *run, enum mk_stage stage);
void mk_stages_end(struct mk_run *run); /* there need be none */

/* From the beginning of the run to now. */
struct mk_usage mk_stages_all(const struct mk_run *run);

const char *mk_stage_name(enum mk_stage stage);

/* Percent of so many cores that were at work; bytes in MB (2^20) a second. */
double mk_usage_percent(const struct mk_usage *u, unsigned cores);
double mk_usage_speed(const struct mk_usage *u, uint64_t bytes);

/* The largest memory the process has had in use, in bytes. */
uint64_t mk_peak_memory(void);

#endif
