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

/* ---- measuring ----------------------------------------------------------- */

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

struct arcfs_timer arcfs_timer_begin(struct arcfs_stats *stats,
				     enum arcfs_op op)
{
	struct arcfs_op_stats *of = &stats->op[op];

	arcfs_stats_add(&of->count, 1);
	return (struct arcfs_timer){ .op = of, .begun = now_ns() };
}

void arcfs_timer_end(const struct arcfs_timer *timer)
{
	arcfs_latency_add(&timer->op->latency, now_ns() - timer->begun);
}

/* ---- telling ------------------------------------------------------------- */

struct row {
	const char *key;
	uint64_t value;
};

static void set_numbers(json_t *obj, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_object_set_new(obj, row[i].key,
				    json_integer((json_int_t)ARC_MIN(
					    row[i].value, INT64_MAX)));
}

/* part / whole, or null. */
static void set_ratio(json_t *obj, const char *key, uint64_t part,
		      uint64_t whole)
{
	json_object_set_new(obj, key,
			    whole ? json_real((double)part / (double)whole)
				  : json_null());
}

static uint64_t get(const uint64_t *counter)
{
	return __atomic_load_n(counter, __ATOMIC_RELAXED);
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* Resident memory of this process, now and at most; 0 where the kernel does not
 * tell. getrusage(2) would have that of who started us in it. */
static void set_memory(json_t *obj)
{
	FILE *f = fopen("/proc/self/status", "re");
	unsigned long long rss = 0, peak = 0;
	char line[128];

	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "VmRSS: %llu", &rss);
		sscanf(line, "VmHWM: %llu", &peak);
	}
	if (f)
		fclose(f);
	set_numbers(
		obj,
		(const struct row[]){ { "rss_bytes", rss * ARC_KIB },
				      { "peak_rss_bytes", peak * ARC_KIB } },
		2);
}

static json_t *microseconds(uint64_t ns)
{
	return json_real((double)ns / 1e3);
}

static json_t *op_json(const struct arcfs_op_stats *op)
{
	const struct row count = { "count", get(&op->count) };
	struct arcfs_latency_summary sum;
	json_t *obj = json_object();

	arcfs_latency_sum_up(&op->latency, &sum);
	set_numbers(obj, &count, 1);
	json_object_set_new(obj, "p50_us", microseconds(sum.p50));
	json_object_set_new(obj, "p95_us", microseconds(sum.p95));
	json_object_set_new(obj, "p99_us", microseconds(sum.p99));
	json_object_set_new(obj, "max_us", microseconds(sum.max));
	return obj;
}

static json_t *operations_json(const struct arcfs_stats *stats)
{
	json_t *obj = json_object();

	for (unsigned i = 0; i < ARCFS_OP_COUNT; i++)
		json_object_set_new(obj, op_names[i], op_json(&stats->op[i]));
	return obj;
}

static json_t *lru_json(const struct arc_lru_stats *s)
{
	const struct row rows[] = {
		{ "hits", s->hits },	       { "misses", s->misses },
		{ "evictions", s->evictions }, { "bytes", s->cost },
		{ "peak_bytes", s->peak },
	};
	json_t *obj = json_object();

	set_numbers(obj, rows, ARC_COUNT(rows));
	set_ratio(obj, "hit_rate", s->hits, s->hits + s->misses);
	return obj;
}

static json_t *segments_json(const struct arc_cache_stats *s)
{
	json_t *obj = json_object();

	for (unsigned i = 0; i < ARC_CODEC_COUNT; i++) {
		const struct row row = { arc_codec_name((uint8_t)i),
					 s->segments[i] };

		if (row.value)
			set_numbers(obj, &row, 1);
	}
	return obj;
}

static json_t *ahead_json(const struct arc_ahead_stats *s)
{
	const struct row rows[] = {
		{ "segments", s->segments },
		{ "groups", s->groups },
		{ "used", s->used },
		{ "pieces", s->pieces },
		{ "frames", s->frames },
		{ "device_frames", s->device_frames },
		{ "device_batches", s->device_batches },
	};
	json_t *obj = json_object();

	json_object_set_new(obj, "devices", json_string(s->state));
	set_numbers(obj, rows, ARC_COUNT(rows));
	set_ratio(obj, "hit_rate", s->used, s->groups);
	json_object_set_new(obj, "message", json_string(s->message));
	return obj;
}

static json_t *memory_json(const struct arc_cache_memory *m,
			   const struct arc_lru_stats *index)
{
	const struct row rows[] = {
		{ "ceiling", m->ceiling + index->budget },
		{ "limit", m->limit + index->limit },
		{ "held", m->held + index->cost },
		{ "in_flight", m->in_flight + index->in_flight },
		{ "peak", m->peak + index->peak },
		{ "waits", m->waits },
		{ "shrinks", m->shrinks },
		{ "tidied", m->tidied + index->tidied },
	};
	json_t *obj = json_object();

	set_numbers(obj, rows, ARC_COUNT(rows));
	return obj;
}

static json_t *prefill_json(const struct arcfs_prefill_stats *s)
{
	const struct row rows[] = {
		{ "files", s->files },
		{ "bytes", s->bytes },
	};
	json_t *obj = json_object();

	set_numbers(obj, rows, ARC_COUNT(rows));
	return obj;
}

char *arcfs_stats_json(const struct arcfs_stats *stats, struct arc_archive *a,
		       struct arcfs_prefill *prefill)
{
	struct arc_volumes *vs = arc_archive_volumes(a);
	struct arcfs_prefill_stats filled = { 0 };
	struct arc_cache_stats cache;
	struct arc_lru_stats index;
	json_t *obj = json_object();
	char *text;

	arc_cache_stats(arc_archive_cache(a), &cache);
	arc_index_stats(arc_archive_index(a), &index);
	if (prefill)
		arcfs_prefill_stats(prefill, &filled);
	const struct row rows[] = {
		{ "errors", get(&stats->errors) },
		{ "bytes_served", get(&stats->served) },
		{ "bytes_decoded", cache.decoded },
		{ "bytes_read", arc_volumes_bytes_read(vs) },
		{ "bytes_read_direct", arc_volumes_bytes_direct(vs) },
		{ "bad_segments", cache.bad_segments },
	};

	json_object_set_new(obj, "uptime_seconds",
			    json_real(seconds_since(&stats->start)));
	set_memory(obj);
	set_numbers(obj, rows, ARC_COUNT(rows));
	set_ratio(obj, "amplification", cache.decoded, get(&stats->served));
	json_object_set_new(obj, "operations", operations_json(stats));
	json_object_set_new(obj, "memory", memory_json(&cache.memory, &index));
	json_object_set_new(obj, "segments", segments_json(&cache));
	json_object_set_new(obj, "cache", lru_json(&cache.groups));
	json_object_set_new(obj, "index_cache", lru_json(&index));
	json_object_set_new(obj, "ahead", ahead_json(&cache.ahead));
	json_object_set_new(obj, "prefill", prefill_json(&filled));
	text = json_dumps(obj, JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(obj);
	return text;
}
