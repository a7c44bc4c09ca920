/* SPDX-License-Identifier: MIT */
/*
 * Directories wait in a list, in the order in which the walk will need them:
 * those of the innermost directory first. How much has been found and not been
 * taken yet is bounded, by names; the walk never waits for anything but a
 * thread that is at work.
 */
#include "scanahead.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>

#include "longpath.h"
#include "pool.h"
#include "scan_i.h"
#include "source.h"

/* Names of one directory, and of all that were not taken yet. */
#define LISTED_MAX 8192
#define WAITING_MAX 65536

#define LISTING_BUFFER 32768

/* A directory and, without /proc, a file. */
#define WORKER_FDS 2

enum look_state { LOOK_WAITS, LOOK_AT_WORK, LOOK_DONE, LOOK_FAILED };

struct mk_look {
	uint64_t entry;
	uint64_t dev, ino;
	char *path; /* relative to the source */
	struct mk_look *next, *prev; /* in the list while it waits; by lock */
	enum look_state state; /* by lock */
	struct arc_buf names; /* valid when done, as the next two */
	struct mk_listed *listed;
	size_t count;
};

struct mk_lookahead {
	const struct mk_tree *tree;
	bool by_proc;
	bool by_at; /* mk_xattrs_list_at() can be used */
	unsigned threads; /* the owner's, as the next is */
	pthread_t *thread;

	pthread_mutex_t lock;
	pthread_cond_t wanted; /* something waits, or room, or stop */
	pthread_cond_t finished; /* a look was */
	struct mk_look *first; /* by lock, as the next two */
	size_t waiting; /* names that were found and not taken */
	bool stop;
};

/* ---- the list; all with the lock ----------------------------------------- */

static void insert(struct mk_lookahead *a, struct mk_look *look,
		   struct mk_look *after)
{
	look->prev = after;
	look->next = after ? after->next : a->first;
	if (look->next)
		look->next->prev = look;
	if (after)
		after->next = look;
	else
		a->first = look;
}

static void unlist(struct mk_lookahead *a, struct mk_look *look)
{
	if (look->next)
		look->next->prev = look->prev;
	if (look->prev)
		look->prev->next = look->next;
	else
		a->first = look->next;
}

/* ---- looking ------------------------------------------------------------- */

static int open_path(const struct mk_lookahead *a, const struct mk_look *look,
		     int more)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	arc_cleanup(arc_freep) char *path = strdup(look->path);

	if (!path)
		return -ENOMEM;
	return mk_longpath_open(a->tree->root_fd, path, flags | more);
}

static int open_dir(const struct mk_lookahead *a, const struct mk_look *look)
{
	arc_cleanup(arc_closep) int fd = open_path(a, look, O_NOATIME);
	struct stat st;

	if (fd == -EPERM)
		fd = open_path(a, look, 0);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st))
		return -errno;
	if (st.st_dev != look->dev || st.st_ino != look->ino)
		return -ESTALE;
	return arc_steal_fd(&fd);
}

/* The names, one NUL-terminated behind the other. */
static int read_names(int fd, struct mk_look *look)
{
	_Alignas(struct dirent64) char listing[LISTING_BUFFER];
	ssize_t n;
	int err = 0;

	while (!err && (n = getdents64(fd, listing, sizeof(listing))) > 0) {
		for (ssize_t at = 0; !err && at < n;) {
			const struct dirent64 *d = (void *)(listing + at);

			at += d->d_reclen;
			if (!strcmp(d->d_name, ".") || !strcmp(d->d_name, ".."))
				continue;
			err = look->count++ < LISTED_MAX
				      ? arc_buf_append(&look->names, d->d_name,
						       strlen(d->d_name) + 1)
				      : -E2BIG;
		}
	}
	return err ? err : n < 0 ? -errno : 0;
}

static int by_name(const void *a, const void *b)
{
	const struct mk_listed *one = a;
	const struct mk_listed *other = b;

	return strcmp(one->name, other->name);
}

static bool has_no_attributes(const struct mk_lookahead *a, int fd,
			      const char *name)
{
	char path[32 + NAME_MAX * 4];
	ssize_t listed;
	int n;

	if (a->by_at) {
		listed = mk_xattrs_list_at(fd, name, NULL, 0);
		return !listed || (listed < 0 && errno == ENOTSUP);
	}
	n = snprintf(path, sizeof(path), "/proc/self/fd/%d/%s", fd, name);
	if (!a->by_proc || n < 0 || (size_t)n >= sizeof(path))
		return false;
	listed = llistxattr(path, NULL, 0);
	return !listed || (listed < 0 && errno == ENOTSUP);
}

static int look_at_names(const struct mk_lookahead *a, int fd,
			 struct mk_look *look)
{
	const char *name = (const char *)look->names.p;

