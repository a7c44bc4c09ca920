/* SPDX-License-Identifier: MIT */
/*
 * fs_options - the command line of arcfs: one table gives the parsing of -o
 * and its part of --help.
 *
 * Threads: frozen after arcfs_options_parse().
 */
#ifndef ARCFS_OPTIONS_H
#define ARCFS_OPTIONS_H

#include "gpu.h"

struct fuse_args;

struct arcfs_options {
	char *source; /* a volume, as given */
	char *mountpoint;
	char *subdir; /* NULL: the archive's root */
	size_t cache_size; /* 0: default */
	size_t index_cache_size; /* 0: default */
	unsigned tidy; /* seconds; 0: never */
	struct arc_config config; /* what threads and gpu come from */
	char *config_file; /* config=; NULL: where it is looked for */
	unsigned threads; /* most worker threads */
	struct arc_gpu_options gpu;
	bool shared; /* inodes=shared: duplicates as one inode */
	bool foreground;
	bool debug;
	bool set_uid, set_gid;
	uid_t uid;
	gid_t gid;
	mode_t umask; /* permission bits taken away */
};

/* Exit codes of arcfs; also in its manual. */
enum arcfs_exit {
	ARCFS_EXIT_OK = 0, /* in the background, or unmounted again */
	ARCFS_EXIT_FAILED = 1, /* could not be mounted */
	ARCFS_EXIT_USAGE = 2
};

/*
 * Parses args in place; what stays in them is for libfuse. Returns -1 to go
 * on, else the exit code (--help, --version, usage errors, which have been
 * explained on stderr).
 */
int arcfs_options_parse(struct fuse_args *args, struct arcfs_options *ret);
void arcfs_options_fini(struct arcfs_options *opt);

#endif
