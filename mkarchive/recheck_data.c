/* SPDX-License-Identifier: MIT */
/*
 * In the order of the stream, whatever the order of the names: so what is
 * decoded together is used together, and a budget of decoded data that is small
 * does. Duplicates come one after the other, since they lie in the same place.
 *
 * Holes are zeros, on either side: a hole of the archive must be zeros in the
 * source, of which only its data is read.
 */
#include <stdio.h>
#include <string.h>

#include "recheck_i.h"
#include "source.h"
#include "spool_sort.h"

#define CHUNK ((size_t)1 << 20) /* compared at once */
#define RANGE ((uint64_t)32 << 20) /* of the data of a large file */
#define EXTENTS_AT_ONCE 64
#define CLAIM 16 /* pieces that a thread takes at once */
#define WORKER_FDS 2

/* Answers of a comparison, beside 0 and negative errnos of the source. */
enum { DIFFERENT = 1, UNREADABLE = 2 };

struct comparing {
	struct mk_recheck *c;
	atomic_uint_fast64_t next; /* piece that nobody has taken */
};

struct worker {
	struct mk_recheck *c;
	struct mk_source *source;
	uint8_t *buf; /* CHUNK bytes */
	int err; /* what the archive answered when it was UNREADABLE */
};

/* ---- pieces -------------------------------------------------------------- */

/* The first run of data at or after off: 1, or 0 for none. */
static int find_data(struct mk_recheck *c, const struct arc_inode *inode,
		     uint64_t off, struct arc_extent *ret)
{
	if (off >= inode->size)
		return 0;
	return (int)arc_index_extents(c->index, inode, off, inode->size - off,
				      ret, 1);
}

/* Where the piece that begins at off ends: behind RANGE bytes or more, where
 * data begins, so that holes cost no pieces. */
static int find_end(struct mk_recheck *c, const struct arc_inode *inode,
		    const struct arc_extent *first, uint64_t *ret)
{
	struct arc_extent x;
	uint64_t cut;
	int r = 0;

	*ret = inode->size;
	if (inode->size <= 2 * RANGE || !arc_add_ok(first->file, RANGE, &cut))
		return 0;
	r = find_data(c, inode, cut, &x);
	if (r > 0)
		*ret = x.file;
	return r < 0 ? r : 0;
}

int mk_recheck_add_pieces(struct mk_recheck *c, uint64_t entry,
			  const struct arc_inode *inode)
{
	struct mk_piece piece = { .entry = entry };
	uint64_t row;
	int r = 0;

	while (r >= 0 && piece.off < inode->size) {
		struct arc_extent x = { .file = piece.off,
					.stream = ARC_STREAM_ZERO };

		r = find_data(c, inode, piece.off, &x);
		piece.stream = x.stream;
		if (r >= 0)
			r = find_end(c, inode, &x, &piece.end);
		if (r < 0) {
			mk_recheck_differs(c, entry,
					   "where its content lies cannot be "
					   "read from the archive");
			return r == -ENOMEM ? r : 0;
		}
		r = mk_spool_add(&c->pieces, 1, &row);
		if (r >= 0)
			memcpy(mk_spool_at(&c->pieces, row), &piece,
			       sizeof(piece));
		piece.off = piece.end;
	}
	return r;
}

static int by_place(const void *a, const void *b)
{
	const struct mk_piece *x = a, *y = b;

	if (x->stream != y->stream)
		return x->stream < y->stream ? -1 : 1;
	if (x->entry != y->entry)
		return x->entry < y->entry ? -1 : 1;
	return x->off < y->off ? -1 : x->off > y->off;
}

/* ---- comparing ----------------------------------------------------------- */

static bool all_zeros(const uint8_t *p, size_t n)
{
	return n == 0 || (*p == 0 && memcmp(p, p + 1, n - 1) == 0);
}

/* The source's data in [off, end) is zeros. */
static int compare_zeros(struct worker *w, int fd, uint64_t off, uint64_t end)
{
	while (off < end) {
		uint64_t at, stop;
		size_t n;
		ssize_t got;
		int r = mk_source_run(fd, off, end, &at, &stop);

		if (r == -ENXIO)
			return 0;
		if (r < 0)
			return r;
		n = (size_t)ARC_MIN(stop - at, CHUNK);
		got = mk_source_read(fd, w->buf, n, at);
		if (got < 0)
			return (int)got;
		if ((size_t)got < n || !all_zeros(w->buf, n))
			return DIFFERENT;
		off = at + n;
	}
	return 0;
}

static bool equals(const uint8_t *bytes, const struct arc_read *read)
{
	for (int i = 0; i < read->count; i++) {
		if (memcmp(bytes, read->iov[i].iov_base,
			   read->iov[i].iov_len) != 0)
			return false;
		bytes += read->iov[i].iov_len;
	}
	return true;
}

/* Reads from the source before anything is pinned: disks are slow. */
static int compare_chunk(struct worker *w, int fd,
			 const struct arc_inode *inode, uint64_t off, size_t n)
{
	struct arc_read read;
	ssize_t got = mk_source_read(fd, w->buf, n, off);
	bool same;
	int r;

	if (got < 0)
		return (int)got;
	if ((size_t)got < n)
		return DIFFERENT;
	r = arc_archive_read_begin(w->c->archive, inode, off, n, &read);
	if (r < 0) {
		w->err = r;
		return UNREADABLE;
	}
	same = read.n == n && equals(w->buf, &read);
	arc_archive_read_end(w->c->archive, &read);
	mk_count(&w->c->run->stats.verified_bytes, n);
	return same ? 0 : DIFFERENT;
}

