/* SPDX-License-Identifier: MIT */
#include "bench_measure.h"
#include "testdata.h"

#define CPU CLOCK_THREAD_CPUTIME_ID
#define CHECKED_READS 32 /* of a row, in the first round */
#define JUNK 0x5a /* where nothing was decoded */

/* What the rows share. */
struct room {
	const struct bench_options *opt;
	struct arc_diag *diag;
	struct arc_span input;
	uint8_t *out; /* as long as the input */
	uint8_t *coded; /* one coded piece of any row */
	uint8_t *thread_out; /* one piece for each thread */
	size_t *place; /* of the cold reads */
	double *sample; /* their times */
	unsigned round;
};

double bench_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_sort(double *values, size_t n)
{
	qsort(values, n, sizeof(values[0]), compare_doubles);
}

static int fail(const struct room *room, const struct bench_row *row,
		const char *what, int err)
{
	arc_say(room->diag, ARC_ERROR, "%s: %s: %s", row->name, what,
		arc_error_text(err));
	return err;
}

/* Bytes per second; the clock may not have moved over a tiny input. */
static double rate(const struct room *room, unsigned passes, double seconds)
{
	return (double)room->input.n * passes / ARC_MAX(seconds, 1e-9);
}

static struct arc_span piece_of(const struct room *room,
				const struct bench_row *row, size_t i)
{
	size_t off = i * row->piece_size;

	return (struct arc_span){ room->input.p + off,
				  ARC_MIN(room->input.n - off,
					  row->piece_size) };
}

static bool differs(const struct room *room, size_t off, size_t n)
{
	return memcmp(room->out + off, room->input.p + off, n) != 0;
}

/* ---- encoding ----------------------------------------------------------- */

static int keep_piece(const struct room *room, struct bench_row *row, size_t i,
		      size_t n)
{
	struct bench_piece *piece = &row->pieces[i];

	piece->coded = calloc(1, n + ARC_DECODE_SLACK);
	if (!piece->coded)
		return -ENOMEM;
	memcpy(piece->coded, room->coded, n);
	piece->n = n;
	piece->raw = piece_of(room, row, i).n;
	row->fig.stored += n;
	return row->coder->open ? row->coder->open(piece, &piece->view) : 0;
}

static int time_encoding(const struct room *room, struct bench_row *row)
{
	double spent = 0;
	unsigned passes = 0;

	do {
		for (size_t i = 0; i < row->piece_count; i++) {
			double begin = bench_now(CPU);
			size_t n;
			int err = row->coder->encode(row->encoder,
						     piece_of(room, row, i),
						     room->coded, &n);

			spent += bench_now(CPU) - begin;
			if (err == 0 && room->round == 0 && passes == 0)
				err = keep_piece(room, row, i, n);
			if (err < 0)
				return fail(room, row, "encoding", err);
		}
		passes++;
	} while (spent < room->opt->seconds);
	row->fig.encode[room->round] = rate(room, passes, spent);
	return 0;
}

/* ---- decoding ----------------------------------------------------------- */

static int decode_input(const struct room *room, const struct bench_row *row)
{
	for (size_t i = 0; i < row->piece_count; i++) {
		int err = row->coder->decode(row->decoder, &row->pieces[i],
					     room->out + i * row->piece_size);

		if (err < 0)
			return fail(room, row, "decoding", err);
	}
	return 0;
}

static int time_decoding(const struct room *room, struct bench_row *row,
			 unsigned *ret_passes)
{
	double spent = 0;
	unsigned passes = 0;

	if (room->round == 0)
		memset(room->out, JUNK, room->input.n);
	do {
		double begin = bench_now(CPU);
		int err = decode_input(room, row);

		if (err < 0)
			return err;
		spent += bench_now(CPU) - begin;
		passes++;
	} while (spent < room->opt->seconds);
	if (room->round == 0 && differs(room, 0, room->input.n))
		return fail(room, row, "what was decoded is not the input",
			    -EBADMSG);
	row->fig.decode[room->round] = rate(room, passes, spent);
	*ret_passes = passes;
	return 0;
}

