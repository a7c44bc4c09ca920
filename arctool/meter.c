/* SPDX-License-Identifier: MIT */
#include "meter.h"

#include <pthread.h>
#include <stdio.h>

#include "tool.h"

#define DRAW_EVERY 0.25 /* seconds */

struct tool_meter {
	const char *what;
	double begun;
	pthread_mutex_t lock; /* of everything below and of the line itself */
	uint64_t done;
	uint64_t total;
	double drawn_at;
	bool drawn; /* the cursor stands behind a line of ours */
};

int tool_meter_new(const char *what, struct tool_meter **ret)
{
	struct tool_meter *m;

	*ret = NULL;
	if (!isatty(STDERR_FILENO))
		return 0;
	m = calloc(1, sizeof(*m));
	if (!m)
		return -ENOMEM;
	m->what = what;
	m->begun = m->drawn_at = tool_now();
	pthread_mutex_init(&m->lock, NULL);
	*ret = m;
	return 0;
}

static void clear(struct tool_meter *m)
{
	if (m->drawn)
		fputs("\r\033[K", stderr);
	m->drawn = false;
}

void tool_meter_free(struct tool_meter *m)
{
	if (!m)
		return;
	clear(m);
	pthread_mutex_destroy(&m->lock);
	free(m);
}

static void draw_sometimes(struct tool_meter *m)
{
	double now = tool_now();
	double mb = (double)m->done / (double)ARC_MIB;

	if (now - m->drawn_at < DRAW_EVERY)
		return;
	fprintf(stderr, "\r\033[K%s %.0f MB", m->what, mb);
	if (m->total)
		fprintf(stderr, " (%.0f %%)", tool_percent(m->done, m->total));
	fprintf(stderr, ", %.0f MB/s", mb / (now - m->begun));
	fflush(stderr);
	m->drawn = true;
	m->drawn_at = now;
}

void tool_meter_total(struct tool_meter *m, uint64_t total)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->total = total;
	pthread_mutex_unlock(&m->lock);
}

void tool_meter_set(struct tool_meter *m, uint64_t done)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->done = done;
	draw_sometimes(m);
	pthread_mutex_unlock(&m->lock);
}

void tool_meter_add(struct tool_meter *m, uint64_t more)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	m->done += more;
	draw_sometimes(m);
	pthread_mutex_unlock(&m->lock);
}

void tool_meter_clear(struct tool_meter *m)
{
	if (!m)
		return;
	pthread_mutex_lock(&m->lock);
	clear(m);
	pthread_mutex_unlock(&m->lock);
}
