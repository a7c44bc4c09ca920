/* SPDX-License-Identifier: MIT */
#include "lzext3_far.h"

#define LOG 20 /* entries of the table of samples: of 8 MiB */
#define SAMPLE_BYTES 8
#define MIN_LEN 16 /* of a far match */
#define COST 48 /* bytes to save for each further segment to decode */
#define FAR_MAX ARC_COUNT(((struct arc_disk_lzext3 *)0)->far)
#define MATCHES_MAX (ARC_SEGMENT_SIZE / MIN_LEN)

struct lzx_far {
	unsigned far_max;
	uint32_t *table; /* position in the frame + 1 */

	struct arc_span frame;
	uint8_t group_log;
	uint32_t entered; /* positions before it are in the table */
	uint64_t raw, coded; /* bytes of segments so far, to know the gain */
	struct arc_segset closure[ARC_FRAME_SEGMENTS_MAX]; /* own included */

	struct lzx_far_match match[MATCHES_MAX];
	uint32_t n;
};

int lzx_far_new(unsigned far_max, bool reach, uint8_t group_log,
		struct lzx_far **ret)
{
	struct lzx_far *f = calloc(1, sizeof(*f));

	if (!f)
		return -ENOMEM;
	f->far_max = (unsigned)ARC_MIN(far_max, FAR_MAX);
	f->group_log = group_log;
	if (f->far_max > 0 || reach) {
		f->table = malloc(sizeof(uint32_t) << LOG);
		if (!f->table) {
			free(f);
			return -ENOMEM;
		}
	}
	*ret = f;
	return 0;
}

void lzx_far_free(struct lzx_far *f)
{
	if (!f)
		return;
	free(f->table);
	free(f);
}

/* ---- samples ------------------------------------------------------------ */

static inline uint32_t *entry_of(struct lzx_far *f, const uint8_t *p)
{
	return &f->table[lzx_mix(p, SAMPLE_BYTES) >> (64 - LOG)];
}

/* The positions from..end of the frame that can be samples. */
static inline uint32_t sample_end(struct arc_span frame, size_t end)
{
	size_t last = frame.n - ARC_MIN(frame.n, SAMPLE_BYTES);

	return (uint32_t)ARC_MIN(end, last);
}

static void enter(struct lzx_far *f, uint32_t to)
{
	to = sample_end(f->frame, to);
	for (; f->entered < to; f->entered++) {
		const uint8_t *p = f->frame.p + f->entered;

		if (lzx_is_sample(p))
			*entry_of(f, p) = f->entered + 1;
	}
}

/* ---- the reach ---------------------------------------------------------- */

/* The smallest group, log2, that holds both positions. */
static unsigned common_group(uint32_t a, uint32_t b)
{
	unsigned log = ARC_GROUP_LOG_MIN;

	while (a >> log != b >> log)
		log++;
	return log;
}

/* Bytes saved by the latest repeat of each sample, by the reach it needs. */
static void survey(struct lzx_far *f, struct arc_span frame,
		   uint64_t saved[ARC_GROUP_LOG_MAX + 1])
{
	uint32_t end = sample_end(frame, frame.n);
	uint32_t at = 0;

	memset(f->table, 0, sizeof(uint32_t) << LOG);
	while (at < end) {
		const uint8_t *p = frame.p + at;
		uint32_t *entry, old, len;
		size_t stop;

		if (!lzx_is_sample(p)) {
			at++;
			continue;
		}
		entry = entry_of(f, p);
		old = *entry;
		*entry = at + 1;
		/* Each segment by itself: the next may need another reach. */
		stop = ARC_MIN(frame.n,
			       ((size_t)at | (ARC_SEGMENT_SIZE - 1)) + 1);
		len = old ? lzx_common(p, frame.p + old - 1, frame.p + stop)
			  : 0;
		if (len >= SAMPLE_BYTES) {
			saved[common_group(at, old - 1)] += len - 4;
			at += len - SAMPLE_BYTES / 2;
		} else {
			at++;
		}
	}
}

uint8_t lzx_far_reach(struct lzx_far *f, struct arc_span frame, uint8_t log_max)
{
	uint64_t saved[ARC_GROUP_LOG_MAX + 1] = { 0 };
	uint64_t least = frame.n, size = frame.n;
	uint8_t log = ARC_GROUP_LOG_MIN;

	survey(f, frame, saved);
	for (unsigned i = 0; i <= log_max; i++)
		least -= ARC_MIN(saved[i], least);
	for (; log < log_max; log++) {
		size -= ARC_MIN(saved[log], size);
		if (size <= least + least / 16)
			break;
	}
	return log;
}

/* ---- far matches -------------------------------------------------------- */

void lzx_far_begin(struct lzx_far *f, struct arc_span frame, uint8_t group_log)
{
	f->frame = frame;
	f->group_log = group_log;
	f->entered = 0;
	f->raw = f->coded = 0;
	if (f->far_max == 0)
		return;
	memset(f->table, 0, sizeof(uint32_t) << LOG);
	/* of segments that the codec is never given, too */
	for (uint32_t s = 0; s < ARC_COUNT(f->closure); s++) {
		f->closure[s] = (struct arc_segset){ 0 };
		arc_segset_add(&f->closure[s], s);
	}
}

/* The match at sample `at`, as long as its source stays in one segment, from
 * `start` on. */
