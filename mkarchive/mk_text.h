/* SPDX-License-Identifier: MIT */
/*
 * mk_text - the options of a run that its bytes depend on, as the lines of
 * text that are kept in the top root and go into the archive id. What must not
 * change bytes (threads, verbosity) is not in it.
 *
 * Threads: pure.
 */
#ifndef MK_TEXT_H
#define MK_TEXT_H

#include "mk_options.h"

/* "key=value\n" lines, freed by the caller. */
int mk_options_text(const struct mk_options *opt, char **ret);

#endif