static int compare_extent(struct worker *w, int fd,
			  const struct arc_inode *inode,
			  const struct arc_extent *x)
{
	uint64_t done = 0;
	int r = 0;

	while (r == 0 && done < x->len) {
		size_t n = (size_t)ARC_MIN(x->len - done, CHUNK);

		r = compare_chunk(w, fd, inode, x->file + done, n);
		done += n;
	}
	return r;
}

static int compare_range(struct worker *w, int fd,
			 const struct arc_inode *inode,
			 const struct mk_piece *p)
{
	struct arc_extent x[EXTENTS_AT_ONCE];
	uint64_t at = p->off;
	ssize_t n;
	int r = 0;

	do {
		n = arc_index_extents(w->c->index, inode, at, p->end - at, x,
				      EXTENTS_AT_ONCE);
		if (n < 0) {
			w->err = (int)n;
			return UNREADABLE;
		}
		for (ssize_t i = 0; r == 0 && i < n; i++) {
			r = compare_zeros(w, fd, at, x[i].file);
			if (r == 0)
				r = compare_extent(w, fd, inode, &x[i]);
			at = x[i].file + x[i].len;
		}
	} while (r == 0 && n == EXTENTS_AT_ONCE && at < p->end);
	return r == 0 ? compare_zeros(w, fd, at, p->end) : r;
}

static void say_unreadable(struct worker *w, uint64_t entry, int err)
{
	char what[160];

	snprintf(what, sizeof(what), "cannot be read from the archive: %s",
		 arc_error_text(err));
	mk_recheck_differs(w->c, entry, what);
}

/* What a comparison came to. A file that changed meanwhile says nothing about
 * the archive. */
static void judge(struct worker *w, uint64_t entry, int fd, int r)
{
	if (r == UNREADABLE)
		say_unreadable(w, entry, w->err);
	else if (mk_source_check(w->c->tree, entry, fd) < 0)
		mk_recheck_doubt(w->c, entry,
				 "changed while it was compared: not verified",
				 0);
	else if (r == DIFFERENT)
		mk_recheck_differs(w->c, entry,
				   "its content differs from the archive");
	else if (r < 0)
		mk_recheck_doubt(w->c, entry,
				 "cannot be read again: not verified", r);
}

/* Negative: not the fault of one file. */
static int compare_piece(struct worker *w, const struct mk_piece *p)
{
	const struct mk_entry *e = mk_tree_at(w->c->tree, p->entry);
	arc_cleanup(arc_closep) int fd = -1;
	struct arc_inode inode;
	int r;

	if (mk_recheck_is_out(w->c, p->entry))
		return 0;
	r = mk_source_open(w->source, p->entry, &fd);
	if (mk_source_is_fatal(r))
		return r;
	if (r < 0) {
		mk_recheck_doubt(w->c, p->entry,
				 r == -ESTALE ? "changed since it was "
						"archived: not verified"
					      : "cannot be opened again: not "
						"verified",
				 r == -ESTALE ? 0 : r);
		return 0;
	}
	r = arc_index_inode(w->c->index, e->row + 1, &inode);
	if (r < 0) {
		say_unreadable(w, p->entry, r);
		return 0;
	}
	r = compare_range(w, fd, &inode, p);
	if (r == UNREADABLE && w->err == -ENOMEM)
		return w->err;
	judge(w, p->entry, fd, r);
	return 0;
}

/* ---- threads ------------------------------------------------------------- */

static int compare_claimed(struct comparing *cmp, struct worker *w)
{
	const struct mk_spool *pieces = &cmp->c->pieces;
	uint64_t i = 0, end = 0;
	int r = 0;

	while (r >= 0) {
		if (i == end) {
			i = atomic_fetch_add(&cmp->next, CLAIM);
			end = ARC_MIN(i + CLAIM, pieces->count);
		}
		if (i >= pieces->count)
			break;
		r = compare_piece(w, mk_spool_at(pieces, i++));
	}
	return r;
}

static int run_worker(void *ctx, uint64_t number)
{
	struct comparing *cmp = ctx;
	struct worker w = { .c = cmp->c };
	int r = mk_source_new(cmp->c->tree, &w.source);

	(void)number;
	w.buf = malloc(CHUNK);
	if (r >= 0 && !w.buf)
		r = -ENOMEM;
	if (r >= 0)
		r = compare_claimed(cmp, &w);
	free(w.buf);
	mk_source_free(w.source);
	return r;
}

int mk_recheck_data(struct mk_recheck *c)
{
	struct comparing cmp = { .c = c };
	struct mk_spool spare = { 0 };
	unsigned threads;
	int r = mk_spool_open(&spare, c->dir_fd, sizeof(struct mk_piece));

	if (r >= 0)
		r = mk_spool_sort(&c->pieces, &spare, by_place);
	mk_spool_close(&spare);
	if (r < 0)
		return r;
	threads = mk_source_threads(c->tree, c->run->opt->threads, WORKER_FDS);
	threads = ARC_MAX(threads, 1U);
	return arc_parallel_each(threads, threads, run_worker, &cmp);
}
