/* SPDX-License-Identifier: MIT */
/*
 * Candidates of one hash are nearly always equal, but nothing is taken for
 * granted: the first is the leader, the others are compared with it in turn,
 * and those that differ go through the same again among themselves. So hashes
 * made to collide cost time and nothing else.
 *
 * The digest of the content is computed once for a leader, from the bytes of
 * its first comparison: the content of all that are equal to it is the same.
 */
#include <string.h>

#include "dedup_i.h"

/* The first look is short: files that differ mostly do so at once. */
#define FIRST_PIECE ((size_t)4096)

enum outcome { EQUAL, DIFFERENT, LEADER_FAILED, MEMBER_FAILED };

/* A leader and what was found equal to it. */
struct class
{
	struct mk_candidate *leader;
	int fd;
	bool has_digest;
	struct arc_digest128 digest;
	uint8_t sha256[32];
	uint64_t bytes; /* data of the duplicates */
};

/* One of the two files of a comparison. */
struct side {
	int fd;
	bool sparse;
	uint64_t data; /* where data begins at or after what was compared */
	uint8_t *buf;
};

/* ---- one pair ------------------------------------------------------------ */

static int digest_bytes(struct mk_dedup_worker *w, const void *p, size_t n)
{
	arc_digest_update(w->digest, p, n);
	return w->sha256 ? arc_sha256_update(w->sha256, p, n) : 0;
}

static int digest_zeros(struct mk_dedup_worker *w, uint64_t n)
{
	arc_digest_zeros(w->digest, n);
	return w->sha256 ? arc_sha256_zeros(w->sha256, n) : 0;
}

static int begin_digest(struct mk_dedup_worker *w)
{
	arc_digest_reset(w->digest);
	return w->sha256 ? arc_sha256_reset(w->sha256) : 0;
}

static int end_digest(struct mk_dedup_worker *w, struct class *cl)
{
	int err = 0;

	cl->digest = arc_digest_value(w->digest);
	if (w->sha256)
		err = arc_sha256_value(w->sha256, cl->sha256);
	cl->has_digest = !err;
	return err;
}

/* False when the file cannot be asked. */
static bool find_data(struct side *s, uint64_t at, uint64_t size)
{
	uint64_t end;
	int err = 0;

	if (s->data <= at)
		err = mk_source_run(s->fd, at, size, &s->data, &end);
	if (err == -ENXIO)
		s->data = size;
	return !err || err == -ENXIO;
}

/* Bytes at `at` that are hole in both; outcome EQUAL, or who failed. */
static enum outcome find_hole(struct side *leader, struct side *member,
			      uint64_t at, uint64_t size, uint64_t *ret)
{
	*ret = 0;
	if (!leader->sparse || !member->sparse)
		return EQUAL;
	if (!find_data(leader, at, size))
		return LEADER_FAILED;
	if (!find_data(member, at, size))
		return MEMBER_FAILED;
	*ret = ARC_MIN(leader->data, member->data) - at;
	return EQUAL;
}

static enum outcome compare_piece(struct side *leader, struct side *member,
				  uint64_t at, size_t n)
{
	if (mk_source_read(leader->fd, leader->buf, n, at) != (ssize_t)n)
		return LEADER_FAILED;
	if (mk_source_read(member->fd, member->buf, n, at) != (ssize_t)n)
		return MEMBER_FAILED;
	return memcmp(leader->buf, member->buf, n) == 0 ? EQUAL : DIFFERENT;
}

/* An outcome, or a negative errno. digest: compute it on the way. */
static int compare_bytes(struct mk_dedup_worker *w, struct side *leader,
			 struct side *member, uint64_t size, bool digest)
{
	size_t piece = FIRST_PIECE;
	uint64_t at = 0;
	int err = digest ? begin_digest(w) : 0;

	while (!err && at < size) {
		uint64_t hole;
		enum outcome o = find_hole(leader, member, at, size, &hole);
		size_t n;

		if (o != EQUAL)
			return (int)o;
		if (hole > 0) {
			err = digest ? digest_zeros(w, hole) : 0;
			at += hole;
			continue;
		}
		n = (size_t)ARC_MIN(size - at, piece);
		o = compare_piece(leader, member, at, n);
		if (o != EQUAL)
			return (int)o;
		w->read += 2 * n;
		err = digest ? digest_bytes(w, leader->buf, n) : 0;
		at += n;
		piece = ARC_MIN(piece * 8, MK_COMPARE_PIECE);
	}
	return err ? err : EQUAL;
}

/* Bytes of a file that are not hole, as far as it says. */
static uint64_t data_bytes(const struct mk_entry *e, int fd)
{
	uint64_t sum = 0, at = 0, off, end;

	if (!(e->flags & MK_ENTRY_SPARSE))
		return e->size;
	while (!mk_source_run(fd, at, e->size, &off, &end)) {
		sum += end - off;
		at = end;
	}
	return sum;
}

static struct side side_of(const struct mk_dedup *d, uint64_t entry, int fd,
			   uint8_t *buf)
{
	return (struct side){
		.fd = fd,
		.sparse = mk_tree_at(d->tree, entry)->flags & MK_ENTRY_SPARSE,
		.buf = buf,
	};
}

/* Both are held: nothing is read, and neither can change. */
static int compare_held(struct mk_dedup *d, struct mk_dedup_worker *w,
			struct class *cl, struct arc_span leader,
			struct arc_span member)
{
	int err = 0;

