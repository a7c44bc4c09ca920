/* SPDX-License-Identifier: MIT */
#include "bench_measure.h"
#include "pool.h"

/* What one thread does, and what it finds out. */
struct share {
	const struct bench_row *row; /* frozen, as all up to decoder */
	unsigned number;
	unsigned passes;
	uint8_t *out;
	void *decoder; /* its own */
	double begin;
	double end;
	int err;
};

static int decode_pieces(const struct share *s)
{
	const struct bench_row *row = s->row;

	for (size_t i = 0; i < row->piece_count * s->passes; i++) {
		size_t k = (s->number + i) % row->piece_count;
		int err =
			row->coder->decode(s->decoder, &row->pieces[k], s->out);

		if (err < 0)
			return err;
	}
	return 0;
}

static void run_share(void *arg)
{
	struct share *s = arg;

	s->begin = bench_now(CLOCK_MONOTONIC);
	s->err = decode_pieces(s);
	s->end = bench_now(CLOCK_MONOTONIC);
}

/* The decoders are made here, so that no thread starts late for that. */
static int make_shares(const struct bench_row *row, unsigned threads,
		       unsigned passes, uint8_t *room, struct share *shares)
{
	for (unsigned i = 0; i < threads; i++) {
		int err = row->coder->new_decoder(&row->setting,
						  &shares[i].decoder);

		if (err < 0)
			return err;
		shares[i].row = row;
		shares[i].number = i;
		shares[i].passes = passes;
		shares[i].out = room + i * row->piece_size;
	}
	return 0;
}

static int run_shares(unsigned threads, struct share *shares)
{
	struct arc_pool *pool;
	int err = arc_pool_new(threads, threads, &pool);

	if (err < 0)
		return err;
	for (unsigned i = 0; i < threads; i++)
		arc_pool_submit(pool, run_share, &shares[i]);
	arc_pool_free(pool);
	for (unsigned i = 0; i < threads && err == 0; i++)
		err = shares[i].err;
	return err;
}

int bench_decode_parallel(const struct bench_row *row, unsigned threads,
			  unsigned passes, uint8_t *room, double *ret)
{
	arc_cleanup(arc_freep) struct share *shares = NULL;
	int err;

	shares = calloc(threads, sizeof(*shares));
	if (!shares)
		return -ENOMEM;
	err = make_shares(row, threads, passes, room, shares);
	if (err == 0)
		err = run_shares(threads, shares);
	if (err == 0) {
		double begin = shares[0].begin, end = shares[0].end;

		for (unsigned i = 1; i < threads; i++) {
			begin = ARC_MIN(begin, shares[i].begin);
			end = ARC_MAX(end, shares[i].end);
		}
		*ret = end - begin;
	}
	for (unsigned i = 0; i < threads; i++)
		row->coder->free_decoder(shares[i].decoder);
	return err;
}
