/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "status_i.h"

/* A table being printed. */
struct view {
	const struct tool_status *s;
	double seconds; /* since the look before; 0: no rates */
	struct arc_buf room;
};

static uint64_t number_of(json_t *o, const char *key)
{
	json_int_t n = json_integer_value(json_object_get(o, key));

	return n > 0 ? (uint64_t)n : 0;
}

static double real_of(json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

/* Whatever a double holds, as a number that can be shown. */
static uint64_t whole(double n)
{
	if (!(n > 0))
		return 0;
	return n < 1e18 ? (uint64_t)n : (uint64_t)1e18;
}

static const char *show(struct view *v, const char *text)
{
	const char *shown = tool_show(&v->room, text, strlen(text));

	return shown ? shown : "?";
}

/* By how much a counter of an object has grown in a second. */
static double rate_of(const struct view *v, json_t *now, json_t *before,
		      const char *key)
{
	double more =
		(double)number_of(now, key) - (double)number_of(before, key);

	return more / v->seconds;
}

/* Two looks at the same mount, one after the other? */
static double seconds_between(const struct tool_status *s)
{
	double n;

	if (!s->before)
		return 0;
	n = real_of(s->now, "uptime_seconds") -
	    real_of(s->before, "uptime_seconds");
	return n > 0 ? n : 0;
}

/* ---- the mount ----------------------------------------------------------- */

static void print_uptime(json_t *now)
{
	uint64_t s = whole(real_of(now, "uptime_seconds"));

	printf("%-12s ", "up");
	if (s >= 86400)
		printf("%" PRIu64 " days, ", s / 86400);
	printf("%02u:%02u:%02u\n", (unsigned)(s / 3600 % 24),
	       (unsigned)(s / 60 % 60), (unsigned)(s % 60));
}

static void print_memory(json_t *now)
{
	char rss[TOOL_SIZE_ROOM], peak[TOOL_SIZE_ROOM];

	printf("%-12s %s, %s at most\n", "memory",
	       tool_show_size(number_of(now, "rss_bytes"), rss),
	       tool_show_size(number_of(now, "peak_rss_bytes"), peak));
}

static void print_bytes(const struct view *v, const char *label,
			const char *key)
{
	char size[TOOL_SIZE_ROOM];
	double rate;

	printf("%-12s %s", label,
	       tool_show_size(number_of(v->s->now, key), size));
	if (v->seconds > 0) {
		rate = rate_of(v, v->s->now, v->s->before, key);
		printf(", %s/s", tool_show_size(whole(rate), size));
	}
}

static void print_work(const struct view *v)
{
	json_t *amplification = json_object_get(v->s->now, "amplification");

	print_bytes(v, "served", "bytes_served");
	putchar('\n');
	print_bytes(v, "decoded", "bytes_decoded");
	if (json_is_number(amplification))
		printf(", %.2f times what was served",
		       json_number_value(amplification));
	putchar('\n');
	print_bytes(v, "read", "bytes_read");
	puts(", from the volumes");
	print_bytes(v, "direct", "bytes_read_direct");
	puts(", of them around the system's cache");
	printf("%-12s %" PRIu64 " requests answered EIO, %" PRIu64
	       " bad segments\n",
	       "errors", number_of(v->s->now, "errors"),
	       number_of(v->s->now, "bad_segments"));
}

static void print_cache(struct view *v, const char *name, json_t *cache)
{
	char bytes[TOOL_SIZE_ROOM], peak[TOOL_SIZE_ROOM];
	uint64_t hits = number_of(cache, "hits");
	uint64_t misses = number_of(cache, "misses");

	printf("%-12s %" PRIu64 " hits, %" PRIu64 " misses (%.1f %%), %" PRIu64
	       " evictions; %s, %s at most\n",
	       show(v, name), hits, misses, tool_percent(hits, hits + misses),
	       number_of(cache, "evictions"),
	       tool_show_size(number_of(cache, "bytes"), bytes),
	       tool_show_size(number_of(cache, "peak_bytes"), peak));
}

/* Whatever an object holds, on one line. */
static void print_object(struct view *v, const char *label, json_t *object)
{
	const char *before = "";
	const char *name;
	json_t *value;

	printf("%-12s ", show(v, label));
	json_object_foreach(object, name, value)
	{
		const char *text = json_string_value(value);

		if (text && !*text)
			continue;
		printf("%s%s ", before, show(v, name));
		if (text)
			fputs(show(v, text), stdout);
		else if (json_is_integer(value))
			printf("%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
		else if (json_is_number(value))
			printf("%.3f", json_number_value(value));
		else
			putchar('-');
		before = ", ";
	}
	puts(*before ? "" : "none");
}

/* The parts of a mount, those too that are younger than this program. */
static void print_parts(struct view *v)
{
	const char *name;
	json_t *part;

	json_object_foreach(v->s->now, name, part)
	{
		if (!json_is_object(part) || strcmp(name, "operations") == 0)
			continue;
		if (json_object_get(part, "hits"))
			print_cache(v, name, part);
		else
			print_object(v, name, part);
	}
}

/* ---- operations ---------------------------------------------------------- */

static void print_operation(struct view *v, const char *name, json_t *op)
{
	json_t *before = json_object_get(
		json_object_get(v->s->before, "operations"), name);
	static const char *const times[] = { "p50_us", "p95_us", "p99_us",
					     "max_us" };

	printf("%-12s %11" PRIu64, show(v, name), number_of(op, "count"));
	if (v->seconds > 0)
		printf(" %10.1f", rate_of(v, op, before, "count"));
	else
		printf(" %10s", "-");
	for (size_t i = 0; i < ARC_COUNT(times); i++)
		printf(" %10.1f", real_of(op, times[i]));
	putchar('\n');
}

static void print_operations(struct view *v)
{
	const char *name;
	json_t *op;

	printf("\n%-12s %11s %10s %10s %10s %10s %10s\n", "operation", "count",
	       "per second", "p50 us", "p95 us", "p99 us", "max us");
	json_object_foreach(json_object_get(v->s->now, "operations"), name, op)
	{
		if (number_of(op, "count"))
			print_operation(v, name, op);
	}
}

void tool_status_print(const struct tool_status *s)
{
	struct view v = { .s = s, .seconds = seconds_between(s) };

	printf("%-12s %s\n", "mount", show(&v, s->root));
	if (s->archive)
		printf("%-12s %s\n", "archive", show(&v, s->archive));
	print_uptime(s->now);
	print_memory(s->now);
	print_work(&v);
	print_parts(&v);
	print_operations(&v);
	arc_buf_fini(&v.room);
}
