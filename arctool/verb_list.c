/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "walk.h"

static const struct argp_option options[] = {
	{ "json", TOOL_KEY_JSON, 0, 0, "One JSON object a line", 0 },
	{ "inodes", 'i', 0, 0,
	  "Inode numbers in front: equal ones are hard links", 0 },
	{ "files-from", TOOL_KEY_FILES_FROM, "LIST", 0,
	  "Paths from a file, one a line; - is standard input", 0 },
	{ "null", TOOL_KEY_NULL, 0, 0, "Paths in LIST end in a NUL byte", 0 },
	{ 0 }
};

/* ---- for people ---------------------------------------------------------- */

/* "30,40" of a device, bytes of everything else. */
static void show_extent(const struct arc_inode *inode, char *ret, size_t cap)
{
	if (S_ISCHR(inode->mode) || S_ISBLK(inode->mode))
		snprintf(ret, cap, "%" PRIu64 ",%" PRIu64, inode->data >> 32,
			 inode->data & UINT32_MAX);
	else
		snprintf(ret, cap, "%" PRIu64, inode->size);
}

static int print_target(struct tool *t, const struct arc_inode *inode,
			struct arc_buf *room)
{
	arc_cleanup(arc_freep) char *target = NULL;
	const char *shown;
	int r = arc_index_target(t->index, inode, &target);

	if (r < 0) {
		fputs(" -> ?", stdout);
		return r;
	}
	shown = tool_show(room, target, strlen(target));
	if (!shown)
		return -ENOMEM;
	printf(" -> %s", shown);
	return 0;
}

static int print_text(struct tool *t, const struct tool_entry *e,
		      struct arc_buf *room)
{
	const struct arc_inode *inode = &e->inode;
	char mode[11], owner[24], size[48], time[TOOL_TIME_ROOM];
	const char *path;
	int r = 0;

	tool_show_mode(inode->mode, mode);
	tool_show_time(inode->mtime, time);
	snprintf(owner, sizeof(owner), "%" PRIu32 "/%" PRIu32, inode->uid,
		 inode->gid);
	show_extent(inode, size, sizeof(size));
	path = tool_show(room, e->path_len ? e->path : ".",
			 e->path_len ? e->path_len : 1);
	if (!path)
		return -ENOMEM;
	if (t->req.inodes)
		printf("%8" PRIu64 " ", inode->ino);
	printf("%s %3" PRIu32 " %11s %11s %s %s", mode, inode->nlink, owner,
	       size, time, path);
	if (S_ISLNK(inode->mode))
		r = print_target(t, inode, room);
	putchar('\n');
	return r;
}

/* ---- for machines -------------------------------------------------------- */

static void set_int(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new(o, key, json_integer(arc_json_int(n)));
}

static int set_digests(struct tool *t, json_t *o, uint64_t ino)
{
	uint8_t xxh[16], sha[32];
	int r;

	r = arc_index_digest(t->index, ino, xxh);
	if (r >= 0)
		r = arc_json_set_hex(o, "digest", xxh, sizeof(xxh));
	if (r < 0 && r != -ENODATA)
		return r;
	r = arc_index_sha256(t->index, ino, sha);
	if (r >= 0)
		r = arc_json_set_hex(o, "sha256", sha, sizeof(sha));
	return r == -ENODATA ? 0 : r;
}

static int set_regular(struct tool *t, json_t *o, const struct arc_inode *inode)
{
	uint64_t data;
	int r = arc_index_data_bytes(t->index, inode, &data);

	if (r < 0)
		return r;
	set_int(o, "data", data);
	set_int(o, "leader", inode->leader);
	if (inode->leader != inode->ino)
		set_int(o, "duplicate_of", inode->leader);
	set_int(o, "share", inode->share);
	set_int(o, "share_nlink", inode->share_nlink);
	return set_digests(t, o, inode->ino);
}

static int set_target(struct tool *t, json_t *o, const struct arc_inode *inode)
{
	arc_cleanup(arc_freep) char *target = NULL;
	int r = arc_index_target(t->index, inode, &target);

	return r < 0 ? r : arc_json_set(o, "target", target, strlen(target));
}

static int set_xattrs(struct tool *t, json_t *o, const struct arc_inode *inode)
{
	arc_cleanup(arc_freep) char *names = NULL;
	size_t n;
	json_t *list;
	int r = arc_archive_listxattr(t->archive, inode, &names, &n);

	if (r < 0)
		return r;
	list = json_array();
	for (size_t at = 0; at < n; at += strlen(names + at) + 1) {
		json_t *holder = json_object();

		/* The escaping of arc_json_set() is wanted, not the key. */
		r = arc_json_set(holder, "name", names + at,
				 strlen(names + at));
		if (r == 0)
			json_array_append(list,
					  json_object_get(holder, "name"));
		json_decref(holder);
		if (r < 0)
			break;
	}
	json_object_set_new(o, "xattrs", list);
	return r;
}

