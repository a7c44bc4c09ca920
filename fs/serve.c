/* SPDX-License-Identifier: MIT */
#include "serve.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <time.h>

#include "crew.h"
#include "pool.h"

/* How long a request may wait behind another one that takes long, at most
 * twice. */
#define TICK_NS 2000000

/* Interrupts a thread that waits for a request: without a meaning otherwise. */
#define INTERRUPT SIGRTMIN
#define AGAIN_MS 5

/* Those that end a mount; nothing else is done when they come. */
static const int endings[] = { SIGHUP, SIGINT, SIGTERM };
static volatile sig_atomic_t told_to_end;

struct serving {
	struct fuse_session *se;
	struct crew_thread *thread;
	int wake; /* eventfd: the caller of arcfs_serve() has to tick, or end */

	pthread_mutex_t lock; /* what follows */
	pthread_cond_t needed;
	struct arcfs_crew crew;
	unsigned started; /* threads there are */
	unsigned left; /* of them, done */
	unsigned resting; /* of them, not needed */
	unsigned called; /* of them, called and not yet there */
	bool ticking; /* the caller looks at the clock */
	bool over;
	int err;
};

struct crew_thread {
	struct serving *s;
	pthread_t thread;
	struct fuse_buf buf;
};

static void *crew_main(void *arg);

/* One more is to wait for requests: called with the lock. */
static int call_another(struct serving *s)
{
	struct crew_thread *t;
	int err;

	if (s->resting > s->called) {
		s->called++;
		pthread_cond_signal(&s->needed);
		return 0;
	}
	if (s->over || s->started == s->crew.max)
		return 0;
	t = &s->thread[s->started];
	t->s = s;
	err = arc_thread_start(&t->thread, crew_main, t);
	if (!err)
		s->started++;
	return err;
}

/* Once too often does no harm, and more than it can count never happens. */
static void wake_caller(struct serving *s)
{
	(void)eventfd_write(s->wake, 1);
}

/* Called with the lock. */
static void end(struct serving *s, int err)
{
	if (!s->err)
		s->err = err;
	s->over = true;
	wake_caller(s);
	pthread_cond_broadcast(&s->needed);
}

/* Until this thread is to wait for a request; false: it is over. Called with
 * the lock. */
static bool rest(struct serving *s)
{
	while (!s->over && !arcfs_crew_wait(&s->crew)) {
		s->resting++;
		pthread_cond_wait(&s->needed, &s->lock);
		s->resting--;
		if (s->called > 0)
			s->called--;
	}
	return !s->over;
}

static int receive(struct crew_thread *t, bool *ret_was_there)
{
	struct pollfd fd = { .fd = fuse_session_fd(t->s->se),
			     .events = POLLIN };

	*ret_was_there = poll(&fd, 1, 0) > 0;
	return fuse_session_receive_buf(t->s->se, &t->buf);
}

/* A request is there: called with the lock. */
static void take(struct serving *s, bool was_there)
{
	/* Without another thread those that there are go on. */
	if (arcfs_crew_take(&s->crew, was_there) && call_another(s) < 0)
		arcfs_crew_alone(&s->crew);
	if (!s->ticking) {
		s->ticking = true;
		wake_caller(s);
	}
}

