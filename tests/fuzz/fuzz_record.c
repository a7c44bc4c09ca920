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

/* Every group in memory of its own, which nothing may be written behind. */
static void decode_groups(const struct arc_record *r, struct arc_span record)
{
	uint32_t per_group = UINT32_C(1) << (r->group_log - ARC_SEGMENT_LOG);

	for (uint32_t s = 0; s < r->segments; s += per_group) {
		uint32_t end = ARC_MIN(s + per_group, r->segments);
		size_t size = ((size_t)(end - 1 - s) << ARC_SEGMENT_LOG) +
			      arc_record_segment_raw(r, end - 1);
		uint8_t *group = malloc(size);

		if (!group)
			abort();
		for (uint32_t i = s; i < end; i++) {
			const uint8_t *src =
				record.p + r->head + r->segment[i].offset;

			if (arc_record_decode_segment(r, i, src, group) < 0)
				memset(group, 0, size);
		}
		free(group);
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
	decode_groups(r, record);
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
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	decode((struct arc_span){ data, n });
	if (n > 0)
		memcpy(copy, data, n);
	if (seal(copy, n))
		decode((struct arc_span){ copy, n });
	free(copy);
	return 0;
}