	mk_count(&d->run->stats.compared, 1);
	if (memcmp(leader.p, member.p, leader.n) != 0)
		return DIFFERENT;
	cl->bytes += member.n;
	if (cl->has_digest)
		return EQUAL;
	err = begin_digest(w);
	if (!err)
		err = digest_bytes(w, leader.p, leader.n);
	if (!err)
		err = end_digest(w, cl);
	return err ? err : EQUAL;
}

static bool is_held(const struct mk_dedup *d, uint64_t entry)
{
	return mk_tree_at(d->tree, entry)->flags & MK_ENTRY_HELD;
}

static struct arc_span held(const struct mk_dedup *d, uint64_t entry)
{
	return mk_tree_held(d->tree, mk_tree_at(d->tree, entry));
}

/* The leader is opened when it is first read. */
static int open_leader(struct mk_dedup_worker *w, struct class *cl)
{
	return cl->fd >= 0
		       ? 0
		       : mk_source_open(w->source, cl->leader->entry, &cl->fd);
}

/* An outcome, or a negative errno. */
static int compare_pair(struct mk_dedup *d, struct mk_dedup_worker *w,
			struct class *cl, const struct mk_candidate *c)
{
	arc_cleanup(arc_closep) int fd = -1;
	struct side leader, member;
	int outcome;

	if (is_held(d, cl->leader->entry) && is_held(d, c->entry))
		return compare_held(d, w, cl, held(d, cl->leader->entry),
				    held(d, c->entry));
	outcome = open_leader(w, cl);
	if (outcome)
		return mk_source_is_fatal(outcome) ? outcome : LEADER_FAILED;
	outcome = mk_source_open(w->source, c->entry, &fd);
	if (outcome)
		return mk_source_is_fatal(outcome) ? outcome : MEMBER_FAILED;
	leader = side_of(d, cl->leader->entry, cl->fd, w->leader);
	member = side_of(d, c->entry, fd, w->member);
	mk_count(&d->run->stats.compared, 1);
	mk_count(&d->run->stats.searched, 1);
	w->read = 0;
	outcome = compare_bytes(w, &leader, &member, c->size, !cl->has_digest);
	mk_count(&d->run->stats.searched_bytes, w->read);
	if (outcome < 0)
		return outcome;
	/* What was read counts only if nobody wrote meanwhile. */
	if (mk_source_check(d->tree, cl->leader->entry, cl->fd))
		return LEADER_FAILED;
	if (mk_source_check(d->tree, c->entry, fd))
		return MEMBER_FAILED;
	if (outcome == EQUAL) {
		int err = cl->has_digest ? 0 : end_digest(w, cl);

		cl->bytes += data_bytes(mk_tree_at(d->tree, c->entry), fd);
		return err ? err : EQUAL;
	}
	return outcome;
}

/* ---- a group ------------------------------------------------------------- */

static void enter_leader(struct mk_dedup *d, const struct class *cl,
			 uint64_t entry)
{
	struct mk_entry *e = mk_tree_at(d->tree, entry);

	e->leader = cl->leader->entry;
	e->flags |= MK_ENTRY_CANDIDATE;
	mk_tree_at(d->tree, e->leader)->flags |= MK_ENTRY_LEADER;
	memcpy(mk_spool_at(&d->tree->digests, entry), &cl->digest,
	       sizeof(cl->digest));
	if (d->tree->sha256.base)
		memcpy(mk_spool_at(&d->tree->sha256, entry), cl->sha256,
		       sizeof(cl->sha256));
	mk_count(&d->run->stats.duplicates, 1);
}

/* Compares the others with list[0]: 0, 1 when that failed, negative errno. */
static int find_equal(struct mk_dedup *d, struct mk_dedup_worker *w,
		      struct class *cl, struct mk_candidate *list, uint64_t n)
{
	for (uint64_t i = 1; i < n; i++) {
		int outcome = compare_pair(d, w, cl, &list[i]);

		mk_dedup_release(d, i);
		if (outcome < 0)
			return outcome;
		if (outcome == LEADER_FAILED)
			return 1;
		if (outcome == EQUAL)
			list[i].state = MK_CANDIDATE_EQUAL;
		if (outcome == MEMBER_FAILED)
			list[i].state = MK_CANDIDATE_OUT;
	}
	return 0;
}

/*
 * One leader, list[0]: it and its duplicates leave the list. When it turns out
 * to be changed, what was found equal to it stays in and looks for another.
 */
static int settle_first(struct mk_dedup *d, struct mk_dedup_worker *w,
			struct mk_candidate *list, uint64_t *n)
{
	struct class cl = { .leader = &list[0], .fd = -1 };
	uint64_t kept = 0;
	int failed = find_equal(d, w, &cl, list, *n);

	if (cl.fd >= 0)
		close(cl.fd);
	if (failed < 0)
		return failed;
	for (uint64_t i = 1; i < *n; i++) {
		struct mk_candidate *c = &list[i];

		mk_dedup_release(d, i);
		if (c->state == MK_CANDIDATE_EQUAL && !failed)
			enter_leader(d, &cl, c->entry);
		else if (c->state == MK_CANDIDATE_EQUAL)
			c->state = MK_CANDIDATE_IN;
	}
	if (!failed)
		mk_count(&d->run->stats.duplicate_bytes, cl.bytes);
	for (uint64_t i = 1; i < *n; i++) {
		if (list[i].state == MK_CANDIDATE_IN)
			list[kept++] = list[i];
	}
	*n = kept;
	return 0;
}

int mk_dedup_compare_group(struct mk_dedup *d, struct mk_dedup_worker *w,
			   struct mk_candidate *list, uint64_t n)
{
	while (n > 1) {
		int err = settle_first(d, w, list, &n);

		if (err)
			return err;
	}
	return 0;
}
