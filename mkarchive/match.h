/* SPDX-License-Identifier: MIT */
/*
 * match - which paths of the source are left out: patterns as in
 * gitignore(5), of --exclude and --exclude-from, in the order given; the last
 * one that matches decides.
 *
 *	*.o		any name ending in .o, at any depth
 *	/build		only at the root; a slash inside anchors too
 *	cache/		directories only
 *	a/two-stars/b	two stars as a whole component: any number of
 *			directories, none included
 *	!keep.o		takes an earlier exclusion back
 *
 * As with git, nothing below an excluded directory can be taken back.
 *
 * Threads: frozen after the last add; mk_match_excluded() is pure then.
 */
#ifndef MK_MATCH_H
#define MK_MATCH_H

#include "base.h"

struct mk_match;

int mk_match_new(struct mk_match **ret);
void mk_match_free(struct mk_match *m); /* accepts NULL */
ARC_DEFINE_CLEANUP(struct mk_match, mk_match_free)

/* One pattern (copied). An empty one or a comment (#) adds nothing. */
int mk_match_add(struct mk_match *m, const char *pattern);

/* The lines of a file. Negative errno when it cannot be read. */
int mk_match_add_file(struct mk_match *m, const char *path);

/* path: relative to the source, no leading slash. m may be NULL. */
bool mk_match_excluded(const struct mk_match *m, const char *path, bool is_dir);

#endif
