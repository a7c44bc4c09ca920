/* SPDX-License-Identifier: MIT */
/*
 * Names go into the tree's spool as the kernel lists them; what is sorted are
 * their places, where they are many in a spool too, so that memory does not
 * grow with the names of a directory.
 */
#include <dirent.h>
#include <string.h>

#include "format.h"
#include "making.h"
#include "scan_i.h"
#include "spool_sort.h"

#define LISTING_BUFFER 65536

/* Names of one directory that are sorted at once. */
#define SORT_PIECE ((uint64_t)1 << 19)

/* BASE.NNN or BASE.NNN.part, where the archive is being written, or what stands
 * beside them. */
static bool is_own_volume(const struct mk_scan_skip *skip, const char *name)
{
	static const char part[] = ".part";
	size_t n = strlen(name);
	size_t own = strlen(skip->base);
	char stem[NAME_MAX + 1];
	size_t base;
	uint32_t number;

	if (n > NAME_MAX || strncmp(name, skip->base, own) != 0)
		return false;
	if (strcmp(name + own, MK_MAKING_SUFFIX) == 0)
		return true;
	memcpy(stem, name, n + 1);
	if (n >= sizeof(part) && strcmp(name + n - strlen(part), part) == 0)
		stem[n - strlen(part)] = 0;
	return arc_volume_split(stem, &base, &number) == 0 && base == own;
}

bool mk_scan_is_own(const struct mk_scan_skip *skip, const struct stat *dir,
		    const char *name)
{
	return skip && skip->dev == dir->st_dev && skip->ino == dir->st_ino &&
	       is_own_volume(skip, name);
}

int mk_scan_keep_name(struct mk_scanner *sc, const char *name, uint64_t *ret)
{
	size_t n = strlen(name) + 1;
	int err = mk_spool_add(&sc->tree->names, n, ret);

	if (!err)
		memcpy(mk_spool_at(&sc->tree->names, *ret), name, n);
	return err;
}

static uint64_t *listed_at(const struct mk_scanner *sc, uint64_t i)
{
	return sc->many.base ? mk_spool_at(&sc->many, i) : &sc->few[i];
}

uint64_t mk_scan_listed_at(const struct mk_scanner *sc, uint64_t i)
{
	return *listed_at(sc, i);
}

static void forget_names(struct mk_scanner *sc)
{
	mk_spool_close(&sc->many);
	mk_spool_close(&sc->spare);
	sc->name_count = 0;
}

/* Room for more names in memory, or all of them go to a file. */
static int make_room(struct mk_scanner *sc)
{
	size_t cap = sc->few_cap ? sc->few_cap * 2 : 1024;
	uint64_t first, *more;
	int err;

	if (sc->few_cap < SORT_PIECE) {
		more = reallocarray(sc->few, cap, sizeof(*more));
		if (!more)
			return -ENOMEM;
		sc->few = more;
		sc->few_cap = cap;
		return 0;
	}
	err = mk_spool_open(&sc->spare, sc->tree->tmp_fd, sizeof(*sc->few));
	if (!err)
		err = mk_spool_open(&sc->many, sc->tree->tmp_fd,
				    sizeof(*sc->few));
	if (!err)
		err = mk_spool_add(&sc->many, sc->name_count, &first);
	if (!err)
		memcpy(mk_spool_at(&sc->many, first), sc->few,
		       sc->name_count * sizeof(*sc->few));
	return err;
}

static int list_name(struct mk_scanner *sc, const char *name)
{
	uint64_t at, i;
	int err = mk_scan_keep_name(sc, name, &at);

	if (!err && !sc->many.base && sc->name_count == sc->few_cap)
		err = make_room(sc);
	if (!err && sc->many.base)
		err = mk_spool_add(&sc->many, 1, &i);
	if (!err)
		*listed_at(sc, sc->name_count++) = at;
	return err;
}

static int by_name(const void *a, const void *b, void *ctx)
{
	const uint64_t *one = a;
	const uint64_t *other = b;
	struct mk_scanner *sc = ctx;

	mk_scan_step(sc);
	return strcmp(mk_spool_at(&sc->tree->names, *one),
		      mk_spool_at(&sc->tree->names, *other));
}

/* A folder that is changed while it is read may give a name twice. */
static int sort_names(struct mk_scanner *sc)
{
	uint64_t kept = 0;
	int err = 0;

	if (sc->many.base)
		err = mk_spool_sort_with(&sc->many, &sc->spare, SORT_PIECE,
					 by_name, sc);
	else if (sc->name_count > 1)
		qsort_r(sc->few, sc->name_count, sizeof(*sc->few), by_name, sc);
	for (uint64_t i = 0; !err && i < sc->name_count; i++) {
		if (kept > 0 &&
		    by_name(listed_at(sc, kept - 1), listed_at(sc, i), sc) == 0)
			continue;
		*listed_at(sc, kept++) = *listed_at(sc, i);
	}
	if (!err)
		sc->name_count = kept;
	return err;
}

bool mk_scan_is_kept(struct mk_scanner *sc, uint64_t dir, bool own_volumes,
		     const char *name)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (own_volumes && is_own_volume(sc->skip, name))
		return false;
	if (strlen(name) > ARC_NAME_MAX) {
		mk_problem_name(sc->run, sc->tree, dir, name,
				"its name is too long", 0);
		return false;
	}
	return true;
}

static int list_some(struct mk_scanner *sc, uint64_t dir, bool own_volumes,
		     ssize_t n)
{
	for (ssize_t at = 0; at < n;) {
		const struct dirent64 *d = (void *)(sc->listing + at);
		const char *name = d->d_name;
		int err;

		at += d->d_reclen;
		if (!mk_scan_is_kept(sc, dir, own_volumes, name))
			continue;
		err = list_name(sc, name);
		if (err)
			return err;
	}
	return 0;
}

bool mk_scan_has_own(const struct mk_scanner *sc, uint64_t dir)
{
	const struct mk_entry *e = mk_tree_at(sc->tree, dir);

	return sc->skip && sc->skip->dev == e->dev && sc->skip->ino == e->ino;
}

int mk_scan_list(struct mk_scanner *sc, int fd, uint64_t dir)
{
	bool own_volumes = mk_scan_has_own(sc, dir);
	ssize_t n;

	forget_names(sc);
	if (!sc->listing)
		sc->listing = malloc(LISTING_BUFFER);
	if (!sc->listing)
		return -ENOMEM;
	while ((n = getdents64(fd, sc->listing, LISTING_BUFFER)) > 0) {
		int err = list_some(sc, dir, own_volumes, n);

		if (err)
			return err;
	}
	if (n < 0)
		mk_problem(sc->run, sc->tree, dir,
			   "the directory cannot be listed to its end", -errno);
	return sort_names(sc);
}

void mk_scan_list_fini(struct mk_scanner *sc)
{
	forget_names(sc);
	free(sc->few);
	free(sc->listing);
}
