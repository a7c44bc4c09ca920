/* SPDX-License-Identifier: MIT */
/*
 * volume - reads from the volumes of a set.
 *
 * A fixed number of places holds the stores that are open. A reader counts
 * itself in at a place, reads without the lock, counts itself out; only a
 * place nobody uses is given to another volume. When every place is in use a
 * reader waits for one: nobody holds two, so this ends. (Opening one more
 * instead would make the bound a wish; the descriptors of a process are few.)
 *
 * A volume that failed to open is not remembered as bad: it may be put back.
 * One whose read failed is opened anew the next time.
 */
#include <sys/resource.h>

#include "volume_i.h"

#define OPEN_MIN 4
#define OPEN_MAX 64

/* One open volume. All fields under the set's lock. */
struct place {
	uint32_t number; /* 0: nothing that a reader could use */
	bool opening;
	unsigned users;
	uint64_t used; /* clock of the last use */
	struct arc_store *store;
};

struct arc_volumes {
	struct arc_volume_source source;
	struct arc_diag *diag;
	struct arc_disk_footer footer;
	uint32_t count;
	atomic_uint_fast64_t bytes_read;
	atomic_uint_fast64_t bytes_direct;

	pthread_mutex_t lock;
	pthread_cond_t changed; /* a place became free or usable */
	uint8_t *said; /* bit per volume: complained about; lock */
	uint64_t clock; /* lock */
	unsigned places;
	struct place place[];
};

char *arc_volumes_name(const struct arc_volumes *vs, uint32_t number, char *out,
		       size_t cap)
{
	return volume_name(&vs->source, number, out, cap);
}

/* Says `text` about a volume unless something was said about it before. */
static void complain(struct arc_volumes *vs, enum arc_level level,
		     uint32_t number, const char *text)
{
	uint8_t bit = (uint8_t)(1u << (number % 8));
	char name[512];
	bool before;

	pthread_mutex_lock(&vs->lock);
	before = vs->said[number / 8] & bit;
	vs->said[number / 8] |= bit;
	pthread_mutex_unlock(&vs->lock);
	if (!before)
		arc_say(vs->diag, level, "%s: %s",
			arc_volumes_name(vs, number, name, sizeof(name)), text);
}

/* ---- opening one volume ------------------------------------------------- */

/* Closes a store that nobody uses; false when there is none. */
static bool close_idle(struct arc_volumes *vs)
{
	struct arc_store *victim = NULL;

	pthread_mutex_lock(&vs->lock);
	for (unsigned i = 0; i < vs->places && !victim; i++) {
		struct place *p = &vs->place[i];

		if (p->users == 0 && p->store) {
			victim = arc_steal(p->store);
			p->number = 0;
		}
	}
	pthread_mutex_unlock(&vs->lock);
	arc_store_close(victim);
	return victim;
}

/* Whether the header of an open volume is that of this set and number. */
static int check_header(struct arc_volumes *vs, uint32_t number,
			struct arc_store *store)
{
	struct arc_disk_volume header;
	int err = arc_store_read(store, &header, sizeof(header), 0);

	if (err == -EBADMSG) {
		complain(vs, ARC_ERROR, number, "cut off in its header");
		return err;
	}
	if (err < 0) {
		complain(vs, ARC_ERROR, number, arc_error_text(err));
		return err;
	}
	err = arc_format_check_volume(&header, 0);
	if (err == -EBADMSG) {
		complain(vs, ARC_WARN, number,
			 "the volume's header is damaged");
		return 0;
	}
	if (err < 0) {
		complain(vs, ARC_ERROR, number, arc_error_text(err));
		return err;
	}
	if (memcmp(header.id, vs->footer.id, sizeof(header.id)) != 0 ||
	    arc_get32(header.number) != number) {
		complain(vs, ARC_ERROR, number, arc_error_text(-ESTALE));
		return -ESTALE;
	}
	return 0;
}

static int open_checked(struct arc_volumes *vs, uint32_t number,
			struct arc_store **ret)
{
	arc_cleanup(arc_store_closep) struct arc_store *store = NULL;
	int err;