static int time_all_cores(const struct room *room, struct bench_row *row,
			  unsigned passes)
{
	unsigned threads = room->opt->threads;
	double seconds;
	int err = bench_decode_parallel(row, threads, passes, room->thread_out,
					&seconds);

	if (err < 0)
		return fail(room, row, "decoding with all cores", err);
	row->fig.decode_all[room->round] =
		rate(room, passes, seconds) * threads;
	return 0;
}

/* ---- cold reads --------------------------------------------------------- */

static int read_place(const struct room *room, const struct bench_row *row,
		      size_t place, size_t *ret)
{
	size_t i = place / row->piece_size;
	size_t at = place % row->piece_size;

	return row->coder->read(row->decoder, &row->pieces[i], at,
				room->out + i * row->piece_size, ret);
}

/*
 * Some reads alone, with junk in place of what was decoded before: only what
 * the read itself decodes can be right. What a coder expects as its window
 * stays.
 */
static int check_reads(const struct room *room, const struct bench_row *row)
{
	for (unsigned i = 0; i < ARC_MIN(room->opt->reads, CHECKED_READS);
	     i++) {
		size_t place = room->place[i];
		size_t wanted = ARC_MIN(room->input.n - place, BENCH_READ_SIZE);
		size_t off = place - place % row->piece_size;
		size_t n = ARC_MIN(room->input.n - off, row->piece_size);
		size_t got;
		int err;

		if (row->coder->windowed)
			memset(room->out + place, JUNK, wanted);
		else
			memset(room->out + off, JUNK, n);
		err = read_place(room, row, place, &got);
		if (err == 0 && differs(room, place, wanted))
			err = -EBADMSG;
		if (err < 0)
			return fail(room, row, "a cold read", err);
	}
	return 0;
}

static int time_reads(const struct room *room, struct bench_row *row)
{
	unsigned n = room->opt->reads;
	double seconds = 0, bytes = 0;

	for (unsigned i = 0; i < n; i++) {
		double begin = bench_now(CPU);
		size_t got;
		int err = read_place(room, row, room->place[i], &got);

		room->sample[i] = bench_now(CPU) - begin;
		if (err < 0)
			return fail(room, row, "a cold read", err);
		seconds += room->sample[i];
		bytes += (double)got;
	}
	bench_sort(room->sample, n);
	row->fig.read_mean[room->round] = seconds / n;
	row->fig.read_p95[room->round] = room->sample[(n - 1) * 95 / 100];
	row->fig.closure = bytes / n;
	return 0;
}

/*
 * Random places, each in a part of the input of its own, in random order: so
 * the mean varies little with their number.
 */
static void choose_places(struct room *room)
{
	uint64_t units = arc_div_up(room->input.n, BENCH_READ_SIZE);
	unsigned n = room->opt->reads;
	uint64_t seed = 7;

	for (unsigned i = 0; i < n; i++) {
		uint64_t first = units * i / n;
		uint64_t width = ARC_MAX(units * (i + 1) / n - first, 1);

		room->place[i] = (first + testdata_next(&seed) % width) *
				 BENCH_READ_SIZE;
	}
	for (unsigned i = n; i > 1; i--) {
		unsigned k = (unsigned)(testdata_next(&seed) % i);
		size_t place = room->place[k];

		room->place[k] = room->place[i - 1];
		room->place[i - 1] = place;
	}
}

/* ---- rows and rounds ---------------------------------------------------- */

