/* SPDX-License-Identifier: MIT */
/*
 * bench_input - what is measured: a file, the files of a folder, or bytes that
 * are made here, the same on every machine.
 *
 * Threads: pure.
 */
#ifndef BENCH_INPUT_H
#define BENCH_INPUT_H

#include "bytes.h"
#include "diag.h"

struct bench_input {
	char *name; /* last part of the path; printable UTF-8 */
	struct arc_buf bytes; /* at least one */
};

void bench_input_fini(struct bench_input *input);

/*
 * A file whole, or up to max bytes of the files of a folder: recursively, in
 * ascending order of the bytes of their names, symbolic links not followed.
 * Says what is wrong.
 */
int bench_input_read(const char *path, uint64_t max, struct arc_diag *diag,
		     struct bench_input *ret);

/* Up to max bytes of the programs and libraries (ELF files) of some folders,
 * looked through in the same way; roots ends with NULL. What cannot be read is
 * passed over. */
int bench_input_read_elf(const char *name, char *const *roots, uint64_t max,
			 struct arc_diag *diag, struct bench_input *ret);

/* ---- what is generated (bench_sample.c) --------------------------------- */

struct bench_sample {
	const char *name;
	void (*make)(uint8_t *p, size_t n);
};

/* The i-th one, NULL past the end. */
const struct bench_sample *bench_sample_at(unsigned i);

/* n bytes of a sample. */
int bench_input_make(const struct bench_sample *sample, size_t n,
		     struct arc_diag *diag, struct bench_input *ret);

#endif
