/* SPDX-License-Identifier: MIT */
#include "prefill.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *const op_names[ARCFS_OP_COUNT] = {
#define X(id, name) [ARCFS_OP_##id] = (name),
	ARCFS_OPS(X)
#undef X
};

void arcfs_stats_init(struct arcfs_stats *stats)
{
	memset(stats, 0, sizeof(*stats));
	clock_gettime(CLOCK_MONOTONIC, &stats->start);
}

static uint64_t get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static json_int_t number(uint64_t n)
{
	return n > INT64_MAX ? INT64_MAX : (json_int_t)n;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Resident memory of this process; 0 when the kernel does not tell. */
static uint64_t resident_bytes(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static json_t *requests_json(const struct arcfs_stats *stats)
{
	json_t *obj = json_object();

	for (unsigned i = 0; i < ARCFS_OP_COUNT; i++)
		json_object_set_new(
			obj, op_names[i],
			json_integer(number(get(&stats->requests[i]))));
	return obj;
}

static json_t *lru_json(const struct arc_lru_stats *s)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I}", "hits", number(s->hits),
			 "misses", number(s->misses), "evictions",
			 number(s->evictions), "bytes", number(s->cost),
			 "peak_bytes", number(s->peak));
}

static json_t *segments_json(const struct arc_cache_stats *s)
{
	json_t *obj = json_object();

	for (unsigned i = 0; i < ARC_CODEC_COUNT; i++) {
		if (!s->segments[i])
			continue;
		json_object_set_new(obj, arc_codec_name((uint8_t)i),
				    json_integer(number(s->segments[i])));
	}
	return obj;
}

static json_t *ahead_json(const struct arc_ahead_stats *s)
{
	return json_pack("{s:I, s:I, s:I, s:s, s:I, s:I, s:s}", "segments",
			 number(s->segments), "groups", number(s->groups),
			 "used", number(s->used), "devices", s->state, "frames",
			 number(s->frames), "device_frames",
			 number(s->device_frames), "message", s->message);
}

static json_t *prefill_json(struct arcfs_prefill *prefill)
{
	struct arcfs_prefill_stats s = { 0 };

	if (prefill)
		arcfs_prefill_stats(prefill, &s);
	return json_pack("{s:I, s:I}", "files", number(s.files), "bytes",
			 number(s.bytes));
}

char *arcfs_stats_json(const struct arcfs_stats *stats, struct arc_archive *a,
		       struct arcfs_prefill *prefill)
{
	struct arc_cache_stats cache;
	struct arc_lru_stats index;
	json_t *obj;
	char *text;

	arc_cache_stats(arc_archive_cache(a), &cache);
	arc_index_stats(arc_archive_index(a), &index);
	obj = json_pack(
		"{s:f, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
		"uptime_seconds", seconds_since(&stats->start), "rss_bytes",
		number(resident_bytes()), "requests", requests_json(stats),
		"errors", number(get(&stats->errors)), "bytes_served",
		number(get(&stats->served)), "bytes_decoded",
		number(cache.decoded), "bytes_read",
		number(arc_volumes_bytes_read(arc_archive_volumes(a))),
		"bad_segments", number(cache.bad_segments), "segments",
		segments_json(&cache), "ahead", ahead_json(&cache.ahead),
		"prefill", prefill_json(prefill), "cache",
		lru_json(&cache.groups), "index_cache", lru_json(&index));
	if (!obj)
		return NULL;
	text = json_dumps(obj, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(obj);
	return text;
}