static int set_by_type(struct tool *t, json_t *o, const struct arc_inode *inode)
{
	switch (inode->mode & S_IFMT) {
	case S_IFREG:
		return set_regular(t, o, inode);
	case S_IFLNK:
		return set_target(t, o, inode);
	case S_IFCHR:
	case S_IFBLK:
		json_object_set_new(
			o, "rdev",
			json_pack("[I, I]", arc_json_int(inode->data >> 32),
				  arc_json_int(inode->data & UINT32_MAX)));
		return 0;
	default:
		return 0;
	}
}

static int print_json(struct tool *t, const struct tool_entry *e)
{
	const struct arc_inode *inode = &e->inode;
	json_t *o = json_object();
	char mode[8];
	int r, wrong;

	r = arc_json_set(o, "path", e->path, e->path_len);
	if (r < 0) {
		json_decref(o);
		return r;
	}
	snprintf(mode, sizeof(mode), "%04" PRIo32, inode->mode & 07777);
	json_object_set_new(o, "type", json_string(arc_json_type(inode->mode)));
	json_object_set_new(o, "mode", json_string(mode));
	set_int(o, "uid", inode->uid);
	set_int(o, "gid", inode->gid);
	set_int(o, "nlink", inode->nlink);
	set_int(o, "size", inode->size);
	json_object_set_new(o, "mtime", json_integer(inode->mtime));
	set_int(o, "mtime_ns", inode->mtime_ns);
	set_int(o, "ino", inode->ino);
	wrong = set_by_type(t, o, inode);
	if (inode->xset) {
		r = set_xattrs(t, o, inode);
		wrong = wrong < 0 ? wrong : r;
	}
	if (wrong < 0)
		json_object_set_new(o, "error",
				    json_string(arc_error_text(wrong)));
	r = arc_json_line(o, stdout, "");
	return wrong < 0 ? wrong : r;
}

/* -------------------------------------------------------------------------- */

static int print_entry(struct tool *t, const struct tool_entry *e,
		       struct arc_buf *room)
{
	int r = t->req.json ? print_json(t, e) : print_text(t, e, room);

	if (r < 0 && r != -ENOMEM)
		arc_say(&t->diag, ARC_ERROR, "%s: %s",
			e->path_len ? e->path : "/", arc_error_text(r));
	return r;
}

static int list(struct tool *t, struct tool_walk *w, struct arc_buf *room)
{
	struct tool_entry e;
	int status = TOOL_EXIT_OK;
	int r;

	while ((r = tool_walk_next(w, &e)) > 0) {
		if (e.step == TOOL_STEP_BAD) {
			tool_walk_say_bad(t, &e);
			status = TOOL_EXIT_INEXACT;
		}
		if (e.step != TOOL_STEP_ENTRY || !e.taken)
			continue;
		r = print_entry(t, &e, room);
		if (r == -ENOMEM)
			break;
		if (r < 0)
			status = TOOL_EXIT_INEXACT;
		if (ferror(stdout))
			break;
	}
	if (r == -ENOMEM)
		arc_say(&t->diag, ARC_ERROR, "%s", arc_error_text(r));
	return r < 0 ? TOOL_EXIT_INEXACT : status;
}

static int run(struct tool *t)
{
	struct tool_select select;
	arc_cleanup(tool_select_finip) struct tool_select *fini = NULL;
	arc_cleanup(tool_walk_freep) struct tool_walk *w = NULL;
	struct arc_buf room = { 0 };
	int status, r;

	fini = &select;
	r = tool_select_find(t, &select);
	if (r == -EINVAL)
		return TOOL_EXIT_USAGE;
	if (r >= 0)
		r = tool_walk_new(t, &select, &w);
	if (r < 0) {
		arc_say(&t->diag, ARC_ERROR, "%s", arc_error_text(r));
		return TOOL_EXIT_INEXACT;
	}
	status = list(t, w, &room);
	arc_buf_fini(&room);
	return select.missing ? TOOL_EXIT_INEXACT : status;
}

const struct tool_verb tool_verb_list = {
	.name = "list",
	.about = "Lists what is in an archive, with its metadata",
	.args = "ARCHIVE [PATH...]",
	.doc = "A PATH stands for itself and everything below it; without one "
	       "everything is listed.",
	.options = options,
	.takes_paths = true,
	.run = run,
};
