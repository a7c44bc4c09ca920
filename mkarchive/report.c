/* SPDX-License-Identifier: MIT */
/*
 * Entries are told from the set, opened anew, and not from what the writer
 * noted: the tree only says in which order, and what recheck and removal have
 * found.
 */
#include "report.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"
#include "json.h"
#include "recheck.h"

struct mk_report {
	FILE *f;
	pthread_mutex_t lock; /* of f */
};

int mk_report_open(const char *path, struct arc_diag *diag,
		   struct mk_report **ret)
{
	struct mk_report *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->f = strcmp(path, "-") == 0 ? stdout : fopen(path, "we");
	if (!r->f) {
		err = -errno;
		arc_say(diag, ARC_ERROR, "the report %s cannot be written: %s",
			path, strerrordesc_np(-err));
		free(r);
		return err;
	}
	pthread_mutex_init(&r->lock, NULL);
	*ret = r;
	return 0;
}

int mk_report_fd(const struct mk_report *r)
{
	return fileno(r->f);
}

int mk_report_close(struct mk_report *r)
{
	bool bad;

	if (!r)
		return 0;
	bad = fflush(r->f) != 0 || ferror(r->f);
	if (r->f != stdout)
		bad = fclose(r->f) != 0 || bad;
	pthread_mutex_destroy(&r->lock);
	free(r);
	return bad ? -EIO : 0;
}

void mk_report_problem(struct mk_report *r, const void *path, size_t n,
		       const char *what)
{
	json_t *o = json_object();

	arc_json_set(o, "path", path, n);
	arc_json_set(o, "problem", what, strlen(what));
	pthread_mutex_lock(&r->lock);
	(void)arc_json_line(o, r->f, "");
	pthread_mutex_unlock(&r->lock);
}

/* ---- entries ------------------------------------------------------------- */

struct listing {
	struct mk_report *report;
	struct mk_run *run;
	struct mk_tree *tree;
	struct arc_index *index;
	struct arc_buf path;
};

/* The path of an entry, for `key`. */
static int set_path(struct listing *l, json_t *o, const char *key,
		    uint64_t entry)
{
	int r;

	l->path.n = 0;
	r = mk_tree_path(l->tree, entry, &l->path);
	return r < 0 ? r : arc_json_set(o, key, l->path.p, l->path.n);
}

static int set_digests(struct listing *l, json_t *o, uint64_t ino)
{
	uint8_t xxh[16], sha[32];
	int r = arc_index_digest(l->index, ino, xxh);

	if (r >= 0)
		r = arc_json_set_hex(o, "digest", xxh, sizeof(xxh));
	if (r < 0 && r != -ENODATA)
		return r;
	r = arc_index_sha256(l->index, ino, sha);
	if (r >= 0)
		r = arc_json_set_hex(o, "sha256", sha, sizeof(sha));
	return r == -ENODATA ? 0 : r;
}

/* How the content of a file is stored. */
static int set_content(struct listing *l, json_t *o, const struct mk_entry *e,
		       const struct arc_inode *inode)
{
	const char *how = "new";
	int r = 0;

	if (inode->leader != inode->ino) {
		how = "duplicate";
		r = set_path(l, o, "duplicate_of", e->leader);
	} else if (inode->size == 0) {
		how = "empty";
	}
	json_object_set_new(o, "content", json_string(how));
	return r < 0 ? r : set_digests(l, o, inode->ino);
}

static int set_stored(struct listing *l, json_t *o, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(l->tree, entry);
	const struct mk_entry *first = mk_tree_at(l->tree, e->link);
	struct arc_inode inode;
	int r = arc_index_inode(l->index, first->row + 1, &inode);

	if (r < 0)
		return r;
	json_object_set_new(o, "type", json_string(arc_json_type(inode.mode)));
	json_object_set_new(o, "stored", json_true());
	if (e->link != entry)
		r = set_path(l, o, "link_of", e->link);
	if (r < 0 || !S_ISREG(inode.mode))
		return r;
	json_object_set_new(o, "size", json_integer(arc_json_int(inode.size)));
	return set_content(l, o, first, &inode);
}

static void set_verdict(const struct listing *l, json_t *o, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(l->tree, entry);
	const struct mk_options *opt = l->run->opt;

	if (opt->verify)
		json_object_set_new(
			o, "verified",
			json_boolean(mk_recheck_passed(l->tree, entry)));
	if (opt->remove_source)
		json_object_set_new(o, "removed",
				    json_boolean(e->flags & MK_ENTRY_REMOVED));
}

static int put_entry(struct listing *l, uint64_t entry)
{
	const struct mk_entry *e = mk_tree_at(l->tree, entry);
	json_t *o = json_object();
	int r = set_path(l, o, "path", entry);

	if (r >= 0 && e->flags & MK_ENTRY_GONE) {
		json_object_set_new(o, "type",
				    json_string(arc_json_type(e->mode)));
		json_object_set_new(o, "stored", json_false());
	} else if (r >= 0) {
		r = set_stored(l, o, entry);
	}
	if (r < 0 && r != -ENOMEM) {
		json_object_set_new(o, "error", json_string(arc_error_text(r)));
		r = 0;
	}
	if (r < 0) {
		json_decref(o);
		return r;
	}
	set_verdict(l, o, entry);
	r = arc_json_line(o, l->report->f, "");
	return r < 0 || !ferror(l->report->f) ? r : -EIO;
}

static int put_entries(struct listing *l)
{
	int r = 0;

	for (uint64_t i = 0; r >= 0 && i < l->tree->entries.count; i++) {
		r = put_entry(l, i);
		mk_tree_step(l->tree, i);
	}
	return r;
}

int mk_report_entries(struct mk_report *report, struct mk_run *run,
		      struct mk_tree *tree)
{
	struct listing l = { .report = report, .run = run, .tree = tree };
	arc_cleanup(arc_archive_closep) struct arc_archive *archive = NULL;
	arc_cleanup(arc_freep) char *first = mk_recheck_first(run->opt);
	int r = first ? arc_archive_open(first, NULL, run->diag, &archive)
		      : -ENOMEM;

	if (r >= 0) {
		l.index = arc_archive_index(archive);
		r = put_entries(&l);
	}
	arc_buf_fini(&l.path);
	if (r < 0)
		arc_say(run->diag, ARC_ERROR, "the report is not complete: %s",
			arc_error_text(r));
	return r;
}