	do {
		err = vs->source.ops->open(vs->source.ctx, number, &store);
	} while ((err == -EMFILE || err == -ENFILE) && close_idle(vs));
	if (err < 0) {
		complain(vs, ARC_ERROR, number, arc_error_text(err));
		return err == -EMFILE || err == -ENFILE ? -EIO : err;
	}
	err = check_header(vs, number, store);
	if (err < 0)
		return err;
	*ret = arc_steal(store);
	return 0;
}

/* ---- places ------------------------------------------------------------- */

/* Lock held. */
static struct place *find_place(struct arc_volumes *vs, uint32_t number)
{
	for (unsigned i = 0; i < vs->places; i++)
		if (vs->place[i].number == number)
			return &vs->place[i];
	return NULL;
}

/* The place that nobody uses and that was used longest ago, or NULL. Lock
 * held. */
static struct place *idle_place(struct arc_volumes *vs)
{
	struct place *best = NULL;

	for (unsigned i = 0; i < vs->places; i++) {
		struct place *p = &vs->place[i];

		if (p->users > 0)
			continue;
		if (!p->store)
			return p;
		if (!best || p->used < best->used)
			best = p;
	}
	return best;
}

/* Opens `number` into a place that was claimed for it (opening is set). */
static int fill_place(struct arc_volumes *vs, struct place *p, uint32_t number)
{
	struct arc_store *store = NULL;
	int err = open_checked(vs, number, &store);

	pthread_mutex_lock(&vs->lock);
	p->opening = false;
	p->store = store;
	if (err < 0) {
		p->number = 0;
		p->users = 0;
	}
	pthread_cond_broadcast(&vs->changed);
	pthread_mutex_unlock(&vs->lock);
	return err;
}

static int enter_volume(struct arc_volumes *vs, uint32_t number,
			struct place **ret)
{
	struct arc_store *victim;
	struct place *p;

	if (number == 0 || number > vs->count)
		return -EBADMSG;
	pthread_mutex_lock(&vs->lock);
	for (;;) {
		p = find_place(vs, number);
		if (p && !p->opening) {
			p->users++;
			p->used = ++vs->clock;
			pthread_mutex_unlock(&vs->lock);
			*ret = p;
			return 0;
		}
		if (!p && (p = idle_place(vs)) != NULL)
			break;
		pthread_cond_wait(&vs->changed, &vs->lock);
	}
	victim = arc_steal(p->store);
	p->number = number;
	p->opening = true;
	p->users = 1;
	p->used = ++vs->clock;
	pthread_mutex_unlock(&vs->lock);

	arc_store_close(victim);
	*ret = p;
	return fill_place(vs, p, number);
}

/* failed: nobody may enter this store any more, the volume is opened anew. */
static void leave_volume(struct arc_volumes *vs, struct place *p, bool failed)
{
	struct arc_store *victim = NULL;

	pthread_mutex_lock(&vs->lock);
	if (failed)
		p->number = 0;
	if (--p->users == 0) {
		if (p->number == 0)
			victim = arc_steal(p->store);
		pthread_cond_broadcast(&vs->changed);
	}
	pthread_mutex_unlock(&vs->lock);
	arc_store_close(victim);
}

/* ---- reading ------------------------------------------------------------ */

/* n bytes have been read from the volume at p, or not. */
static void end_read(struct arc_volumes *vs, uint32_t number, struct place *p,
		     size_t n, int err)
{
	leave_volume(vs, p, err < 0);
	if (err == -EBADMSG)
		complain(vs, ARC_ERROR, number, "shorter than it should be");
	else if (err < 0)
		complain(vs, ARC_ERROR, number, arc_error_text(err));
	else
		atomic_fetch_add_explicit(&vs->bytes_read, n,
					  memory_order_relaxed);
}

int arc_volumes_read(struct arc_volumes *vs, uint32_t number, uint64_t off,
		     void *buf, size_t n)
{
	struct place *p;
	int err = enter_volume(vs, number, &p);

	if (err < 0)
		return err;
	err = arc_store_read(p->store, buf, n, off);
	end_read(vs, number, p, n, err);
	return err;
}

int arc_volumes_read_once(struct arc_volumes *vs, uint32_t number, uint64_t off,
			  void *buf, size_t n, uint8_t **ret)
{
	struct place *p;
	int err = enter_volume(vs, number, &p);

	if (err < 0)
		return err;
	err = arc_store_read_once(p->store, buf, n, off, ret);
	end_read(vs, number, p, n, err);
	if (err > 0)
		atomic_fetch_add_explicit(&vs->bytes_direct, n,
					  memory_order_relaxed);
	return err;
}

