/* SPDX-License-Identifier: MIT */
/*
 * The lock lies on the file, and the file may have gone between opening and
 * locking it, when another run has just completed its set: what has no name any
 * more is no lock on anything.
 */
#include "making.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "bytes.h"
#include "identity.h"

#define FIRST_LINE                                                              \
	"# mkarchive is making this set, or was interrupted; --resume goes on " \
	"with it.\n"

/* No such file is longer. */
#define TEXT_MAX ((size_t)64 << 10)

struct mk_making {
	int dir;
	const char *shown;
	char name[NAME_MAX + 1];
	struct arc_diag *diag;
	int fd; /* of the file, locked; -1: none */
	bool right; /* it says what it should */
};

int mk_making_new(int dir, const char *shown, const char *base,
		  struct arc_diag *diag, struct mk_making **ret)
{
	arc_cleanup(mk_making_freep) struct mk_making *m =
		calloc(1, sizeof(*m));
	int n;

	if (!m)
		return -ENOMEM;
	m->dir = dir;
	m->shown = shown;
	m->diag = diag;
	m->fd = -1;
	n = snprintf(m->name, sizeof(m->name), "%s%s", base, MK_MAKING_SUFFIX);
	if (n < 0 || (size_t)n >= sizeof(m->name))
		return -ENAMETOOLONG;
	*ret = arc_steal(m);
	return 0;
}

static void let_go(struct mk_making *m)
{
	arc_closep(&m->fd);
	m->fd = -1;
	m->right = false;
}

void mk_making_free(struct mk_making *m)
{
	if (!m)
		return;
	let_go(m);
	free(m);
}

/* Says what went wrong with the file; returns err. */
static int say_file(const struct mk_making *m, const char *doing, int err)
{
	arc_say(m->diag, ARC_ERROR, "%s %s%s: %s", doing, m->shown, m->name,
		arc_error_text(err));
	return err;
}

