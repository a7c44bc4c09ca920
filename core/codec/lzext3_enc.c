/* SPDX-License-Identifier: MIT */
#include "lzext3_far.h"
#include "lzext3_parallel.h"
#include "lzext3_write.h"

/*
 * The tables are made for a reach of 1M and grow with it, up to a limit: where
 * they do not fit a core's cache any more, further places cost a parser more
 * than it finds there, and the sooner so the faster it is.
 */
#define REACH_LOG 20

/* What a level does. */
struct level {
	const struct lzx_parser *parser;
	unsigned hash_log_max; /* that a reach leads to */
	struct lzx_settings set;
};

static const struct level levels[9] = {
	/*           most, hash, candidates, good, lazy, tables */
	{ &lzx_fast, 18, { 15, 1, 0, 0, 0, false } },
	{ &lzx_fast, 18, { 16, 1, 0, 0, 0, true } },
	{ &lzx_lazy, 20, { 16, 4, 4, 24, 0, false } },
	{ &lzx_lazy, 20, { 16, 8, 8, 32, 1, false } },
	{ &lzx_lazy, 20, { 17, 8, 12, 48, 1, false } },
	{ &lzx_lazy, 21, { 18, 8, 14, 64, 1, false } },
	{ &lzx_best, 24, { 18, 0, 16, 64, 0, false } },
	{ &lzx_best, 24, { 19, 0, 24, 64, 0, false } },
	{ &lzx_best, 24, { 20, 0, 32, 128, 0, false } },
};

struct state {
	const struct lzx_parser *parser;
	void *parsing; /* the parser's state */
	struct lzx_far *far;
	bool group_auto;
	unsigned far_max;
	struct arc_span frame;
	uint32_t first; /* segment of the frame the group begins with */
	uint32_t group; /* bytes of the group */
	uint32_t seen; /* of them, up to the end of a segment */
	uint8_t group_log;
	struct lzx_matches matches;
	struct lzx_writer writer;
};

static void free_state(void *state)
{
	struct state *s = state;

	if (!s)
		return;
	if (s->parsing)
		s->parser->free_state(s->parsing);
	lzx_far_free(s->far);
	free(s);
}

static unsigned hash_log(const struct level *level,
			 const struct arc_encoder_params *params)
{
	unsigned log = level->set.hash_log;

	if (params->hash_log)
		return params->hash_log;
	if (params->group_log > REACH_LOG)
		log += params->group_log - REACH_LOG;
	return ARC_MIN(log, level->hash_log_max);
}

/* What the level of the params does, with their overrides. */
static struct level level_of(const struct arc_encoder_params *params)
{
	struct lzx_settings *set;
	struct level level;

	assert(params->level >= 1 && params->level <= ARC_COUNT(levels));
	if (params->parallel)
		return (struct level){ .parser = &lzx_parallel,
				       .set = lzx_parallel_settings(params) };
	level = levels[params->level - 1];
	set = &level.set;
	set->hash_log = hash_log(&level, params);
	if (params->candidates)
		set->candidates = set->long_candidates = params->candidates;
	if (params->good_enough)
		set->good_enough = params->good_enough;
	return level;
}

/* Those parsers can do with far references that know of them. */
static bool uses_far(const struct lzx_parser *parser)
{
	return parser == &lzx_lazy || parser == &lzx_best;
}

static int new_state(const struct arc_encoder_params *params, void **ret)
{
	struct level level = level_of(params);
	struct state *s;
	int err;

	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->parser = level.parser;
	s->group_log = params->group_log;
	s->group_auto = params->group_auto;
	s->far_max = uses_far(s->parser) ? params->far_max : 0;
	err = s->parser->new_state(&level.set, &s->parsing);
	if (err == 0)
		err = lzx_far_new(s->far_max, params->group_auto,
				  params->group_log, &s->far);
	if (err < 0) {
		free_state(s);
		return err;
	}
	*ret = s;
	return 0;
}

static void plan(void *state, struct arc_span frame,
		 struct arc_frame_plan *plan)
{
	struct state *s = state;

	if (s->group_auto)
		plan->group_log = lzx_far_reach(s->far, frame, plan->group_log);
	if (s->far_max > 0)
		plan->entry_size =
			ARC_ENTRY_SIZE_MIN + sizeof(struct arc_disk_lzext3);
	s->frame = frame;
	s->group_log = plan->group_log;
	lzx_far_begin(s->far, frame, plan->group_log);
}

static void begin(void *state, const uint8_t *base, size_t n)
{
	struct state *s = state;

	s->first = s->frame.p ? (uint32_t)((size_t)(base - s->frame.p) >>
					   ARC_SEGMENT_LOG)
			      : 0;
	s->group = (uint32_t)n;
	s->seen = 0;
	s->parser->begin(s->parsing, n);
}

/* The granules from the one of `earliest`, a position that is copied from, on:
 * without gaps, for these would cost a decoder more than they save. */
static uint32_t near_of(uint32_t off, uint32_t earliest, uint8_t group_log)
{
	uint32_t before =
		lzx_granules_before(off >> ARC_SEGMENT_LOG, group_log);

	if (earliest >= off)
		return 0;
	return before &
	       ~((UINT32_C(1) << (earliest >> lzx_granule_log(group_log))) - 1);
}

/* Returns the earliest position that is copied from. */
static uint32_t write_streams(struct state *s, uint32_t number,
			      struct lzx_input *in, struct lzx_streams *out)
{
	s->matches.n = 0;
	if (s->parser->write)
		return s->parser->write(s->parsing, in, out);
	lzx_far_choose(s->far, number, in);
	s->parser->parse(s->parsing, in, &s->matches);
	return lzx_write(out, in, &s->matches);
}

/* What the parser was not given, up to `off`. */
static void pass(struct state *s, const uint8_t *base, size_t off)
{
	const struct lzx_input in = { .base = base,
				      .off = s->seen,
				      .end = (uint32_t)off,
				      .readable = s->group };

	if (in.off < in.end)
		s->parser->pass(s->parsing, &in);
}

static size_t encode(void *state, const uint8_t *base, size_t off, size_t n,
		     uint8_t *out, size_t cap, struct arc_segment *seg)
{
	struct state *s = state;
	uint32_t number = s->first + (uint32_t)(off >> ARC_SEGMENT_LOG);
	struct lzx_input in = { .base = base,
				.off = (uint32_t)off,
				.end = (uint32_t)(off + n),
				.readable = s->group };
	struct lzx_streams streams = lzx_streams_begin(&s->writer);
	struct arc_disk_lzext3 x = { 0 };
	uint32_t earliest;
	size_t got;

	pass(s, base, off);
	s->seen = in.end;
	earliest = write_streams(s, number, &in, &streams);
	got = lzx_collect(&s->writer, &streams, out, cap, &x);

	lzx_far_settle(s->far, number, &s->matches, n, got, &x);
	x.near = arc_put16((uint16_t)near_of(in.off, earliest, s->group_log));
	memcpy(seg->ext, &x, sizeof(x));
	return got;
}

const struct arc_encoder arc_lzext3_encoder = {
	.name = "lzext3",
	.about = "LZ-EXT3: smaller than lz4hc, as fast to read",
	.id = ARC_CODEC_LZEXT3,
	.entry_size =
		ARC_ENTRY_SIZE_MIN + offsetof(struct arc_disk_lzext3, far),
	.new_state = new_state,
	.free_state = free_state,
	.plan = plan,
	.begin = begin,
	.encode = encode,
};
