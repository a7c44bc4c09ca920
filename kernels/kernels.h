/* SPDX-License-Identifier: MIT */
/*
 * kernels - the texts of the OpenCL kernels, carried in the program.
 *
 * Threads: immutable.
 */
#ifndef ARC_KERNELS_H
#define ARC_KERNELS_H

struct arc_kernel_source {
	const char *name; /* of its file, "hash.cl"; NULL ends the table */
	const char *text;
};

extern const struct arc_kernel_source arc_kernel_sources[];

#endif