static struct lzx_far_match extend(const struct lzx_far *f, uint32_t at,
				   uint32_t from, uint32_t start, uint32_t end)
{
	const uint8_t *p = f->frame.p;
	uint32_t low = from >> ARC_SEGMENT_LOG << ARC_SEGMENT_LOG;
	uint32_t room = ARC_MIN(end - at, low + ARC_SEGMENT_SIZE - from);
	uint32_t dist = at - from;
	uint32_t len = lzx_common(p + at, p + from, p + at + room);

	while (at > start && at - dist > low && p[at - 1] == p[at - 1 - dist]) {
		at--;
		len++;
	}
	return (struct lzx_far_match){ .at = at, .len = len, .dist = dist };
}

/* All far matches of the segment, in order, at positions of the frame. */
static void find_all(struct lzx_far *f, uint32_t start, uint32_t end)
{
	uint32_t last = sample_end(f->frame, end);
	uint32_t done = start, at = start;

	f->n = 0;
	while (at < last && f->n < MATCHES_MAX) {
		const uint8_t *p = f->frame.p + at;
		struct lzx_far_match m;
		uint32_t entry;

		entry = lzx_is_sample(p) ? *entry_of(f, p) : 0;
		if (entry == 0) {
			at++;
			continue;
		}
		m = extend(f, at, entry - 1, done, end);
		if (m.len < MIN_LEN) {
			at++;
			continue;
		}
		f->match[f->n++] = m;
		done = at = m.at + m.len;
	}
}

static uint32_t source_of(const struct lzx_far_match *m)
{
	return (m->at - m->dist) >> ARC_SEGMENT_LOG;
}

/* What the bytes of a match are thought to save against near matches. */
static uint32_t gain_of(const struct lzx_far *f, const struct lzx_far_match *m)
{
	uint64_t near = f->raw ? m->len * f->coded / f->raw : m->len / 3;
	uint64_t cost = 4 + lzx_len_bytes(m->len);

	return (uint32_t)(near > cost ? near - cost : 0);
}

static uint32_t added(const struct arc_segset *to, const struct arc_segset *set)
{
	uint32_t n = 0;

	for (size_t i = 0; i < ARC_COUNT(to->word); i++)
		n += (uint32_t)__builtin_popcountll(set->word[i] &
						    ~to->word[i]);
	return n;
}

static void join(struct arc_segset *to, const struct arc_segset *set)
{
	for (size_t i = 0; i < ARC_COUNT(to->word); i++)
		to->word[i] |= set->word[i];
}

/* What the earlier segments of the group need, and they themselves. */
static struct arc_segset near_closure(const struct lzx_far *f, uint32_t s)
{
	uint32_t first = s - (uint32_t)(arc_offset_in_group(s, f->group_log) >>
					ARC_SEGMENT_LOG);
	struct arc_segset set = { 0 };

	for (uint32_t i = first; i < s; i++)
		join(&set, &f->closure[i]);
	return set;
}

/* The segments worth listing, the most gainful first. */
static struct arc_segset choose(const struct lzx_far *f, uint32_t s)
{
	uint32_t gain[ARC_FRAME_SEGMENTS_MAX] = { 0 };
	struct arc_segset all = near_closure(f, s), chosen = { 0 };

	for (uint32_t i = 0; i < f->n; i++)
		gain[source_of(&f->match[i])] += gain_of(f, &f->match[i]);
	for (unsigned listed = 0; listed < f->far_max; listed++) {
		uint32_t best = 0;

		for (uint32_t i = 1; i < s; i++)
			best = gain[i] > gain[best] ? i : best;
		if (gain[best] < COST * added(&all, &f->closure[best]) ||
		    gain[best] == 0)
			break;
		gain[best] = 0;
		arc_segset_add(&chosen, best);
		join(&all, &f->closure[best]);
	}
	return chosen;
}

void lzx_far_choose(struct lzx_far *f, uint32_t s, struct lzx_input *in)
{
	uint32_t start = s << ARC_SEGMENT_LOG;
	uint32_t group = start - in->off; /* where it begins in the frame */
	struct arc_segset chosen;
	uint32_t n = 0;

	in->far = f->match;
	in->fars = 0;
	if (f->far_max == 0)
		return;
	enter(f, group);
	if (group == 0)
		return;
	find_all(f, start, start + (in->end - in->off));
	chosen = choose(f, s);
	for (uint32_t i = 0; i < f->n; i++) {
		struct lzx_far_match m = f->match[i];

		if (!arc_segset_has(&chosen, source_of(&m)))
			continue;
		m.at -= group;
		f->match[n++] = m;
	}
	in->fars = n;
}

void lzx_far_settle(struct lzx_far *f, uint32_t s, const struct lzx_matches *m,
		    size_t raw, size_t coded, struct arc_disk_lzext3 *x)
{
	uint32_t off = (uint32_t)arc_offset_in_group(s, f->group_log);
	uint32_t group = (s << ARC_SEGMENT_LOG) - off;
	struct arc_segset near, listed = { 0 };
	struct arc_segset *closure = &f->closure[s];
	uint32_t at = group + off;

	if (f->far_max == 0)
		return;
	near = near_closure(f, s);
	*closure = (struct arc_segset){ 0 };
	arc_segset_add(closure, s);
	f->raw += raw;
	f->coded += coded ? coded : raw;
	if (coded == 0)
		return;
	join(closure, &near);
	for (uint32_t i = 0; i < m->n; i++) {
		at += m->item[i].lit;
		if (m->item[i].dist > at - group)
			arc_segset_add(&listed, (at - m->item[i].dist) >>
							ARC_SEGMENT_LOG);
		at += m->item[i].len;
	}
	for (uint32_t i = 0; i < s; i++) {
		if (!arc_segset_has(&listed, i))
			continue;
		x->far[x->fars++] = (uint8_t)i;
		join(closure, &f->closure[i]);
	}
}
