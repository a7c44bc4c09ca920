/* SPDX-License-Identifier: MIT */
#include "stream.h"

#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "match.h"
#include "stream_i.h"

/* ---- what SRC is --------------------------------------------------------- */

/* A file of such a name is unpacked: who has it would be surprised by one big
 * file, while a document that happens to be a zip is a file to everybody. */
static const char *const archive_names[] = {
	".tar",	    ".tar.gz",	 ".tgz",      ".tar.zst", ".tzst",
	".tar.xz",  ".txz",	 ".tar.bz2",  ".tbz2",	  ".tar.lz4",
	".tar.lz",  ".tar.lzma", ".tar.Z",    ".pax",	  ".cpio",
	".cpio.gz", ".cpio.xz",	 ".cpio.zst", ".zip",	  ".7z",
};

static bool has_archive_name(const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < ARC_COUNT(archive_names); i++) {
		size_t k = strlen(archive_names[i]);

		if (n > k && strcasecmp(name + n - k, archive_names[i]) == 0)
			return true;
	}
	return false;
}

/* -EINVAL, said: SRC is neither a tree nor anything that can be read. */
static int kind_of(struct mk_run *run, const struct stat *st,
		   enum mk_source_kind *ret)
{
	const struct mk_options *opt = run->opt;

	*ret = MK_SOURCE_TREE;
	if (S_ISREG(st->st_mode)) {
		if (opt->unpack ||
		    (!opt->as_file && has_archive_name(opt->src)))
			*ret = MK_SOURCE_ARCHIVE;
	} else if (S_ISFIFO(st->st_mode)) {
		*ret = opt->unpack ? MK_SOURCE_ARCHIVE : MK_SOURCE_PIPE;
	} else if (opt->unpack) {
		arc_say(run->diag, ARC_ERROR,
			"%s: --unpack is for files and pipes", opt->src);
		return -EINVAL;
	}
	return 0;
}

/* Of standard input. */
static int open_stdin(const struct mk_run *run, struct mk_stream *ret)
{
	if (isatty(STDIN_FILENO)) {
		arc_say(run->diag, ARC_ERROR,
			"standard input is a terminal, and no archive or file");
		return -EINVAL;
	}
	*ret = (struct mk_stream){
		.kind = run->opt->stdin_name ? MK_SOURCE_PIPE
					     : MK_SOURCE_ARCHIVE,
		.fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0),
		.name = "standard input",
	};
	if (ret->fd >= 0)
		return 0;
	arc_say(run->diag, ARC_ERROR, "standard input: %s",
		strerrordesc_np(errno));
	return -EIO;
}

/* The folder and the list of what is wanted of it. */
static int open_list(struct mk_run *run, struct mk_stream *ret)
{
	const char *src = run->opt->src;
	const char *list = run->opt->files_from;
	bool from_stdin = strcmp(list, "-") == 0;
	int r = 0;

	*ret = (struct mk_stream){ .kind = MK_SOURCE_LIST, .name = src };
	ret->list = from_stdin ? stdin : fopen(list, "re");
	if (!ret->list) {
		r = -errno;
		arc_say(run->diag, ARC_ERROR, "cannot open %s: %s", list,
			strerrordesc_np(-r));
	}
	ret->fd = r < 0 ? -1 : open(src, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0 || ret->fd >= 0)
		return r;
	r = -errno;
	arc_say(run->diag, ARC_ERROR, "cannot open %s: %s", src,
		strerrordesc_np(-r));
	mk_stream_close(ret);
	return r;
}

int mk_stream_open(struct mk_run *run, struct mk_stream *ret)
{
	const char *src = run->opt->src;
	struct stat st;
	int r;

	if (run->opt->files_from)
		return open_list(run, ret);
	if (strcmp(src, "-") == 0)
		return open_stdin(run, ret);
	*ret = (struct mk_stream){ .fd = -1, .name = src };
	if (stat(src, &st))
		return 0; /* the scan will say it */
	r = kind_of(run, &st, &ret->kind);
	if (r < 0 || ret->kind == MK_SOURCE_TREE)
		return r;
	ret->fd = open(src, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (ret->fd >= 0)
		return 0;
	r = -errno;
	arc_say(run->diag, ARC_ERROR, "cannot open %s: %s", src,
		strerrordesc_np(-r));
	return r;
}

void mk_stream_close(struct mk_stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->list && s->list != stdin)
		fclose(s->list);
	s->fd = -1;
	s->list = NULL;
}