int arc_volumes_size(struct arc_volumes *vs, uint32_t number, uint64_t *ret)
{
	struct place *p;
	int err = enter_volume(vs, number, &p);

	if (err < 0)
		return err;
	err = arc_store_size(p->store, ret);
	leave_volume(vs, p, err < 0);
	return err;
}

int arc_volumes_present(struct arc_volumes *vs, struct arc_buf *ret)
{
	const struct arc_volume_source_ops *ops = vs->source.ops;
	uint32_t number = vs->count + 1; /* at most 2^24 */
	size_t begun = ret->n;
	uint8_t *lo, *hi;

	for (;;) {
		int err = ops->highest(vs->source.ctx, number, &number);

		if (err == 0 && number > 0)
			err = arc_buf_append(ret, &number, sizeof(number));
		if (err < 0)
			return err;
		if (number == 0)
			break;
	}
	lo = ret->p + begun;
	hi = ret->p + ret->n;
	while (hi > lo + sizeof(number)) { /* turned round */
		hi -= sizeof(number);
		memcpy(&number, lo, sizeof(number));
		memcpy(lo, hi, sizeof(number));
		memcpy(hi, &number, sizeof(number));
		lo += sizeof(number);
	}
	return 0;
}

const struct arc_disk_footer *arc_volumes_footer(const struct arc_volumes *vs)
{
	return &vs->footer;
}

uint32_t arc_volumes_count(const struct arc_volumes *vs)
{
	return vs->count;
}

uint64_t arc_volumes_bytes_read(const struct arc_volumes *vs)
{
	return atomic_load_explicit(&vs->bytes_read, memory_order_relaxed);
}

uint64_t arc_volumes_bytes_direct(const struct arc_volumes *vs)
{
	return atomic_load_explicit(&vs->bytes_direct, memory_order_relaxed);
}

/* ---- the set ------------------------------------------------------------ */

static void close_source(struct arc_volume_source *source)
{
	if (source->ops)
		source->ops->close(source->ctx);
	free(source->name);
	*source = (struct arc_volume_source){ .ops = NULL };
}

/* A quarter of the descriptors we may have, within bounds; a store may take two
 * of them. */
static unsigned choose_places(unsigned max_open)
{
	struct rlimit limit;
	rlim_t n = OPEN_MAX;

	if (max_open > 0)
		return ARC_MIN(max_open, OPEN_MAX);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		n = limit.rlim_cur / 4;
	return (unsigned)ARC_MIN(ARC_MAX(n, OPEN_MIN), OPEN_MAX);
}

int arc_volumes_open(struct arc_volume_source *source, uint32_t named,
		     unsigned max_open, struct arc_diag *diag,
		     struct arc_volumes **ret)
{
	arc_cleanup(close_source) struct arc_volume_source own = *source;
	unsigned places = choose_places(max_open);
	struct arc_disk_footer footer;
	struct arc_volumes *vs;
	int err;

	*source = (struct arc_volume_source){ .ops = NULL };
	err = volume_find_footer(&own, named, diag, &footer);
	if (err < 0)
		return err;

	vs = calloc(1, sizeof(*vs) + places * sizeof(vs->place[0]));
	if (!vs)
		return -ENOMEM;
	vs->said = calloc(1, arc_get32(footer.volumes) / 8 + 1);
	if (!vs->said) {
		free(vs);
		return -ENOMEM;
	}
	vs->source = own;
	own = (struct arc_volume_source){ .ops = NULL };
	vs->diag = diag;
	vs->footer = footer;
	vs->count = arc_get32(footer.volumes);
	vs->places = places;
	pthread_mutex_init(&vs->lock, NULL);
	pthread_cond_init(&vs->changed, NULL);
	*ret = vs;
	return 0;
}

void arc_volumes_close(struct arc_volumes *vs)
{
	if (!vs)
		return;
	for (unsigned i = 0; i < vs->places; i++)
		arc_store_close(vs->place[i].store);
	close_source(&vs->source);
	pthread_cond_destroy(&vs->changed);
	pthread_mutex_destroy(&vs->lock);
	free(vs->said);
	free(vs);
}
