/* SPDX-License-Identifier: MIT */
/*
 * archive - opens the floors below and answers what needs more than one of
 * them: records of frames, paths, attributes by name. Reading is in archive_read.c,
 * verification in archive_verify.c.
 */
#include "archive.h"

#include <string.h>
#include <sys/stat.h>

#include "archive_i.h"
#include "memory.h"

/* Sizes that nobody has set. */
static void choose_sizes(size_t *cache, size_t *index)
{
	size_t size;

	if (*cache && *index)
		return;
	size = arc_memory_cache_size(arc_memory_available(""));
	if (!*cache)
		*cache = size;
	if (!*index)
		*index = ARC_MIN(size / 4, ARC_INDEX_CACHE_MAX);
}

int arc_archive_open_source(struct arc_volume_source *source, uint32_t named,
			    const struct arc_archive_options *opt,
			    struct arc_diag *diag, struct arc_archive **ret)
{
	static const struct arc_archive_options defaults;
	arc_cleanup(arc_archive_closep) struct arc_archive *a = NULL;
	arc_cleanup(arc_volumes_closep) struct arc_volumes *vs = NULL;
	size_t cache_size, index_size;
	int err;

	if (!opt)
		opt = &defaults;
	cache_size = opt->cache_size;
	index_size = opt->index_cache_size;
	choose_sizes(&cache_size, &index_size);
	err = arc_volumes_open(source, named, opt->max_open, diag, &vs);
	if (err < 0)
		return err;
	a = calloc(1, sizeof(*a));
	if (!a)
		return -ENOMEM;
	a->vs = arc_steal(vs);
	err = arc_index_open(a->vs, index_size, diag, &a->idx);
	if (err < 0)
		return err;
	err = arc_cache_new(a->idx, a->vs, cache_size, diag, &a->cache);
	if (err < 0)
		return err;
	*ret = arc_steal(a);
	return 0;
}

int arc_archive_open(const char *path, const struct arc_archive_options *opt,
		     struct arc_diag *diag, struct arc_archive **ret)
{
	struct arc_volume_source source;
	uint32_t named;
	int err = arc_volume_source_path(path, diag, &source, &named);

	if (err < 0)
		return err;
	return arc_archive_open_source(&source, named, opt, diag, ret);
}

void arc_archive_close(struct arc_archive *a)
{
	if (!a)
		return;
	arc_cache_free(a->cache);
	arc_index_close(a->idx);
	arc_volumes_close(a->vs);
	free(a);
}

void arc_archive_shrink(struct arc_archive *a)
{
	arc_cache_shrink(a->cache);
	arc_index_shrink(a->idx);
}

bool arc_archive_regrow(struct arc_archive *a)
{
	bool cache = arc_cache_regrow(a->cache);

	return arc_index_regrow(a->idx) || cache;
}

size_t arc_archive_tidy(struct arc_archive *a, uint32_t now, uint32_t age)
{
	return arc_cache_tidy(a->cache, now, age) +
	       arc_index_tidy(a->idx, now, age);
}

struct arc_volumes *arc_archive_volumes(struct arc_archive *a)
{
	return a->vs;
}

struct arc_index *arc_archive_index(struct arc_archive *a)
{
	return a->idx;
}

struct arc_cache *arc_archive_cache(struct arc_archive *a)
{
	return a->cache;
}

int arc_archive_record(struct arc_archive *a, const struct arc_frame *f,
		       struct arc_record **ret)
{
	arc_cleanup(arc_freep) struct arc_record *r = NULL;
	size_t n =
		arc_record_head_size(arc_segment_count(f->raw), f->entry_size);
	arc_cleanup(arc_freep) uint8_t *head = malloc(n);
	int err;

	if (!head)
		return -ENOMEM;
	err = arc_volumes_read(a->vs, f->volume, f->offset, head, n);
	if (err == 0)
		err = arc_record_parse((struct arc_span){ head, n }, &r);
	if (err < 0)
		return err;
	if (!arc_cache_is_meant(r, f))
		return -EBADMSG;
	*ret = arc_steal(r);
	return 0;
}

/* ---- paths -------------------------------------------------------------- */

/* One step down: from a directory to its entry. */
static int step(struct arc_archive *a, const char *name, size_t n,
		struct arc_inode *inode)
{
	struct arc_dirent entry;
	int err;

	if (name[0] == '.' && (n == 1 || (n == 2 && name[1] == '.')))
		return -EINVAL;
	err = arc_index_lookup(a->idx, inode, name, n, &entry);
	if (err < 0)
		return err;
	return arc_index_inode(a->idx, entry.ino, inode);
}

int arc_archive_resolve(struct arc_archive *a, const char *path,
			struct arc_inode *ret)
{
	struct arc_inode inode;
	int err = arc_index_inode(a->idx, ARC_ROOT_INO, &inode);

	while (err == 0) {
		size_t n;

		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n == 0)
			break;
		err = step(a, path, n, &inode);
		path += n;
		/* "file/" asks for a directory */
		if (err == 0 && *path == '/' && !S_ISDIR(inode.mode))
			err = -ENOTDIR;
	}
	if (err == 0)
		*ret = inode;
	return err;
}

/* ---- attributes --------------------------------------------------------- */

/* Names ascend: what comes after the one that is wanted need not be seen. */
int arc_archive_getxattr(struct arc_archive *a, const struct arc_inode *inode,
			 const char *name, uint8_t **ret, size_t *ret_n)
{
	char own[ARC_XATTR_NAME_MAX + 1];
	size_t unused;

	for (uint32_t i = 0;; i++) {
		int err = arc_index_xattr(a->idx, inode, i, own, NULL, &unused);
		int cmp;

		if (err < 0)
			return err;
		cmp = strcmp(own, name);
		if (cmp > 0)
			return -ENODATA;
		if (cmp == 0)
			return arc_index_xattr(a->idx, inode, i, own, ret,
					       ret_n);
	}
}

int arc_archive_listxattr(struct arc_archive *a, const struct arc_inode *inode,
			  char **ret, size_t *ret_n)
{
	arc_cleanup(arc_buf_fini) struct arc_buf names = { 0 };
	char name[ARC_XATTR_NAME_MAX + 1];
	size_t unused;

	/* so that an empty list is no NULL */
	int err = arc_buf_reserve(&names, 1);

	for (uint32_t i = 0; err == 0; i++) {
		err = arc_index_xattr(a->idx, inode, i, name, NULL, &unused);
		if (err == 0)
			err = arc_buf_append(&names, name, strlen(name) + 1);
	}
	if (err != -ENODATA)
		return err;
	*ret_n = names.n;
	*ret = (char *)arc_steal(names.p);
	return 0;
}
