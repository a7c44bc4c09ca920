/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "volsink_path_i.h"

#define PART ".part"

/* ---- names -------------------------------------------------------------- */

void mk_path_volume_name(const struct mk_path_sink *ps, uint32_t number,
			 bool part, char out[NAME_MAX + 1])
{
	int r = arc_volume_name(ps->base, number, out, NAME_MAX + 1);

	assert(r >= 0); /* the length was checked when the sink was made */
	(void)r;
	if (part)
		strcat(out, PART);
}

int mk_path_say(const struct mk_path_sink *ps, const char *doing,
		uint32_t number, bool part, int err)
{
	char name[NAME_MAX + 1];

	mk_path_volume_name(ps, number, part, name);
	arc_say(ps->diag, ARC_ERROR, "%s %s%s: %s", doing, ps->dir_name, name,
		arc_error_text(err));
	return err;
}

/* name is a volume of this set, finished or not. */
static bool parse_name(const struct mk_path_sink *ps, const char *name,
		       struct mk_found_volume *ret)
{
	char stem[NAME_MAX + 1];
	size_t n = strlen(name);
	size_t base_n;
	size_t part_n = sizeof(PART) - 1;

	if (n > NAME_MAX)
		return false;
	memcpy(stem, name, n + 1);
	ret->part = n > part_n && strcmp(name + n - part_n, PART) == 0;
	if (ret->part)
		stem[n - part_n] = '\0';
	if (arc_volume_split(stem, &base_n, &ret->number) < 0)
		return false;
	return base_n == strlen(ps->base) &&
	       memcmp(stem, ps->base, base_n) == 0;
}

/* ---- a set that is there already ---------------------------------------- */

static int read_set(const struct mk_path_sink *ps, DIR *dir,
		    struct arc_buf *ret)
{
	const struct dirent *d;
	struct mk_found_volume f;
	int r;

	for (;;) {
		errno = 0;
		d = readdir(dir);
		if (!d)
			return -errno;
		if (!parse_name(ps, d->d_name, &f))
			continue;
		r = arc_buf_append(ret, &f, sizeof(f));
		if (r < 0)
			return r;
	}
}

static int later_first(const void *a, const void *b)
{
	const struct mk_found_volume *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? 1 : -1;
	return (int)x->part - (int)y->part;
}

int mk_path_find_set(const struct mk_path_sink *ps, struct arc_buf *ret)
{
	int fd = openat(ps->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int r = dir ? read_set(ps, dir, ret) : -errno;

	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	if (r < 0) {
		arc_say(ps->diag, ARC_ERROR, "listing the folder of %s%s: %s",
			ps->dir_name, ps->base, arc_error_text(r));
		return r;
	}
	if (ret->n)
		qsort(ret->p, ret->n / sizeof(struct mk_found_volume),
		      sizeof(struct mk_found_volume), later_first);
	return 0;
}

int mk_path_refuse_set(const struct mk_path_sink *ps)
{
	arc_cleanup(arc_buf_fini) struct arc_buf found = { 0 };
	char name[NAME_MAX + 1];
	struct mk_found_volume first;
	int r = mk_path_find_set(ps, &found);

	if (r >= 0 && !found.n)
		r = mk_making_lock(ps->making);
	if (r < 0 || !found.n)
		return ARC_MIN(r, 0);
	memcpy(&first, found.p + found.n - sizeof(first), sizeof(first));
	mk_path_volume_name(ps, first.number, first.part, name);
	if (mk_making_exists(ps->making))
		arc_say(ps->diag, ARC_ERROR,
			"%s%s exists, and its set is unfinished; use --resume "
			"to go on with it, --force to replace it",
			ps->dir_name, name);
	else
		arc_say(ps->diag, ARC_ERROR,
			"%s%s exists; use --force to replace the set",
			ps->dir_name, name);
	return -EEXIST;
}

/* Whoever writes a set holds a lock on its first volume, whatever that is
 * called meanwhile; file systems without locks go without. */
static bool is_locked(const struct mk_path_sink *ps, const char *name)
{
	arc_cleanup(arc_closep) int fd = openat(
		ps->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 &&
	       errno == EWOULDBLOCK;
}

/* Before anything is removed: whether all of it can be. */
static int check_removable(const struct mk_path_sink *ps,
			   const struct arc_buf *set)
{
	char name[NAME_MAX + 1];
	struct stat st;
	struct mk_found_volume f;

	for (size_t at = 0; at < set->n; at += sizeof(f)) {
		memcpy(&f, set->p + at, sizeof(f));
		mk_path_volume_name(ps, f.number, f.part, name);
		if (fstatat(ps->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			return mk_path_say(ps, "removing", f.number, f.part,
					   -EISDIR);
		if (f.number == 1 && is_locked(ps, name)) {
			arc_say(ps->diag, ARC_ERROR,
				"%s%s is being written by another mkarchive",
				ps->dir_name, name);
			return -EBUSY;
		}
	}
	return 0;
}

int mk_path_remove_set(const struct mk_path_sink *ps)
{
	arc_cleanup(arc_buf_fini) struct arc_buf found = { 0 };
	char name[NAME_MAX + 1];
	struct mk_found_volume f;
	int r = mk_making_lock(ps->making);

	if (r >= 0)
		r = mk_path_find_set(ps, &found);
	if (r >= 0)
		r = check_removable(ps, &found);
	for (size_t at = 0; r >= 0 && at < found.n; at += sizeof(f)) {
		memcpy(&f, found.p + at, sizeof(f));
		mk_path_volume_name(ps, f.number, f.part, name);
		if (unlinkat(ps->dir, name, 0) < 0 && errno != ENOENT)
			r = mk_path_say(ps, "removing", f.number, f.part,
					-errno);
	}
	return r;
}
