/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <pthread.h>

#include "setmaker.h"

static struct arc_volumes *open_set(struct setmaker *m, uint32_t named,
				    struct listener *l)
{
	struct arc_volume_source source = set_source(m);
	struct arc_volumes *vs = NULL;

	assert_int_equal(arc_volumes_open(&source, named, 0,
					  l ? &l->diag : NULL, &vs),
			 0);
	return vs;
}

static int try_open(struct setmaker *m, uint32_t named, struct listener *l)
{
	struct arc_volume_source source = set_source(m);
	struct arc_volumes *vs = NULL;
	int err = arc_volumes_open(&source, named, 0, &l->diag, &vs);

	if (err == 0)
		arc_volumes_close(vs);
	return err;
}

/* ---- finding the end ---------------------------------------------------- */

static void any_volume_may_be_named(void **state)
{
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 3, 1);
	for (uint32_t named = 0; named <= m.set.n; named++) {
		struct arc_volumes *vs = open_set(&m, named, NULL);

		assert_int_equal(arc_volumes_count(vs), m.set.n);
		assert_int_equal(arc_get32(arc_volumes_footer(vs)->volumes),
				 m.set.n);
		arc_volumes_close(vs);
	}
	set_fini(&m);
}

/* The set of m with the volumes of longer behind its own. */
static void append_strangers(struct setmaker *m, struct setmaker *longer)
{
	uint32_t n = m->set.n;

	m->set.stores =
		realloc(m->set.stores, longer->set.n * sizeof(*m->set.stores));
	assert_non_null(m->set.stores);
	for (uint32_t i = n; i < longer->set.n; i++)
		m->set.stores[i] = arc_steal(longer->set.stores[i]);
	m->set.n = longer->set.n;
}

static void volumes_left_by_a_longer_set_are_passed_over(void **state)
{
	struct setmaker m, longer;
	struct arc_volumes *vs;
	uint32_t own;

	(void)state;
	set_of_volumes(&m, 2, 1);
	set_of_volumes(&longer, 5, 2);
	own = m.set.n;
	append_strangers(&m, &longer);
	vs = open_set(&m, 1, NULL);
	assert_int_equal(arc_volumes_count(vs), own);
	arc_volumes_close(vs);
	/* named, the stranger is what is meant */
	vs = open_set(&m, m.set.n, NULL);
	assert_int_equal(arc_volumes_count(vs), m.set.n);
	arc_volumes_close(vs);
	set_fini(&m);
	set_fini(&longer);
}

static void those_present_are_counted_in_order(void **state)
{
	struct arc_buf numbers = { 0 };
	struct setmaker m, longer;
	struct arc_volumes *vs;
	uint32_t own;

	(void)state;
	set_of_volumes(&m, 4, 1);
	set_of_volumes(&longer, 9, 2);
	own = m.set.n;
	append_strangers(&m, &longer);
	vs = open_set(&m, 1, NULL);
	for (uint32_t gap = 1; gap < own; gap++) {
		struct arc_store *away = arc_steal(m.set.stores[gap - 1]);
		uint32_t expected = 0;

		numbers.n = 0;
		assert_int_equal(arc_volumes_present(vs, &numbers), 0);
		assert_int_equal(numbers.n, (own - 1) * sizeof(uint32_t));
		for (uint32_t i = 0; i + 1 < own; i++) {
			uint32_t number;

			expected += expected + 1 == gap ? 2 : 1;
			memcpy(&number, numbers.p + i * sizeof(number),
			       sizeof(number));
			assert_int_equal(number, expected);
		}
		m.set.stores[gap - 1] = away;
	}
	arc_buf_fini(&numbers);
	arc_volumes_close(vs);
	set_fini(&m);
	set_fini(&longer);
}

static void a_damaged_header_of_the_named_volume_is_warned_of(void **state)
{
	struct arc_volumes *vs;
	struct listener l;
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 2, 1);
	listener_init(&l);
	volume_bytes(&m, 1, NULL)[20] ^= 1;
	vs = open_set(&m, 1, &l);
	assert_int_equal(l.count, 1);
	assert_non_null(strstr(l.text, "header is damaged"));
	arc_volumes_close(vs);
	set_fini(&m);
}

