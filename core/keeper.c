/* SPDX-License-Identifier: MIT */
/*
 * Nobody reads a clock for a use of the caches: what is used remembers the tick
 * that the keeper has told last, which lies up to one period back. So a thing is
 * dropped only when its tick is one period older than asked for.
 */
#include "keeper.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>

#include "memory.h"

#define PERIOD_MAX 15 /* seconds */
#define CALM 10 /* seconds without a cry before anything grows again */

enum { STOP, ASKED, PRESSURE, FDS };

struct arc_keeper {
	struct arc_archive *archive;
	struct arc_diag *diag;
	const char *root;
	unsigned tidy, period;
	pthread_t thread;
	int own[FDS]; /* closed in the end */

	/* the thread's own: */
	struct pollfd fd[FDS]; /* -1: not listened to */
	bool shrunk;
	uint32_t shrunk_at;
};

static uint32_t seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint32_t)t.tv_sec;
}

static void shrink(struct arc_keeper *k, const char *why)
{
	arc_say(k->diag, ARC_DEBUG,
		"caches give back half of what they hold: %s", why);
	arc_archive_shrink(k->archive);
	arc_memory_give_back();
	k->shrunk = true;
	k->shrunk_at = seconds();
}

static void look_after(struct arc_keeper *k)
{
	uint32_t now = seconds();

	if (k->tidy && arc_archive_tidy(k->archive, now, k->tidy + k->period))
		arc_memory_give_back();
	if (k->shrunk && now - k->shrunk_at >= CALM)
		k->shrunk = arc_archive_regrow(k->archive);
}

static void hear_pressure(struct arc_keeper *k)
{
	if (arc_memory_is_short(k->root))
		shrink(k, "memory is short");
	else
		arc_say(k->diag, ARC_DEBUG, "others wait for memory");
}

static void hear(struct arc_keeper *k)
{
	char rest[256];

	if (k->fd[ASKED].revents) {
		if (read(k->fd[ASKED].fd, rest, sizeof(rest)) > 0)
			shrink(k, "asked to");
		else
			k->fd[ASKED].fd = -1;
	}
	if (k->fd[PRESSURE].revents & (POLLERR | POLLNVAL | POLLHUP))
		k->fd[PRESSURE].fd = -1;
	else if (k->fd[PRESSURE].revents)
		hear_pressure(k);
}

static void *keeper_main(void *arg)
{
	struct arc_keeper *k = arg;

	while (!k->fd[STOP].revents) {
		int wait = k->tidy ? (int)k->period * 1000 : -1;

		if (k->shrunk)
			wait = 1000;
		if (poll(k->fd, FDS, wait) > 0)
			hear(k);
		look_after(k);
	}
	return NULL;
}

static void fini(struct arc_keeper *k)
{
	for (int i = 0; i < FDS; i++)
		arc_closep(&k->own[i]);
	free(k);
}

int arc_keeper_new(struct arc_archive *archive,
		   const struct arc_keeper_options *opt, struct arc_diag *diag,
		   struct arc_keeper **ret)
{
	static const short events[FDS] = { POLLIN, POLLIN, POLLPRI };
	const int own[FDS] = { eventfd(0, EFD_CLOEXEC), opt->asked,
			       opt->pressure };
	struct arc_keeper *k = calloc(1, sizeof(*k));
	int err = k && own[STOP] >= 0 ? 0 : -ENOMEM;

	for (int i = 0; i < FDS && !k; i++)
		arc_closep(&own[i]);
	if (!k)
		return err;
	k->archive = archive;
	k->diag = diag;
	k->root = opt->root;
	k->tidy = opt->tidy;
	k->period = ARC_MIN(ARC_MAX(opt->tidy / 4, 1), PERIOD_MAX);
	for (int i = 0; i < FDS; i++) {
		k->own[i] = own[i];
		k->fd[i] = (struct pollfd){ own[i], events[i], 0 };
	}
	if (k->tidy)
		arc_archive_tidy(archive, seconds(), UINT32_MAX);
	if (!err)
		err = arc_thread_start(&k->thread, keeper_main, k);
	if (err) {
		fini(k);
		return err;
	}
	*ret = k;
	return 0;
}

void arc_keeper_free(struct arc_keeper *k)
{
	if (!k)
		return;
	eventfd_write(k->own[STOP], 1);
	pthread_join(k->thread, NULL);
	fini(k);
}
