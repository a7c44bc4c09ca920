/* SPDX-License-Identifier: MIT */
/*
 * scratch - a folder that a test fills and throws away, with a run and a tree
 * to scan it into.
 */
#ifndef TEST_SCRATCH_H
#define TEST_SCRATCH_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scan.h"

struct scratch {
	char dir[64];
	int fd;
	int tmp; /* where temporary files go */
	struct mk_options opt;
	struct mk_run run;
	struct arc_diag diag;
	struct mk_tree tree;
	char said[1 << 16]; /* all messages, one a line */
};

static inline void scratch_sink(void *ctx, enum arc_level level,
				const char *text)
{
	struct scratch *s = ctx;
	size_t n = strlen(s->said);

	(void)level;
	snprintf(s->said + n, sizeof(s->said) - n, "%.200s\n", text);
}

/* Setup and teardown of cmocka. */
static inline int scratch_open(void **state)
{
	struct scratch *s = calloc(1, sizeof(*s));

	if (!s)
		return -1;
	snprintf(s->dir, sizeof(s->dir), "/tmp/scratch-XXXXXX");
	if (!mkdtemp(s->dir) || chmod(s->dir, 0755))
		return -1;
	s->fd = open(s->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	arc_diag_init(&s->diag, scratch_sink, s, ARC_DEBUG);
	s->opt.src = s->dir;
	s->opt.threads = 2;
	s->run.opt = &s->opt;
	s->run.diag = &s->diag;
	*state = s;
	return s->fd >= 0 && s->tmp >= 0 ? 0 : -1;
}

static inline int scratch_close(void **state)
{
	struct scratch *s = *state;
	char command[128];

	mk_tree_close(&s->tree);
	arc_diag_fini(&s->diag);
	close(s->tmp);
	close(s->fd);
	snprintf(command, sizeof(command), "rm -rf -- %s", s->dir);
	if (system(command))
		return -1;
	free(s);
	return 0;
}

/* Scans the folder again, from nothing. */
static inline int scratch_scan(struct scratch *s)
{
	mk_tree_close(&s->tree);
	memset(&s->run.stats, 0, sizeof(s->run.stats));
	s->said[0] = 0;
	assert_int_equal(mk_tree_open(&s->tree, s->tmp, true), 0);
	return mk_scan(&s->run, &s->tree, NULL);
}

static inline void scratch_dir(struct scratch *s, const char *name)
{
	assert_int_equal(mkdirat(s->fd, name, 0755), 0);
}

static inline void scratch_file(struct scratch *s, const char *name,
				const void *bytes, size_t n)
{
	int fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	close(fd);
}

/* The entry of a path, MK_NONE when there is none. */
static inline uint64_t scratch_find(const struct scratch *s, const char *path)
{
	struct arc_buf buf = { 0 };
	uint64_t found = MK_NONE;

	for (uint64_t i = 0; i < s->tree.entries.count; i++) {
		buf.n = 0;
		assert_int_equal(mk_tree_path(&s->tree, i, &buf), 0);
		if (strcmp((char *)buf.p, path) == 0)
			found = i;
	}
	arc_buf_fini(&buf);
	return found;
}

static inline struct mk_entry *scratch_entry(const struct scratch *s,
					     const char *path)
{
	uint64_t i = scratch_find(s, path);

	if (i == MK_NONE)
		fail_msg("no entry %s", path);
	return mk_tree_at(&s->tree, i);
}

#endif