static void a_set_without_its_last_volume_is_refused(void **state)
{
	struct listener l;
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 3, 1);
	listener_init(&l);
	arc_store_close(m.set.stores[--m.set.n]);
	assert_int_equal(try_open(&m, 1, &l), -ENOMEDIUM);
	assert_int_equal(l.count, 1);
	assert_non_null(strstr(l.text, "not finished, or its last volume"));
	set_fini(&m);
}

static void a_missing_first_volume_does_not_matter(void **state)
{
	struct listener l;
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 3, 1);
	listener_init(&l);
	arc_store_close(m.set.stores[0]);
	m.set.stores[0] = NULL;
	assert_int_equal(try_open(&m, 1, &l), 0);
	assert_non_null(strstr(l.text, "missing"));
	set_fini(&m);
}

static void no_volume_at_all_is_said(void **state)
{
	struct setmaker m = { .stream = 0 };
	struct listener l;

	(void)state;
	listener_init(&l);
	assert_int_equal(try_open(&m, 1, &l), -ENOMEDIUM);
	assert_int_equal(l.count, 1);
	assert_non_null(strstr(l.text, "no such volume"));
}

static void change_footer(struct setmaker *m,
			  void (*change)(struct arc_disk_footer *f))
{
	struct arc_disk_footer f;
	size_t n;
	uint8_t *p = volume_bytes(m, m->set.n, &n);

	memcpy(&f, p + n - sizeof(f), sizeof(f));
	change(&f);
	arc_format_seal_footer(&f);
	memcpy(p + n - sizeof(f), &f, sizeof(f));
}

static void make_newer(struct arc_disk_footer *f)
{
	f->incompat = arc_put64(UINT64_C(1) << 40);
}

static void make_misplaced(struct arc_disk_footer *f)
{
	f->volumes = arc_put32(arc_get32(f->volumes) + 1);
}

static void a_footer_of_a_newer_version_is_said_to_be_one(void **state)
{
	struct listener l;
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 2, 1);
	listener_init(&l);
	change_footer(&m, make_newer);
	assert_int_equal(try_open(&m, 1, &l), -EOPNOTSUPP);
	assert_non_null(strstr(l.text, "newer version"));
	set_fini(&m);
}

static void a_footer_for_another_place_does_not_count(void **state)
{
	struct listener l;
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 2, 1);
	listener_init(&l);
	change_footer(&m, make_misplaced);
	assert_int_equal(try_open(&m, 1, &l), -ENOMEDIUM);
	set_fini(&m);
}

/* ---- reading ------------------------------------------------------------ */

static void bytes_and_sizes_are_those_of_the_volume(void **state)
{
	struct arc_volumes *vs;
	uint64_t size, before;
	struct setmaker m;
	uint8_t own[1000];
	size_t n;

	(void)state;
	set_of_volumes(&m, 3, 1);
	vs = open_set(&m, 1, NULL);
	before = arc_volumes_bytes_read(vs);
	for (uint32_t v = 1; v <= m.set.n; v++) {
		const uint8_t *p = volume_bytes(&m, v, &n);

		assert_int_equal(arc_volumes_size(vs, v, &size), 0);
		assert_int_equal(size, n);
		assert_int_equal(arc_volumes_read(vs, v, n - sizeof(own), own,
						  sizeof(own)),
				 0);
		assert_memory_equal(own, p + n - sizeof(own), sizeof(own));
	}
	assert_int_equal(arc_volumes_bytes_read(vs) - before,
			 m.set.n * sizeof(own));
	arc_volumes_close(vs);
	set_fini(&m);
}

static void numbers_outside_the_set_are_refused(void **state)
{
	struct arc_volumes *vs;
	struct setmaker m;
	uint8_t byte;

	(void)state;
	set_of_volumes(&m, 2, 1);
	vs = open_set(&m, 1, NULL);
	assert_int_equal(arc_volumes_read(vs, 0, 0, &byte, 1), -EBADMSG);
	assert_int_equal(arc_volumes_read(vs, m.set.n + 1, 0, &byte, 1),
			 -EBADMSG);
	assert_int_equal(arc_volumes_read(vs, UINT32_MAX, 0, &byte, 1),
			 -EBADMSG);
	arc_volumes_close(vs);
	set_fini(&m);
}

