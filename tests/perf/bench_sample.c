/* SPDX-License-Identifier: MIT */
/*
 * Generated inputs, the same on every machine. They stand in for real ones in
 * what an LZ coder looks for: words of very different frequency that follow
 * each other in habitual ways, repeats at all distances, columns of rows that
 * resemble each other. Their ratios are not those of real files.
 */
#include <string.h>

#include "bench_input.h"
#include "testdata.h"

#define WORDS 8192
#define WORD_MAX 12

/* Bytes on their way into a sample of n; what is too much is dropped. */
struct pen {
	uint8_t *p;
	size_t n;
	size_t at;
	uint64_t seed;
	char word[WORDS][WORD_MAX + 1];
};

static bool full(const struct pen *pen)
{
	return pen->at == pen->n;
}

static void put(struct pen *pen, const void *bytes, size_t n)
{
	n = ARC_MIN(n, pen->n - pen->at);
	memcpy(pen->p + pen->at, bytes, n);
	pen->at += n;
}

static void put_text(struct pen *pen, const char *text)
{
	put(pen, text, strlen(text));
}

static void put_number(struct pen *pen, uint64_t v, size_t n)
{
	struct arc_le64 le = arc_put64(v);

	put(pen, le.b, n);
}

static uint64_t below(struct pen *pen, uint64_t n)
{
	return testdata_next(&pen->seed) % n;
}

/* Below 2^bits, every length in bits as likely as any other: small numbers
 * come often, as the ranks of a language's words do. */
static uint64_t skewed(struct pen *pen, unsigned bits)
{
	return below(pen, UINT64_C(1) << below(pen, bits + 1));
}

static void make_words(struct pen *pen)
{
	static const char *const parts[] = {
		"a",  "re",  "in",  "con", "to", "al", "de", "st",  "er",
		"un", "pro", "set", "get", "is", "e",  "io", "n",   "map",
		"id", "ou",  "ly",  "max", "x",	 "en", "t",  "buf",
	};

	for (size_t i = 0; i < WORDS; i++) {
		char *word = pen->word[i];
		size_t want = 1 + below(pen, 3) + (i > 256);

		for (size_t k = 0; k < want; k++) {
			const char *part = parts[below(pen, ARC_COUNT(parts))];

			if (strlen(word) + strlen(part) <= WORD_MAX)
				strcat(word, part);
		}
	}
}

/* ---- text --------------------------------------------------------------- */

/* What comes after a word: mostly one of the few that usually do. */
static size_t next_word(struct pen *pen, size_t word)
{
	uint64_t habit;

	if (below(pen, 4) == 0)
		return skewed(pen, 13) % WORDS;
	habit = word * 8 + skewed(pen, 3) % 8;
	return (testdata_next(&habit) >> 7) % WORDS;
}

/* Repeats a passage from before, as near or as far as any. */
static void put_passage(struct pen *pen)
{
	size_t distance = 64 + skewed(pen, 24);
	size_t n = 40 + skewed(pen, 11);

	if (distance >= pen->at)
		return;
	n = ARC_MIN(ARC_MIN(n, distance), pen->n - pen->at);
	memcpy(pen->p + pen->at, pen->p + pen->at - distance, n);
	pen->at += n;
}

static void make_text(uint8_t *p, size_t n)
{
	static const char *const joints[] = { " ", " ",	 " ", " ",  "_", ", ",
					      "(", ")(", ".", "->", "; " };
	static const char tabs[] = "\n\t\t\t\t";
	struct pen pen = { .p = p, .n = n, .seed = 1 };
	size_t word = 0;

	make_words(&pen);
	while (!full(&pen)) {
		for (uint64_t left = 2 + below(&pen, 9); left > 0; left--) {
			word = next_word(&pen, word);
			put_text(&pen, pen.word[word]);
			put_text(&pen, joints[below(&pen, ARC_COUNT(joints))]);
		}
		put(&pen, tabs, 1 + skewed(&pen, 3) % 5);
		if (below(&pen, 6) == 0)
			put_passage(&pen);
	}
}

/* ---- records ------------------------------------------------------------ */

/* Instructions: a habitual opening, often a number or a distance behind. */
static void put_code(struct pen *pen, unsigned rows)
{
	for (; rows > 0; rows--) {
		uint64_t kind = skewed(pen, 9);
		uint64_t opcode = kind;

		put_number(pen, testdata_next(&opcode), 2 + kind % 3);
		if (kind % 4 == 1)
			put_number(pen, skewed(pen, 7) * 8, 1);
		else if (kind % 4 == 2)
			put_number(pen, 0 - skewed(pen, 20), 4);
	}
}

/* A table of symbols: names and addresses ascend. */
static void put_symbols(struct pen *pen, unsigned rows)
{
	uint64_t name = below(pen, 100000);
	uint64_t address = below(pen, 1 << 24);

	for (; rows > 0; rows--) {
		uint64_t size = skewed(pen, 8) * 16;

		put_number(pen, name, 4);
		put_number(pen, below(pen, 3) ? 0x12 : 0x11, 2);
		put_number(pen, 12 + below(pen, 2), 2);
		put_number(pen, address, 8);
		put_number(pen, size, 8);
		name += 5 + below(pen, 20);
		address += size;
	}
}

static void put_relocations(struct pen *pen, unsigned rows)
{
	uint64_t place = below(pen, 1 << 24) * 8;

	for (; rows > 0; rows--, place += 8) {
		put_number(pen, place, 8);
		put_number(pen, 8, 8);
		put_number(pen, 0x400000 + skewed(pen, 20) * 16, 8);
	}
}

static void put_strings(struct pen *pen, unsigned rows)
{
	for (; rows > 0; rows--) {
		put_text(pen, pen->word[skewed(pen, 13) % WORDS]);
		put_text(pen, "_");
		put_text(pen, pen->word[skewed(pen, 13) % WORDS]);
		put_number(pen, 0, 1);
	}
}

static void put_zeros(struct pen *pen, unsigned rows)
{
	for (; rows > 0; rows--)
		put_number(pen, 0, 8);
}

static void make_records(uint8_t *p, size_t n)
{
	static void (*const sections[])(struct pen * pen, unsigned rows) = {
		put_code,	 put_code,    put_code,	   put_code,  put_code,
		put_relocations, put_strings, put_symbols, put_zeros,
	};
	struct pen pen = { .p = p, .n = n, .seed = 2 };

	make_words(&pen);
	while (!full(&pen))
		sections[below(&pen, ARC_COUNT(sections))](
			&pen, 200 + (unsigned)below(&pen, 3000));
}

/* ---- the table ---------------------------------------------------------- */

static void make_random(uint8_t *p, size_t n)
{
	testdata_fill(TESTDATA_RANDOM, p, n, 3);
}

static void make_zeros(uint8_t *p, size_t n)
{
	testdata_fill(TESTDATA_ZERO, p, n, 0);
}

static const struct bench_sample samples[] = {
	{ "text (generated)", make_text },
	{ "records (generated)", make_records },
	{ "random (generated)", make_random },
	{ "zeros (generated)", make_zeros },
};

const struct bench_sample *bench_sample_at(unsigned i)
{
	return i < ARC_COUNT(samples) ? &samples[i] : NULL;
}
