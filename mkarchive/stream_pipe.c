/* SPDX-License-Identifier: MIT */
/*
 * Nothing but the bytes decides what is stored, so a pipe's file has no time:
 * 1970. A file that standard input was redirected from has its own.
 */
#include <string.h>
#include <sys/stat.h>

#include "stream_i.h"

#define PIECE ((size_t)256 << 10)

/* The last part of a path. */
static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int describe(const struct mk_streaming *s, struct mk_entry *ret)
{
	struct stat st;

	if (fstat(s->src->fd, &st))
		return -errno;
	*ret = (struct mk_entry){ .mode = S_IFREG | 0644,
				  .uid = st.st_uid,
				  .gid = st.st_gid };
	if (S_ISREG(st.st_mode)) {
		ret->mode = st.st_mode;
		ret->mtime = st.st_mtim.tv_sec;
		ret->mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
	}
	return 0;
}

static int take_bytes(struct mk_streaming *s)
{
	arc_cleanup(arc_freep) uint8_t *piece = malloc(PIECE);
	ssize_t n;
	int r = 0;

	if (!piece)
		return -ENOMEM;
	while (r >= 0 && (n = read(s->src->fd, piece, PIECE)) != 0) {
		if (n < 0 && errno != EINTR) {
			r = -errno;
			arc_say(s->run->diag, ARC_ERROR, "%s: %s", s->src->name,
				strerrordesc_np(-r));
		} else if (n > 0) {
			r = mk_intake_data(s->intake, mk_intake_at(s->intake),
					   piece, (size_t)n);
		}
	}
	return r;
}

int mk_stream_pipe(struct mk_streaming *s)
{
	const char *as = s->run->opt->stdin_name;
	const char *name = as ? as : last_part(s->run->opt->src);
	uint64_t inode, place;
	int r = describe(s, &s->first);

	if (r >= 0)
		r = mk_gather_path(name, &s->path);
	if (r >= 0)
		r = mk_gather_place(s->gather, (const char *)s->path.p,
				    &s->first, &place);
	if (r >= 0)
		r = mk_gather_add(s->gather, &inode);
	if (r < 0)
		return r;
	mk_gather_at(s->gather, inode)->e = s->first;
	mk_intake_expect(s->intake, name);
	r = mk_gather_put(s->gather, place, inode);
	if (r >= 0)
		r = mk_intake_begin(s->intake, inode, MK_NONE, true);
	if (r >= 0)
		r = take_bytes(s);
	return r < 0 ? r : mk_intake_end(s->intake, mk_intake_at(s->intake));
}