static void a_missing_volume_may_be_put_back(void **state)
{
	struct arc_store *away;
	struct arc_volumes *vs;
	struct listener l;
	struct setmaker m;
	uint8_t byte;

	(void)state;
	set_of_volumes(&m, 3, 1);
	listener_init(&l);
	vs = open_set(&m, 1, &l);
	away = arc_steal(m.set.stores[1]);
	for (int i = 0; i < 3; i++)
		assert_int_equal(arc_volumes_read(vs, 2, 0, &byte, 1),
				 -ENOMEDIUM);
	assert_int_equal(l.count, 1);
	assert_non_null(strstr(l.text, ".002"));
	assert_header(vs, 1);
	assert_header(vs, 3);
	m.set.stores[1] = away;
	assert_header(vs, 2);
	arc_volumes_close(vs);
	set_fini(&m);
}

static void a_foreign_volume_is_never_read(void **state)
{
	struct setmaker m, other;
	struct arc_volumes *vs;
	struct arc_store *own;
	struct listener l;
	uint8_t byte;

	(void)state;
	set_of_volumes(&m, 3, 1);
	set_of_volumes(&other, 3, 2);
	listener_init(&l);
	vs = open_set(&m, 1, &l);
	own = m.set.stores[1];
	m.set.stores[1] = other.set.stores[1];
	assert_int_equal(arc_volumes_read(vs, 2, 0, &byte, 1), -ESTALE);
	assert_int_equal(arc_volumes_read(vs, 2, 0, &byte, 1), -ESTALE);
	assert_int_equal(l.count, 1);
	/* our own, but another one */
	m.set.stores[1] = m.set.stores[2];
	assert_int_equal(arc_volumes_read(vs, 2, 0, &byte, 1), -ESTALE);
	m.set.stores[1] = own;
	assert_header(vs, 2);
	arc_volumes_close(vs);
	set_fini(&m);
	set_fini(&other);
}

static void a_damaged_header_hides_nothing(void **state)
{
	struct arc_volumes *vs;
	struct listener l;
	struct setmaker m;
	uint8_t byte;

	(void)state;
	set_of_volumes(&m, 3, 1);
	listener_init(&l);
	vs = open_set(&m, 1, &l);
	volume_bytes(&m, 2, NULL)[3] ^= 1;
	assert_int_equal(arc_volumes_read(vs, 2, 100, &byte, 1), 0);
	assert_int_equal(arc_volumes_read(vs, 2, 200, &byte, 1), 0);
	assert_int_equal(l.count, 1);
	arc_volumes_close(vs);
	set_fini(&m);
}

static void a_short_volume_is_corrupt_behind_its_end(void **state)
{
	struct arc_volumes *vs;
	struct listener l;
	struct setmaker m;
	uint8_t bytes[100];

	(void)state;
	set_of_volumes(&m, 3, 1);
	listener_init(&l);
	vs = open_set(&m, 1, &l);
	assert_int_equal(arc_store_memory_resize(m.set.stores[1], 1000), 0);
	assert_int_equal(arc_volumes_read(vs, 2, 950, bytes, 100), -EBADMSG);
	assert_int_equal(arc_volumes_read(vs, 2, UINT64_MAX - 5, bytes, 100),
			 -EBADMSG);
	assert_int_equal(arc_volumes_read(vs, 2, 900, bytes, 100), 0);
	assert_int_equal(arc_store_memory_resize(m.set.stores[1], 10), 0);
	assert_int_equal(arc_volumes_read(vs, 2, 900, bytes, 100), -EBADMSG);
	assert_int_equal(l.count, 1);
	arc_volumes_close(vs);
	set_fini(&m);
}

/* ---- a source that counts ----------------------------------------------- */

struct counter {
	struct arc_volume_source inner;
	pthread_mutex_t lock;
	unsigned open; /* stores open now; lock, as the next two */
	unsigned most;
	unsigned opened;
	unsigned closed; /* calls of close */
	int refuse; /* errno of the next opens */
	unsigned refusals; /* how many of them */
};

struct counted {
	struct arc_store store;
	struct arc_store *inner;
	struct counter *counter;
};

static ssize_t counted_pread(struct arc_store *s, void *buf, size_t n,
			     uint64_t off)
{
	struct arc_store *inner = ((struct counted *)s)->inner;

	return inner->ops->pread(inner, buf, n, off);
}

