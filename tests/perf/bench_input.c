/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <fts.h>
#include <sys/stat.h>

#include "bench_input.h"

#define READ_SIZE ((size_t)1 << 20)

static void close_walk(FTS *walk)
{
	if (walk)
		fts_close(walk);
}
ARC_DEFINE_CLEANUP(FTS, close_walk)

void bench_input_fini(struct bench_input *input)
{
	free(input->name);
	arc_buf_fini(&input->bytes);
}

static int complain(struct arc_diag *diag, const char *path, int err)
{
	arc_say(diag, ARC_ERROR, "%s: %s", path, arc_error_text(err));
	return err;
}

/* Appends the file at path, but nothing after max bytes in all. */
static int append_file(const char *path, uint64_t max, struct arc_diag *diag,
		       struct arc_buf *bytes)
{
	arc_cleanup(arc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return complain(diag, path, -errno);
	while (bytes->n < max) {
		size_t room = (size_t)ARC_MIN(max - bytes->n, READ_SIZE);
		ssize_t got;

		if (arc_buf_reserve(bytes, room) < 0)
			return complain(diag, path, -ENOMEM);
		got = read(fd, bytes->p + bytes->n, room);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return complain(diag, path, -errno);
		if (got == 0)
			break;
		bytes->n += (size_t)got;
	}
	return 0;
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int append_folder(const char *path, uint64_t max, struct arc_diag *diag,
			 struct arc_buf *bytes)
{
	arc_cleanup(arc_freep) char *root = strdup(path);
	char *roots[] = { root, NULL };
	arc_cleanup(close_walkp) FTS *walk = NULL;
	FTSENT *e;

	if (root)
		walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR,
				compare_names);
	if (!walk)
		return complain(diag, path, -errno);
	while (bytes->n < max && (errno = 0, e = fts_read(walk))) {
		int err = 0;

		if (e->fts_info == FTS_F)
			err = append_file(e->fts_path, max, diag, bytes);
		else if (e->fts_info == FTS_DNR || e->fts_info == FTS_ERR ||
			 e->fts_info == FTS_NS)
			err = complain(diag, e->fts_path, -e->fts_errno);
		if (err < 0)
			return err;
	}
	return errno && bytes->n < max ? complain(diag, path, -errno) : 0;
}

static bool is_elf(const char *path)
{
	arc_cleanup(arc_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	char magic[4];

	return fd >= 0 && read(fd, magic, sizeof(magic)) == sizeof(magic) &&
	       memcmp(magic, "\177ELF", sizeof(magic)) == 0;
}

static int append_elf(char *const *roots, uint64_t max, struct arc_diag *diag,
		      struct arc_buf *bytes)
{
	arc_cleanup(close_walkp) FTS *walk =
		fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, compare_names);
	FTSENT *e;
	int err = 0;

	if (!walk)
		return complain(diag, roots[0], -errno);
	while (!err && bytes->n < max && (e = fts_read(walk))) {
		if (e->fts_info == FTS_F && is_elf(e->fts_path))
			err = append_file(e->fts_path, max, diag, bytes);
	}
	return err;
}

/* The last part of a path, or all of it where that would say nothing, so that
 * it can be shown. */
static char *name_of(const char *path)
{
	size_t n = strlen(path);
	size_t start;
	char *name;

	while (n > 0 && path[n - 1] == '/')
		n--;
	for (start = n; start > 0 && path[start - 1] != '/';)
		start--;
	if (n == start || path[n - 1] == '.') {
		start = 0;
		n = strlen(path);
	}
	n -= start;
	name = malloc(4 * n + 1); /* each byte may become \xNN */
	return name ? arc_escape(path + start, n, name, 4 * n + 1) : NULL;
}

int bench_input_read(const char *path, uint64_t max, struct arc_diag *diag,
		     struct bench_input *ret)
{
	struct bench_input input = { .name = name_of(path) };
	struct stat st;
	int err;

	if (!input.name)
		err = complain(diag, path, -ENOMEM);
	else if (stat(path, &st) < 0)
		err = complain(diag, path, -errno);
	else if (S_ISDIR(st.st_mode))
		err = append_folder(path, max, diag, &input.bytes);
	else
		err = append_file(path, UINT64_MAX, diag, &input.bytes);
	if (err == 0 && input.bytes.n == 0) {
		arc_say(diag, ARC_ERROR, "%s: has no bytes to measure", path);
		err = -EINVAL;
	}
	if (err < 0) {
		bench_input_fini(&input);
		return err;
	}
	*ret = input;
	return 0;
}

int bench_input_read_elf(const char *name, char *const *roots, uint64_t max,
			 struct arc_diag *diag, struct bench_input *ret)
{
	struct bench_input input = { .name = strdup(name) };
	int err = input.name ? append_elf(roots, max, diag, &input.bytes)
			     : complain(diag, name, -ENOMEM);

	if (!err && input.bytes.n == 0) {
		arc_say(diag, ARC_ERROR, "%s: there are none", name);
		err = -ENOENT;
	}
	if (err) {
		bench_input_fini(&input);
		return err;
	}
	*ret = input;
	return 0;
}

int bench_input_make(const struct bench_sample *sample, size_t n,
		     struct arc_diag *diag, struct bench_input *ret)
{
	struct bench_input input = { .name = strdup(sample->name) };

	if (!input.name || arc_buf_reserve(&input.bytes, n) < 0) {
		bench_input_fini(&input);
		return complain(diag, sample->name, -ENOMEM);
	}
	sample->make(input.bytes.p, n);
	input.bytes.n = n;
	*ret = input;
	return 0;
}
