/* SPDX-License-Identifier: MIT */
/*
 * The volumes of an earlier run. They are taken for what they should be: one
 * behind the other from 1 on, finished, and at most one behind them that was
 * begun. Where one is missing it may have been carried away, as finished
 * volumes may be; then nothing is made anew behind the back of whoever has it.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "volsink_path_i.h"

static struct mk_found_volume found_at(const struct arc_buf *found, size_t i)
{
	struct mk_found_volume f;

	memcpy(&f, found->p + i * sizeof(f), sizeof(f));
	return f;
}

static size_t count_found(const struct arc_buf *found)
{
	return found->n / sizeof(struct mk_found_volume);
}

/* ---- looking ------------------------------------------------------------ */

/* A volume as it is, for reading; -errno, nothing said. */
static int open_old(const struct mk_path_sink *ps, uint32_t number, bool part)
{
	char name[NAME_MAX + 1];
	arc_cleanup(arc_closep) int fd = -1;
	struct stat st;

	mk_path_volume_name(ps, number, part, name);
	fd = openat(ps->dir, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	return S_ISREG(st.st_mode) ? arc_steal_fd(&fd) : -EINVAL;
}

/* Whether a volume with its final name is the last of a complete set. */
static int look_for_footer(struct mk_path_sink *ps, uint32_t number)
{
	arc_cleanup(arc_store_closep) struct arc_store *store = NULL;
	struct arc_disk_footer foot;
	uint64_t size;
	int fd = open_old(ps, number, false);
	int r = fd < 0 ? fd : mk_path_store(ps, number, false, fd, &store);

	if (r >= 0)
		r = arc_store_size(store, &size);
	if (r < 0)
		return mk_path_say(ps, "opening", number, false, r);
	if (size < sizeof(foot))
		return 0;
	r = arc_store_read(store, &foot, sizeof(foot), size - sizeof(foot));
	if (r < 0)
		return mk_path_say(ps, "reading", number, false, r);
	r = arc_format_check_footer(&foot);
	/* One of a newer version is complete as well. */
	if ((r < 0 && r != -EOPNOTSUPP) || arc_get32(foot.volumes) != number)
		return 0;
	ps->old_complete = true;
	memcpy(ps->old_id, foot.id, sizeof(ps->old_id));
	return 0;
}

/* The highest finished volume decides whether the set is complete. */
static int look_for_end(struct mk_path_sink *ps, const struct arc_buf *found)
{
	for (size_t i = 0; i < count_found(found); i++) {
		struct mk_found_volume f = found_at(found, i);

		if (!f.part)
			return look_for_footer(ps, f.number);
	}
	return 0;
}

static int refuse_gap(const struct mk_path_sink *ps, uint32_t number,
		      struct mk_found_volume f)
{
	char missing[NAME_MAX + 1], name[NAME_MAX + 1];

	mk_path_volume_name(ps, number, false, missing);
	mk_path_volume_name(ps, f.number, f.part, name);
	arc_say(ps->diag, ARC_ERROR,
		"%s%s cannot be used, as %s is missing: bring that back for "
		"--resume, or use --force to make all anew",
		ps->dir_name, name, missing);
	return -ENOMEDIUM;
}

static int refuse_part(const struct mk_path_sink *ps, uint32_t number)
{
	char name[NAME_MAX + 1];

	mk_path_volume_name(ps, number, true, name);
	arc_say(ps->diag, ARC_ERROR,
		"%s%s is there although that volume is finished: remove one of "
		"them for --resume, or use --force to make all anew",
		ps->dir_name, name);
	return -EEXIST;
}

/* From the first volume on, which stands at the end of the list, and of two of
 * one number the unfinished one: finished ones, then perhaps one that is not. */
static int count_old(struct mk_path_sink *ps, const struct arc_buf *found)
{
	for (size_t i = count_found(found); i-- > 0;) {
		struct mk_found_volume f = found_at(found, i);
		uint32_t next = ps->old + 1;

		if (ps->old_part && f.number == next)
			return refuse_part(ps, f.number);
		if (ps->old_part || f.number > next)
			return refuse_gap(ps, next, f);
		ps->old_part = f.part;
		ps->old += !f.part;
	}
	return 0;
}

static int lock_first(struct mk_path_sink *ps)
{
	bool part = !ps->old;
	arc_cleanup(arc_closep) int fd = open_old(ps, 1, part);

	if (fd < 0)
		return mk_path_say(ps, "opening", 1, part, fd);
	mk_path_lock(ps, fd);
	return 0;
}

int mk_path_find_old(struct mk_path_sink *ps)
{
	arc_cleanup(arc_buf_fini) struct arc_buf found = { 0 };
	int made = mk_making_lock(ps->making);
	int r = made < 0 ? made : mk_path_find_set(ps, &found);

	if (r >= 0)
		r = look_for_end(ps, &found);
	if (r < 0 || !found.n)
		return r;
	if (ps->old_complete) /* only its last act was left to be done */
		return mk_making_remove(ps->making);
	if (!made) {
		arc_say(ps->diag, ARC_ERROR,
			"%s%s%s is missing, so nothing is known of how this "
			"set was made: it cannot be resumed; --force makes it "
			"anew",
			ps->dir_name, ps->base, MK_MAKING_SUFFIX);
		return -ENOENT;
	}
	r = count_old(ps, &found);
	return r < 0 ? r : lock_first(ps);
}

/* ---- using -------------------------------------------------------------- */

int mk_path_adopt(void *ctx, uint32_t number, struct arc_store **ret,
		  bool *ret_complete)
{
	struct mk_path_sink *ps = ctx;
	bool complete = number <= ps->old;
	int fd, r;

	if (number > ps->old + ps->old_part)
		return -ENOENT;
	fd = open_old(ps, number, !complete);
	if (fd == -ENOENT) /* somebody has taken it away meanwhile */
		return -ENOENT;
	if (fd < 0)
		return mk_path_say(ps, "opening", number, !complete, fd);
	r = mk_path_store(ps, number, !complete, fd, ret);
	if (r >= 0)
		*ret_complete = complete;
	return r;
}

/* The volumes of the earlier run from `number` on, the last one first: what is
 * left of a removal that was interrupted can be resumed. What has come since is
 * somebody else's, and stays. */
static int remove_from(const struct mk_path_sink *ps, uint32_t number)
{
	char name[NAME_MAX + 1];

	for (uint32_t n = ps->old + ps->old_part; n >= number; n--) {
		bool part = n > ps->old;

		mk_path_volume_name(ps, n, part, name);
		if (unlinkat(ps->dir, name, 0) < 0 && errno != ENOENT)
			return mk_path_say(ps, "removing", n, part, -errno);
	}
	return 0;
}

int mk_path_reopen(void *ctx, uint32_t number, uint64_t n,
		   struct arc_store **ret)
{
	struct mk_path_sink *ps = ctx;
	arc_cleanup(arc_closep) int fd = -1;
	char name[NAME_MAX + 1];
	int r = remove_from(ps, n ? number + 1 : number);

	if (r < 0)
		return r;
	if (!n)
		return mk_path_create(ps, number, ret);
	if (number <= ps->old) {
		r = mk_path_rename(ps, number, true);
		if (r < 0)
			return r;
	}
	mk_path_volume_name(ps, number, true, name);
	fd = openat(ps->dir, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return mk_path_say(ps, "opening", number, true, -errno);
	if (ftruncate(fd, (off_t)n) < 0)
		return mk_path_say(ps, "cutting", number, true, -errno);
	return mk_path_store(ps, number, true, arc_steal_fd(&fd), ret);
}