static void allow_interrupt(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, INTERRUPT);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void *crew_main(void *arg)
{
	struct crew_thread *t = arg;
	struct serving *s = t->s;
	bool was_there;
	int n;

	allow_interrupt();
	pthread_mutex_lock(&s->lock);
	while (rest(s)) {
		pthread_mutex_unlock(&s->lock);
		n = receive(t, &was_there);
		pthread_mutex_lock(&s->lock);
		if (n == -EINTR || n == -EAGAIN) {
			arcfs_crew_missed(&s->crew);
			continue;
		}
		if (n <= 0) { /* 0: unmounted */
			arcfs_crew_missed(&s->crew);
			end(s, n);
			break;
		}
		take(s, was_there);
		pthread_mutex_unlock(&s->lock);
		fuse_session_process_buf(s->se, &t->buf);
		pthread_mutex_lock(&s->lock);
		arcfs_crew_answered(&s->crew);
	}
	s->left++;
	wake_caller(s);
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* Looks whether a request waits behind one that takes long. *ret: whether to
 * look again soon. False: it is over. */
static bool tick(struct serving *s, bool *ret)
{
	bool over;

	pthread_mutex_lock(&s->lock);
	s->ticking = s->crew.busy > 0 || s->crew.moved;
	if (arcfs_crew_tick(&s->crew) && call_another(s) < 0)
		arcfs_crew_alone(&s->crew);
	*ret = s->ticking;
	over = s->over;
	pthread_mutex_unlock(&s->lock);
	return !over && !told_to_end;
}

/* Until the end. Signals come while it sleeps, and at no other time: none can
 * come between the look and the sleep. */
static void watch(struct serving *s)
{
	const struct timespec moment = { .tv_nsec = TICK_NS };
	struct pollfd fd = { .fd = s->wake, .events = POLLIN };
	sigset_t all, before;
	eventfd_t n;
	bool soon;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	while (tick(s, &soon)) {
		if (ppoll(&fd, 1, soon ? &moment : NULL, &before) > 0)
			(void)eventfd_read(s->wake, &n);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static bool all_left(struct serving *s)
{
	bool all;

	pthread_mutex_lock(&s->lock);
	all = s->left == s->started;
	pthread_mutex_unlock(&s->lock);
	return all;
}

/* A thread may be just about to wait when it is interrupted: so again. */
static void end_threads(struct serving *s)
{
	struct pollfd fd = { .fd = s->wake, .events = POLLIN };
	eventfd_t n;

	pthread_mutex_lock(&s->lock);
	end(s, 0); /* no more are started */
	pthread_mutex_unlock(&s->lock);
	while (!all_left(s)) {
		for (unsigned i = 0; i < s->started; i++)
			pthread_kill(s->thread[i].thread, INTERRUPT);
		if (poll(&fd, 1, AGAIN_MS) > 0)
			(void)eventfd_read(s->wake, &n);
	}
	for (unsigned i = 0; i < s->started; i++) {
		pthread_join(s->thread[i].thread, NULL);
		free(s->thread[i].buf.mem);
	}
}

static void on_ending(int sig)
{
	(void)sig;
	told_to_end = 1;
}

/* Changes what is `from`. */
static void set_action(int sig, void (*from)(int sig), void (*to)(int sig))
{
	const struct sigaction action = { .sa_handler = to };
	struct sigaction old;

	if (!sigaction(sig, NULL, &old) && old.sa_handler == from)
		sigaction(sig, &action, NULL);
}

void arcfs_catch_signals(void)
{
	for (size_t i = 0; i < ARC_COUNT(endings); i++)
		set_action(endings[i], SIG_DFL, on_ending);
	set_action(SIGPIPE, SIG_DFL, SIG_IGN);
}

void arcfs_release_signals(void)
{
	for (size_t i = 0; i < ARC_COUNT(endings); i++)
		set_action(endings[i], on_ending, SIG_DFL);
}

static void on_interrupt(int sig)
{
	(void)sig; /* that it came is all */
}

int arcfs_serve(struct fuse_session *se, unsigned threads)
{
	const struct sigaction interrupt = { .sa_handler = on_interrupt };
	struct serving s = { .se = se };
	arc_cleanup(arc_closep) int wake =
		eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	arc_cleanup(arc_freep) struct crew_thread *thread =
		calloc(threads, sizeof(*thread));
	int err;

	if (wake < 0)
		return -errno;
	if (!thread)
		return -ENOMEM;
	sigaction(INTERRUPT, &interrupt, NULL);
	s.wake = wake;
	s.thread = thread;
	arcfs_crew_init(&s.crew, threads);
	pthread_mutex_init(&s.lock, NULL);
	pthread_cond_init(&s.needed, NULL);
	pthread_mutex_lock(&s.lock);
	err = call_another(&s);
	pthread_mutex_unlock(&s.lock);
	if (!err)
		watch(&s);
	end_threads(&s);
	pthread_cond_destroy(&s.needed);
	pthread_mutex_destroy(&s.lock);
	return err ? err : s.err;
}