static int begin_row(const struct room *room, struct bench_row *row)
{
	const struct bench_coder *coder = row->coder;
	int err;

	row->piece_size = coder->piece ? coder->piece : room->opt->frame_size;
	row->piece_size = ARC_MIN(row->piece_size, room->input.n);
	row->piece_count = arc_div_up(room->input.n, row->piece_size);
	row->pieces = calloc(row->piece_count, sizeof(row->pieces[0]));
	if (!row->pieces)
		return fail(room, row, "pieces", -ENOMEM);
	err = coder->new_encoder(&row->setting, &row->encoder);
	if (err == 0)
		err = coder->new_decoder(&row->setting, &row->decoder);
	return err < 0 ? fail(room, row, "making its coder", err) : 0;
}

static void end_encoding(struct bench_row *row)
{
	row->coder->free_encoder(row->encoder);
	row->encoder = NULL;
}

static void end_row(struct bench_row *row)
{
	for (size_t i = 0; row->pieces && i < row->piece_count; i++) {
		free(row->pieces[i].view);
		free(row->pieces[i].coded);
	}
	free(row->pieces);
	row->pieces = NULL;
	end_encoding(row);
	row->coder->free_decoder(row->decoder);
	row->decoder = NULL;
}

static int take_turn(const struct room *room, struct bench_row *row)
{
	unsigned passes = 1;
	int err = 0;

	if (room->round < room->opt->encode_rounds)
		err = time_encoding(room, row);
	if (room->round + 1 == room->opt->encode_rounds)
		end_encoding(row);
	if (err == 0)
		err = time_decoding(room, row, &passes);
	if (err == 0)
		err = time_all_cores(room, row, passes);
	if (err == 0 && room->round == 0)
		err = check_reads(room, row);
	return err < 0 ? err : time_reads(room, row);
}

/* n bytes whose pages are there, so that no measured loop waits for them. */
static int new_bytes(size_t n, uint8_t **ret)
{
	*ret = malloc(n);
	if (!*ret)
		return -ENOMEM;
	memset(*ret, JUNK, n);
	return 0;
}

static int begin_room(struct room *room, const struct bench_row *rows, size_t n)
{
	size_t bound = 0, piece = 0, all;

	for (size_t i = 0; i < n; i++) {
		size_t one = rows[i].coder->bound(rows[i].piece_size);

		bound = ARC_MAX(bound, one);
		piece = ARC_MAX(piece, rows[i].piece_size);
	}
	room->place = calloc(room->opt->reads, sizeof(room->place[0]));
	room->sample = calloc(room->opt->reads, sizeof(room->sample[0]));
	if (!room->place || !room->sample ||
	    !arc_mul_ok(piece, room->opt->threads, &all) ||
	    new_bytes(room->input.n, &room->out) < 0 ||
	    new_bytes(bound, &room->coded) < 0 ||
	    new_bytes(all, &room->thread_out) < 0) {
		arc_say(room->diag, ARC_ERROR, "%s", arc_error_text(-ENOMEM));
		return -ENOMEM;
	}
	choose_places(room);
	return 0;
}

static void end_room(struct room *room)
{
	free(room->out);
	free(room->coded);
	free(room->thread_out);
	free(room->place);
	free(room->sample);
}

/* Another row comes first in each round. */
static int run_rounds(struct room *room, struct bench_row *rows, size_t n)
{
	for (; room->round < room->opt->rounds; room->round++) {
		for (size_t i = 0; i < n; i++) {
			int err = take_turn(room, &rows[(i + room->round) % n]);

			if (err < 0)
				return err;
		}
	}
	return 0;
}

int bench_measure(const struct bench_options *opt, struct arc_span input,
		  struct bench_row *rows, size_t n, struct arc_diag *diag)
{
	struct room room = { .opt = opt, .diag = diag, .input = input };
	int err = 0;

	for (size_t i = 0; i < n && err == 0; i++)
		err = begin_row(&room, &rows[i]);
	if (err == 0)
		err = begin_room(&room, rows, n);
	if (err == 0)
		err = run_rounds(&room, rows, n);
	for (size_t i = 0; i < n; i++)
		end_row(&rows[i]);
	end_room(&room);
	return err;
}
