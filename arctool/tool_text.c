/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "tool.h"

const char *tool_show(struct arc_buf *room, const void *bytes, size_t n)
{
	size_t cap;

	/* A byte becomes four at most. */
	if (!arc_mul_ok(n, (size_t)4, &cap) ||
	    !arc_add_ok(cap, (size_t)1, &cap))
		return NULL;
	room->n = 0;
	if (arc_buf_reserve(room, cap) < 0)
		return NULL;
	return arc_escape(bytes, n, (char *)room->p, cap);
}

static char type_letter(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFCHR:
		return 'c';
	case S_IFBLK:
		return 'b';
	case S_IFIFO:
		return 'p';
	case S_IFSOCK:
		return 's';
	default:
		return '-';
	}
}

void tool_show_mode(uint32_t mode, char ret[11])
{
	static const char bits[] = "rwxrwxrwx";
	static const struct {
		uint32_t bit;
		int at;
		char with_x, without_x;
	} special[] = { { S_ISUID, 3, 's', 'S' },
			{ S_ISGID, 6, 's', 'S' },
			{ S_ISVTX, 9, 't', 'T' } };

	ret[0] = type_letter(mode);
	for (int i = 0; i < 9; i++)
		ret[i + 1] = mode & (0400U >> i) ? bits[i] : '-';
	for (size_t i = 0; i < ARC_COUNT(special); i++) {
		char *c = &ret[special[i].at];

		if (mode & special[i].bit)
			*c = *c == 'x' ? special[i].with_x
				       : special[i].without_x;
	}
	ret[10] = '\0';
}

void tool_show_time(int64_t seconds, char ret[TOOL_TIME_ROOM])
{
	time_t t = (time_t)seconds;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    !strftime(ret, TOOL_TIME_ROOM, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(ret, TOOL_TIME_ROOM, "@%" PRId64, seconds);
}

const char *tool_show_size(uint64_t n, char ret[TOOL_SIZE_ROOM])
{
	static const char *const units[] = { "bytes", "KiB", "MiB", "GiB",
					     "TiB",   "PiB", "EiB" };
	double value = (double)n;
	size_t i = 0;

	for (; value >= 1024 && i + 1 < ARC_COUNT(units); i++)
		value /= 1024;
	snprintf(ret, TOOL_SIZE_ROOM, i ? "%.1f %s" : "%.0f %s", value,
		 units[i]);
	return ret;
}

double tool_percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

double tool_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int tool_flush(struct tool *t)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return 0;
	arc_say(&t->diag, ARC_ERROR, "standard output cannot be written");
	return -EIO;
}