static int counted_size(struct arc_store *s, uint64_t *ret)
{
	return arc_store_size(((struct counted *)s)->inner, ret);
}

static void counted_close(struct arc_store *s)
{
	struct counted *c = (struct counted *)s;

	arc_store_close(c->inner);
	pthread_mutex_lock(&c->counter->lock);
	c->counter->open--;
	pthread_mutex_unlock(&c->counter->lock);
	free(c);
}

static const struct arc_store_ops counted_ops = {
	.pread = counted_pread,
	.size = counted_size,
	.close = counted_close,
};

static int counter_open(void *ctx, uint32_t number, struct arc_store **ret)
{
	struct counter *c = ctx;
	struct counted *s;
	int refuse = 0;
	int err;

	pthread_mutex_lock(&c->lock);
	if (c->refusals > 0) {
		c->refusals--;
		refuse = c->refuse;
	}
	pthread_mutex_unlock(&c->lock);
	if (refuse)
		return -refuse;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	err = c->inner.ops->open(c->inner.ctx, number, &s->inner);
	if (err < 0) {
		free(s);
		return err;
	}
	s->store.ops = &counted_ops;
	s->counter = c;
	pthread_mutex_lock(&c->lock);
	c->opened++;
	c->open++;
	c->most = ARC_MAX(c->most, c->open);
	pthread_mutex_unlock(&c->lock);
	*ret = &s->store;
	return 0;
}

static int counter_highest(void *ctx, uint32_t below, uint32_t *ret)
{
	struct counter *c = ctx;

	return c->inner.ops->highest(c->inner.ctx, below, ret);
}

static void counter_close(void *ctx)
{
	struct counter *c = ctx;

	c->inner.ops->close(c->inner.ctx);
	c->closed++;
}

static const struct arc_volume_source_ops counter_ops = {
	.open = counter_open,
	.highest = counter_highest,
	.close = counter_close,
};

static struct arc_volume_source counter_source(struct counter *c,
					       struct setmaker *m)
{
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	c->inner = set_source(m);
	return (struct arc_volume_source){ .ops = &counter_ops, .ctx = c };
}

static void few_volumes_are_open_at_a_time(void **state)
{
	struct arc_volume_source source;
	struct arc_volumes *vs;
	struct counter c;
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 70, 1);
	source = counter_source(&c, &m);
	assert_int_equal(arc_volumes_open(&source, 1, 4, NULL, &vs), 0);
	for (int round = 0; round < 3; round++)
		for (uint32_t v = 1; v <= m.set.n; v++)
			assert_header(vs, v);
	assert_int_equal(c.most, 4);
	/* what was used last is still open */
	c.opened = 0;
	for (uint32_t v = m.set.n - 3; v <= m.set.n; v++)
		assert_header(vs, v);
	assert_int_equal(c.opened, 0);
	arc_volumes_close(vs);
	assert_int_equal(c.open, 0);
	assert_int_equal(c.closed, 1);
	set_fini(&m);
}

static void without_descriptors_an_idle_volume_is_closed(void **state)
{
	struct arc_volume_source source;
	struct arc_volumes *vs;
	struct counter c;
	struct setmaker m;
	uint8_t byte;

	(void)state;
	set_of_volumes(&m, 4, 1);
	source = counter_source(&c, &m);
	assert_int_equal(arc_volumes_open(&source, 1, 16, NULL, &vs), 0);
	assert_header(vs, 1);
	assert_header(vs, 2);
	c.refuse = EMFILE;
	c.refusals = 2;
	assert_header(vs, 3);
	assert_int_equal(c.open, 1);
	c.refusals = 9;
	assert_int_equal(arc_volumes_read(vs, 4, 0, &byte, 1), -EIO);
	c.refusals = 0;
	assert_header(vs, 4);
	arc_volumes_close(vs);
	set_fini(&m);
}

static void a_source_is_closed_when_opening_fails(void **state)
{
	struct setmaker m = { .stream = 0 };
	struct arc_volume_source source;
	struct arc_volumes *vs;
	struct counter c;

	(void)state;
	source = counter_source(&c, &m);
	assert_int_equal(arc_volumes_open(&source, 1, 0, NULL, &vs),
			 -ENOMEDIUM);
	assert_int_equal(c.closed, 1);
}