/* ---- what is left out ---------------------------------------------------- */

/* Why an entry is left out, from what gather says of it; NULL: no reason of
 * its own. */
static const char *reason_of(int err)
{
	switch (err) {
	case -EINVAL:
		return "left out: \"..\" in its path";
	case -ENAMETOOLONG:
		return "left out: a name in its path is too long";
	case -ENOTDIR:
		return "left out: what it lies in is no folder";
	case -EISDIR:
		return "left out: a folder with entries has this name";
	default:
		return NULL;
	}
}

int mk_stream_leave_out(struct mk_streaming *s, const char *path, int err)
{
	const char *why = reason_of(err);

	if (!why)
		return err;
	mk_problem_path(s->run, path, why, 0);
	return 0;
}

bool mk_stream_excluded(struct mk_streaming *s, bool dir)
{
	const struct mk_match *match = s->run->opt->match;
	char *path = (char *)s->path.p;
	bool hit = false;

	if (!match || !*path)
		return false;
	for (char *slash = strchr(path, '/'); !hit && slash;
	     slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		hit = mk_match_excluded(match, path, true);
		*slash = '/';
	}
	hit = hit || mk_match_excluded(match, path, dir);
	if (hit)
		mk_count(&s->run->stats.excluded, 1);
	return hit;
}

/* ---- begin and end ------------------------------------------------------- */

static int begin(struct mk_streaming *s, int tmp_fd,
		 struct mk_volume_sink *sink)
{
	int r = mk_gather_new(s->tree, tmp_fd, &s->gather);

	if (r < 0) {
		sink->ops->close(sink->ctx);
		return r;
	}
	return mk_intake_new(s->run, s->tree, s->gather, tmp_fd, sink,
			     &s->intake);
}

static int finish(struct mk_streaming *s, struct arc_disk_root *root,
		  struct mk_volwrite **ret_vw, struct mk_idxwrite **ret_idx)
{
	uint64_t made;
	int r = mk_gather_finish(s->gather, &s->first, &made);

	if (r < 0)
		return r;
	if (made > 0)
		arc_say(s->run->diag, ARC_INFO,
			"%" PRIu64 " folders that do not stand in the input "
			"were made (mode 0755)",
			made);
	/* As in mk_pack(): the index shall have none. */
	if (s->run->opt->digest == MK_DIGEST_NONE)
		mk_spool_close(&s->tree->digests);
	return mk_intake_finish(s->intake, root, ret_vw, ret_idx);
}

static int take_all(struct mk_streaming *s)
{
	switch (s->src->kind) {
	case MK_SOURCE_ARCHIVE:
		return mk_stream_archive(s);
	case MK_SOURCE_LIST:
		return mk_stream_list(s);
	case MK_SOURCE_PIPE:
	case MK_SOURCE_TREE:
	default:
		return mk_stream_pipe(s);
	}
}

int mk_stream_pack(struct mk_run *run, const struct mk_stream *src,
		   struct mk_tree *tree, int tmp_fd,
		   struct mk_volume_sink *sink, struct arc_disk_root *root,
		   struct mk_volwrite **ret_vw, struct mk_idxwrite **ret_idx)
{
	struct mk_streaming s = { .run = run, .src = src, .tree = tree };
	int r = begin(&s, tmp_fd, sink);

	if (r >= 0)
		r = take_all(&s);
	if (r >= 0)
		r = finish(&s, root, ret_vw, ret_idx);
	if (r == -ENOSPC || r == -EDQUOT)
		arc_say(run->diag, ARC_ERROR,
			"no space beside the volumes, or "
			"for them");
	mk_intake_free(s.intake);
	mk_gather_free(s.gather);
	arc_buf_fini(&s.path);
	arc_buf_fini(&s.target);
	return r;
}
