/* SPDX-License-Identifier: MIT */
/*
 * Reading directories. A position is the number of the entry to come next: 0
 * is ".", 1 is "..", then the archive's entries; so there is no state between
 * requests and nothing to open.
 *
 * Entries that cannot be read because of damage are skipped, so that they hide
 * no others; the position remembers that in SKIPPED, and the directory then
 * ends with EIO, so that nobody takes the list for complete.
 *
 * The kernel asks for attributes with the names (readdirplus) at the beginning
 * of every directory. They save a lookup for each file to those who go on to
 * look at the files (find -ls, cp, du), and cost everybody else an inode in
 * the kernel for each name (find -name, ls). So a number of names has them on
 * credit, which is renewed when they turn out to be of use: one list in PROBE
 * has none, and somebody then looks up files of it. Without credit attributes
 * are those of subdirectories alone, which every walk needs. Those who list may
 * be far ahead of those who look up (find | xargs): so the credit is large.
 */
#include <string.h>
#include <sys/stat.h>

#include "ops_i.h"

#define SKIPPED ((uint64_t)1 << 62)

/* Damaged entries passed over for one request: each costs a failed read. */
#define SKIP_MAX 65536

#define CREDIT 65536 /* names */
#define PROBE 64

/* A listing under way. */
struct listing {
	fuse_req_t req;
	struct arcfs *fs;
	struct arc_inode dir;
	bool plus; /* in the form of readdirplus ... */
	bool attributes; /* ... and filled in */
	bool skipped; /* damage was met, now or before */
	char *buf;
	size_t n; /* bytes used */
	size_t cap;
};

void arcfs_op_opendir(fuse_req_t req, fuse_ino_t ino __attribute__((unused)),
		      struct fuse_file_info *fi)
{
	ARCFS_MEASURE(req, OPENDIR);
	struct arcfs *fs = arcfs_of(req);

	if (fs->no_opendir) {
		fuse_reply_err(req, ENOSYS);
		return;
	}
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	fuse_reply_open(req, fi);
}

void arcfs_dir_used(struct arcfs *fs, fuse_ino_t dir)
{
	if (__atomic_load_n(&fs->listed[dir % ARCFS_LISTED],
			    __ATOMIC_RELAXED) == dir)
		__atomic_store_n(&fs->credit, CREDIT, __ATOMIC_RELAXED);
}

/* Whether a list that begins now is to have attributes. */
static bool attributes_pay(struct arcfs *fs, fuse_ino_t dir)
{
	int credit = __atomic_load_n(&fs->credit, __ATOMIC_RELAXED);
	unsigned lists = __atomic_add_fetch(&fs->lists, 1, __ATOMIC_RELAXED);

	if (credit > 0 && lists % PROBE != 0)
		return true;
	__atomic_store_n(&fs->listed[dir % ARCFS_LISTED], dir,
			 __ATOMIC_RELAXED);
	return false;
}

/* Adds one entry with what follows it; false when there is no room. */
static bool add(struct listing *l, const char *name,
		const struct fuse_entry_param *e, uint64_t next)
{
	uint64_t pos = next | (l->skipped ? SKIPPED : 0);
	size_t room = l->cap - l->n;
	size_t n;

	if (l->plus)
		n = fuse_add_direntry_plus(l->req, l->buf + l->n, room, name, e,
					   (off_t)pos);
	else
		n = fuse_add_direntry(l->req, l->buf + l->n, room, name,
				      &e->attr, (off_t)pos);
	if (n > room)
		return false;
	l->n += n;
	return true;
}

/* A name with number and type only: the kernel asks for the rest if needed. */
static void bare_entry(const struct arcfs *fs, uint64_t ino, uint32_t type,
		       struct fuse_entry_param *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->attr.st_ino = arcfs_show(fs, ino);
	ret->attr.st_mode = type;
}

static bool add_dots(struct listing *l, uint64_t *pos)
{
	struct arcfs *fs = l->fs;
	uint64_t up = l->dir.ino == fs->root ? fs->root : l->dir.parent;
	struct fuse_entry_param e;

	if (*pos == 0) {
		bare_entry(fs, l->dir.ino, S_IFDIR, &e);
		if (!add(l, ".", &e, 1))
			return false;
		*pos = 1;
	}
	if (*pos == 1) {
		bare_entry(fs, up, S_IFDIR, &e);
		if (!add(l, "..", &e, 2))
			return false;
		*pos = 2;
	}
	return true;
}

static bool add_entry(struct listing *l, const struct arc_dirent *entry,
		      uint64_t next)
{
	bool filled = l->attributes || (l->plus && S_ISDIR(entry->type));
	struct fuse_entry_param e;

	if (l->attributes)
		__atomic_fetch_sub(&l->fs->credit, 1, __ATOMIC_RELAXED);
	if (!filled || arcfs_entry(l->fs, entry->ino, entry->share, &e) < 0)
		bare_entry(l->fs, l->fs->shared ? entry->share : entry->ino,
			   entry->type, &e);
	return add(l, entry->name, &e, next);
}

/* Fills the buffer from position pos on; 0, or -EIO at an end with damage. */
static int fill(struct listing *l, uint64_t pos)
{
	struct arc_dirent entry;
	unsigned skips = 0;
	int err = 0;

	if (!add_dots(l, &pos))
		return 0;
	while (skips < SKIP_MAX) {
		err = arc_index_entry(l->fs->index, &l->dir, pos - 2, &entry);
		if (err == -ENOENT)
			break;
		if (err == -ENOMEM)
			return l->n ? 0 : err;
		pos++;
		if (err) {
			l->skipped = true;
			skips++;
		} else if (!add_entry(l, &entry, pos)) {
			return 0;
		}
	}
	return l->n == 0 && l->skipped ? -EIO : 0;
}

static void list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		 bool plus)
{
	struct listing l = { .req = req, .fs = arcfs_of(req), .plus = plus };
	arc_cleanup(arc_freep) char *buf = NULL;
	uint64_t pos = (uint64_t)off;
	int err;

	size = ARC_MIN(size, (size_t)ARC_MIB);
	buf = malloc(size);
	err = buf ? arcfs_inode(l.fs, ino, &l.dir) : -ENOMEM;
	if (!err && !S_ISDIR(l.dir.mode))
		err = -ENOTDIR;
	if (!err && off < 0)
		err = -EINVAL;
	if (!err) {
		l.buf = buf;
		l.cap = size;
		l.skipped = pos & SKIPPED;
		l.attributes = plus && (pos > 0 || attributes_pay(l.fs, ino));
		err = fill(&l, pos & ~SKIPPED);
	}
	if (err)
		arcfs_fail(req, err);
	else
		fuse_reply_buf(req, buf, l.n);
}

void arcfs_op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
		      struct fuse_file_info *fi __attribute__((unused)))
{
	ARCFS_MEASURE(req, READDIR);

	list(req, ino, size, off, false);
}

void arcfs_op_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size,
			  off_t off,
			  struct fuse_file_info *fi __attribute__((unused)))
{
	ARCFS_MEASURE(req, READDIRPLUS);

	list(req, ino, size, off, true);
}
