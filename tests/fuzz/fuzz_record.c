/* SPDX-License-Identifier: MIT */
/*
 * A record of unknown origin: parsed and decoded whole, and each of its groups
 * alone. A checksum would stop almost every mutation at the door, so the input
 * is also taken with its own header's checksum made right.
 */
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Every group in memory of its own, which nothing may be written behind, and
 * beside it those only that its segments need. */
static void decode_group(const struct arc_record *r, struct arc_span record,
			 uint32_t g)
{
	uint32_t per_group = UINT32_C(1) << (r->group_log - ARC_SEGMENT_LOG);
	uint32_t first = g * per_group;
	uint32_t end = ARC_MIN(first + per_group, r->segments);
	uint8_t *groups[ARC_FRAME_SEGMENTS_MAX] = { NULL };
	struct arc_segset set = { 0 };

	for (uint32_t s = first; s < end; s++)
		arc_segset_add(&set, s);
	arc_record_closure(r, 0, end - 1, NULL, &set);
	for (uint32_t s = 0; s < end; s++) {
		uint32_t at = arc_group_of(s, r->group_log);
		const uint8_t *src = record.p + r->head + r->segment[s].offset;

		if (!arc_segset_has(&set, s))
			continue;
		if (!groups[at])
			groups[at] = calloc(1, arc_record_group_raw(r, at));
		if (!groups[at])
			abort();
		arc_record_decode_segment(r, s, src, groups);
	}
	for (uint32_t i = 0; i <= g; i++)
		free(groups[i]);
}

/* A closure names nothing behind what it is asked for. */
static void check_closures(const struct arc_record *r)
{
	for (uint32_t s = 0; s < r->segments; s++) {
		struct arc_segset set = { 0 };

		arc_segset_add(&set, s);
		arc_record_closure(r, 0, s, NULL, &set);
		for (uint32_t i = s + 1; i < ARC_FRAME_SEGMENTS_MAX; i++)
			if (arc_segset_has(&set, i) &&
			    !arc_record_is_coded_whole(r, i))
				abort();
	}
}

static void decode(struct arc_span record)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	uint8_t *out;

	if (arc_record_parse(record, &r) < 0)
		return;
	if (record.n < (size_t)r->head + r->payload)
		return;
	record.n = (size_t)r->head + r->payload;
	out = malloc(r->raw);
	if (!out)
		abort();
	/* A digest that was made right says that the bytes are. */
	if (arc_record_decode_all(r, record, out) == 0 &&
	    arc_xxh64(out, r->raw) != r->digest)
		abort();
	free(out);
	for (uint32_t g = 0; g < arc_record_groups(r); g++)
		decode_group(r, record, g);
	check_closures(r);
}

/* A copy whose header's checksum is right; false: no header to speak of. */
static bool seal(uint8_t *copy, size_t n)
{
	struct arc_span front = { copy,
				  offsetof(struct arc_disk_record, checksum) };
	struct arc_span table = { copy + sizeof(struct arc_disk_record), 0 };
	struct arc_le64 checksum;
	size_t head;

	if (arc_record_peek((struct arc_span){ copy, n }, &head) < 0 ||
	    head > n)
		return false;
	table.n = head - sizeof(struct arc_disk_record);
	checksum = arc_put64(arc_xxh64_2(front, table));
	memcpy(copy + front.n, &checksum, sizeof(checksum));
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	/* The slack has no values anybody may rely on. */
	uint8_t *copy = malloc(n + ARC_DECODE_SLACK);

	if (!copy)
		abort();
	if (n > 0)
		memcpy(copy, data, n);
	decode((struct arc_span){ copy, n });
	if (seal(copy, n))
		decode((struct arc_span){ copy, n });
	free(copy);
	return 0;
}