static void every_failing_read_is_answered_and_forgotten(void **state)
{
	uint64_t calls = UINT64_MAX;

	(void)state;
	for (uint64_t n = 1; n <= calls; n++) {
		struct arc_fault_plan plan = { .fail_at = n };
		struct arc_volume_source source;
		struct arc_volumes *vs = NULL;
		struct setmaker m;
		int err;

		set_of_volumes(&m, 2, 1);
		for (uint32_t i = 0; i < m.set.n; i++)
			assert_int_equal(arc_store_faulty(m.set.stores[i],
							  &plan,
							  &m.set.stores[i]),
					 0);
		source = set_source(&m);
		err = arc_volumes_open(&source, 1, 0, NULL, &vs);
		if (err < 0)
			assert_int_equal(err, -EIO);
		for (uint32_t v = 1; err == 0 && v <= m.set.n; v++) {
			uint8_t byte;

			err = arc_volumes_read(vs, v, 70, &byte, 1);
			if (err < 0) {
				assert_int_equal(err, -EIO);
				assert_header(vs, v);
			}
		}
		if (err == 0 && plan.calls < n)
			calls = plan.calls;
		arc_volumes_close(vs);
		set_fini(&m);
	}
	assert_in_range(calls, 6, 100);
}

/* ---- threads ------------------------------------------------------------ */

struct crowd {
	struct arc_volumes *vs;
	uint32_t volumes;
	unsigned seed;
	unsigned wrong;
};

static void *read_around(void *arg)
{
	struct crowd *c = arg;
	unsigned x = c->seed;

	for (int i = 0; i < 400; i++) {
		struct arc_disk_volume v;
		uint32_t number;

		x = x * 1103515245 + 12345;
		number = 1 + (x >> 16) % c->volumes;
		if (arc_volumes_read(c->vs, number, 0, &v, sizeof(v)) < 0 ||
		    arc_get32(v.number) != number)
			c->wrong++;
	}
	return NULL;
}

static void more_threads_than_places_share_them(void **state)
{
	struct arc_volume_source source;
	struct crowd crowd[8];
	struct arc_volumes *vs;
	pthread_t thread[8];
	struct counter c;
	struct setmaker m;

	(void)state;
	set_of_volumes(&m, 10, 1);
	source = counter_source(&c, &m);
	assert_int_equal(arc_volumes_open(&source, 1, 2, NULL, &vs), 0);
	for (unsigned i = 0; i < 8; i++) {
		crowd[i] = (struct crowd){ vs, m.set.n, i, 0 };
		assert_int_equal(pthread_create(&thread[i], NULL, read_around,
						&crowd[i]),
				 0);
	}
	for (unsigned i = 0; i < 8; i++) {
		pthread_join(thread[i], NULL);
		assert_int_equal(crowd[i].wrong, 0);
	}
	assert_in_range(c.most, 1, 2);
	arc_volumes_close(vs);
	assert_int_equal(c.open, 0);
	set_fini(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_volume_may_be_named),
		cmocka_unit_test(volumes_left_by_a_longer_set_are_passed_over),
		cmocka_unit_test(
			a_damaged_header_of_the_named_volume_is_warned_of),
		cmocka_unit_test(a_set_without_its_last_volume_is_refused),
		cmocka_unit_test(a_missing_first_volume_does_not_matter),
		cmocka_unit_test(no_volume_at_all_is_said),
		cmocka_unit_test(a_footer_of_a_newer_version_is_said_to_be_one),
		cmocka_unit_test(a_footer_for_another_place_does_not_count),
		cmocka_unit_test(bytes_and_sizes_are_those_of_the_volume),
		cmocka_unit_test(numbers_outside_the_set_are_refused),
		cmocka_unit_test(a_missing_volume_may_be_put_back),
		cmocka_unit_test(a_foreign_volume_is_never_read),
		cmocka_unit_test(a_damaged_header_hides_nothing),
		cmocka_unit_test(a_short_volume_is_corrupt_behind_its_end),
		cmocka_unit_test(those_present_are_counted_in_order),
		cmocka_unit_test(few_volumes_are_open_at_a_time),
		cmocka_unit_test(without_descriptors_an_idle_volume_is_closed),
		cmocka_unit_test(a_source_is_closed_when_opening_fails),
		cmocka_unit_test(every_failing_read_is_answered_and_forgotten),
		cmocka_unit_test(more_threads_than_places_share_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