	look->listed = calloc(look->count + 1, sizeof(*look->listed));
	if (!look->listed)
		return -ENOMEM;
	for (size_t i = 0; i < look->count; i++) {
		look->listed[i].name = name;
		name += strlen(name) + 1;
	}
	qsort(look->listed, look->count, sizeof(*look->listed), by_name);
	for (size_t i = 0; i < look->count; i++) {
		struct mk_listed *l = &look->listed[i];

		l->known = !fstatat(fd, l->name, &l->st,
				    AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) &&
			   has_no_attributes(a, fd, l->name);
	}
	return 0;
}

static int look_at(const struct mk_lookahead *a, struct mk_look *look)
{
	arc_cleanup(arc_closep) int fd = open_dir(a, look);
	int err = fd < 0 ? fd : read_names(fd, look);

	return err ? err : look_at_names(a, fd, look);
}

static void *worker_main(void *arg)
{
	struct mk_lookahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		struct mk_look *look = a->first;
		int err;

		if (!look || a->waiting >= WAITING_MAX) {
			pthread_cond_wait(&a->wanted, &a->lock);
			continue;
		}
		unlist(a, look);
		look->state = LOOK_AT_WORK;
		pthread_mutex_unlock(&a->lock);
		err = look_at(a, look);
		pthread_mutex_lock(&a->lock);
		look->state = err ? LOOK_FAILED : LOOK_DONE;
		a->waiting += look->count;
		pthread_cond_signal(&a->finished);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* ---- the walk ------------------------------------------------------------ */

int mk_look_new(struct mk_lookahead *a, uint64_t entry, struct mk_look *after,
		struct mk_look **ret)
{
	const struct mk_entry *e = mk_tree_at(a->tree, entry);
	struct mk_look *look = calloc(1, sizeof(*look));
	struct arc_buf path = { 0 };
	int err;

	if (!look)
		return -ENOMEM;
	err = mk_tree_path(a->tree, entry, &path);
	if (err) {
		arc_buf_fini(&path);
		free(look);
		return err;
	}
	look->entry = entry;
	look->dev = e->dev;
	look->ino = e->ino;
	look->path = (char *)path.p;
	pthread_mutex_lock(&a->lock);
	insert(a, look, after && after->state == LOOK_WAITS ? after : NULL);
	pthread_cond_signal(&a->wanted);
	pthread_mutex_unlock(&a->lock);
	*ret = look;
	return 0;
}

uint64_t mk_look_entry(const struct mk_look *look)
{
	return look->entry;
}

/* Waits for the thread that is at it; then nobody has it but the owner. */
static void settle(struct mk_lookahead *a, struct mk_look *look)
{
	pthread_mutex_lock(&a->lock);
	if (look->state == LOOK_WAITS) {
		unlist(a, look);
		look->state = LOOK_FAILED;
	}
	while (look->state == LOOK_AT_WORK)
		pthread_cond_wait(&a->finished, &a->lock);
	pthread_mutex_unlock(&a->lock);
}

bool mk_look_take(struct mk_lookahead *a, struct mk_look *look,
		  const struct mk_listed **ret, size_t *ret_n)
{
	settle(a, look);
	if (look->state != LOOK_DONE)
		return false;
	*ret = look->listed;
	*ret_n = look->count;
	return true;
}

void mk_look_free(struct mk_lookahead *a, struct mk_look *look)
{
	settle(a, look);
	pthread_mutex_lock(&a->lock);
	if (a->waiting >= WAITING_MAX)
		pthread_cond_broadcast(&a->wanted);
	a->waiting -= look->count;
	pthread_mutex_unlock(&a->lock);
	arc_buf_fini(&look->names);
	free(look->listed);
	free(look->path);
	free(look);
}

/* ---- the threads --------------------------------------------------------- */

void mk_lookahead_free(struct mk_lookahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_broadcast(&a->wanted);
	pthread_mutex_unlock(&a->lock);
	for (unsigned i = 0; i < a->threads; i++)
		pthread_join(a->thread[i], NULL);
	pthread_cond_destroy(&a->finished);
	pthread_cond_destroy(&a->wanted);
	pthread_mutex_destroy(&a->lock);
	free(a->thread);
	free(a);
}

int mk_lookahead_new(struct mk_run *run, const struct mk_tree *tree,
		     bool by_proc, struct mk_lookahead **ret)
{
	unsigned wanted =
		mk_source_threads(tree, run->opt->scan_workers, WORKER_FDS);
	struct mk_lookahead *a;

	*ret = NULL;
	if (!wanted)
		return 0;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->tree = tree;
	a->by_proc = by_proc;
	a->by_at = by_proc && mk_xattrs_can_list_at(tree->root_fd);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->wanted, NULL);
	pthread_cond_init(&a->finished, NULL);
	a->thread = calloc(wanted, sizeof(*a->thread));
	while (a->thread && a->threads < wanted &&
	       !arc_thread_start(&a->thread[a->threads], worker_main, a))
		a->threads++;
	if (!a->thread) {
		mk_lookahead_free(a);
		return -ENOMEM;
	}
	*ret = a;
	return 0;
}