bool mk_making_exists(const struct mk_making *m)
{
	return faccessat(m->dir, m->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int refuse_kind(const struct mk_making *m)
{
	arc_say(m->diag, ARC_ERROR, "%s%s is no regular file: remove it",
		m->shown, m->name);
	return -EINVAL;
}

/* Whether the open file may be one of ours: it begins as those do, as far as it
 * goes, or a loss of power has left zeros of it. Anything else is somebody's
 * who likes the same name. */
static int check_ours(const struct mk_making *m, int fd)
{
	static const char zeros[sizeof(FIRST_LINE)];
	char begin[sizeof(FIRST_LINE) - 1];
	ssize_t got;

	do {
		got = pread(fd, begin, sizeof(begin), 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return say_file(m, "reading", -errno);
	if (memcmp(begin, FIRST_LINE, (size_t)got) == 0 ||
	    memcmp(begin, zeros, (size_t)got) == 0)
		return 0;
	arc_say(m->diag, ARC_ERROR,
		"%s%s is no file of mkarchive, which needs that name: rename "
		"it, or give the archive another name",
		m->shown, m->name);
	return -EEXIST;
}

/* 1: open and locked; 0: it is not there, or not any more. */
static int open_locked(struct mk_making *m, int flags)
{
	arc_cleanup(arc_closep) int fd =
		openat(m->dir, m->name,
		       O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | flags,
		       0666);
	struct stat st;
	int r;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0 && errno == ELOOP)
		return refuse_kind(m);
	if (fd < 0)
		return say_file(m, "opening", -errno);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
		arc_say(m->diag, ARC_ERROR,
			"%s%s: the set is being written by another mkarchive",
			m->shown, m->name);
		return -EBUSY;
	}
	if (fstat(fd, &st) < 0)
		return say_file(m, "looking at", -errno);
	if (!S_ISREG(st.st_mode))
		return refuse_kind(m);
	if (!st.st_nlink)
		return 0;
	r = check_ours(m, fd);
	if (r < 0)
		return r;
	m->fd = arc_steal_fd(&fd);
	return 1;
}

int mk_making_lock(struct mk_making *m)
{
	return m->fd >= 0 ? 1 : open_locked(m, 0);
}

/* ---- what it says ------------------------------------------------------- */

static int read_text(struct mk_making *m, char **ret)
{
	arc_cleanup(arc_freep) char *text = malloc(TEXT_MAX + 1);
	ssize_t got;

	if (!text)
		return -ENOMEM;
	do {
		got = pread(m->fd, text, TEXT_MAX, 0);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return say_file(m, "reading", -errno);
	text[got] = '\0';
	*ret = arc_steal(text);
	return 0;
}

/* One line "key = value" of a text. */
struct line {
	struct arc_span key;
	struct arc_span value;
};

/* The next line at *at, which goes on; false: there is none. What is no such
 * line (a comment, the torn end of a file) is passed over. */
static bool next_line(const char **at, struct line *ret)
{
	static const char sign[] = " = ";

	while (**at) {
		const char *p = *at;
		const char *end = strchrnul(p, '\n');
		const char *mid = memmem(p, (size_t)(end - p), sign, 3);

		*at = *end ? end + 1 : end;
		if (*p == '#' || !mid || !*end)
			continue;
		ret->key = (struct arc_span){ (const uint8_t *)p,
					      (size_t)(mid - p) };
		mid += 3;
		ret->value = (struct arc_span){ (const uint8_t *)mid,
						(size_t)(end - mid) };
		return true;
	}
	return false;
}

static bool same(struct arc_span a, struct arc_span b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static bool is_word(struct arc_span s, const char *word)
{
	return s.n == strlen(word) && memcmp(s.p, word, s.n) == 0;
}

static bool find_key(const char *text, struct arc_span key, struct line *ret)
{
	while (next_line(&text, ret)) {
		if (same(ret->key, key))
			return true;
	}
	return false;
}

static void put_difference(FILE *f, struct arc_span key,
			   const struct line *there, const struct line *here)
{
	static const struct line none = { .value = { (const uint8_t *)"nothing",
						     7 } };
	const struct line *a = there ? there : &none;
	const struct line *b = here ? here : &none;

	if (ftell(f) > 0)
		fputs("; ", f);
	if (is_word(key, "build"))
		fputs("another build of mkarchive made it", f);
	else
		fprintf(f, "%.*s: %.*s there, %.*s here", (int)key.n, key.p,
			(int)a->value.n, a->value.p, (int)b->value.n,
			b->value.p);
}

/* What differs between two texts; nothing: they say the same. */
static int list_differences(const char *theirs, const char *ours, char **ret)
{
	arc_cleanup(arc_freep) char *text = NULL;
	struct line there, here;
	size_t n;
	const char *at = ours;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return -ENOMEM;
	while (next_line(&at, &here)) {
		bool known = find_key(theirs, here.key, &there);

		/* Nobody can tell builds apart that do not say who they are. */
		if (!known || !same(there.value, here.value) ||
		    (is_word(here.key, "build") &&
		     is_word(here.value, MK_BUILD_UNKNOWN)))
			put_difference(f, here.key, known ? &there : NULL,
				       &here);
	}
	at = theirs;
	while (next_line(&at, &there)) {
		if (!find_key(ours, there.key, &here))
			put_difference(f, there.key, &there, NULL);
	}
	if (fclose(f) != 0)
		return -ENOMEM;
	*ret = arc_steal(text);
	return 0;
}

int mk_making_compare(struct mk_making *m, const char *identity)
{
	arc_cleanup(arc_freep) char *theirs = NULL;
	arc_cleanup(arc_freep) char *differs = NULL;
	int r;

	assert(m->fd >= 0);
	r = read_text(m, &theirs);
	if (r >= 0)
		r = list_differences(theirs, identity, &differs);
	if (r < 0)
		return r;
	m->right = !*differs;
	if (m->right)
		return 0;
	arc_say(m->diag, ARC_ERROR,
		"%s%s: the set cannot be resumed (%s); --force makes it anew",
		m->shown, m->name, differs);
	return -EEXIST;
}

/* ---- writing ------------------------------------------------------------ */

static int write_text(struct mk_making *m, const char *identity, bool sync)
{
	arc_cleanup(arc_freep) char *text = NULL;
	ssize_t n, put;

	n = asprintf(&text, FIRST_LINE "%s", identity);
	if (n < 0) {
		text = NULL;
		return -ENOMEM;
	}
	if (ftruncate(m->fd, 0) < 0)
		return -errno;
	put = pwrite(m->fd, text, (size_t)n, 0);
	if (put < 0)
		return -errno;
	if (put != n)
		return -ENOSPC;
	if (!sync)
		return 0;
	if (fsync(m->fd) < 0)
		return -errno;
	return fsync(m->dir) < 0 && errno != EINVAL ? -errno : 0;
}

int mk_making_write(struct mk_making *m, const char *identity, bool sync)
{
	int r = 0;

	if (m->right)
		return 0;
	/* 0: another run has just removed the one that was there */
	while (m->fd < 0 && r == 0)
		r = open_locked(m, O_CREAT);
	if (r < 0)
		return r;
	r = write_text(m, identity, sync);
	m->right = r >= 0;
	if (r >= 0)
		return 0;
	say_file(m, "writing", r);
	mk_making_remove(m);
	return r;
}

int mk_making_remove(struct mk_making *m)
{
	int r = 0;

	if (m->fd < 0)
		return 0;
	if (unlinkat(m->dir, m->name, 0) < 0 && errno != ENOENT)
		r = say_file(m, "removing", -errno);
	let_go(m);
	return r;
}
