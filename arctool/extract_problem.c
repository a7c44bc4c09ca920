/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "extract_i.h"

/* Codes that only the archive answers have no fitting word in the system. */
const char *tool_extract_reason(int err)
{
	if (err == -EBADMSG || err == -ENOMEDIUM || err == -ESTALE)
		return arc_error_text(err);
	return strerror(-err);
}

void tool_extract_problem(struct tool_extract *x, const char *path,
			  const char *what, int err)
{
	atomic_store(&x->inexact, true);
	if (err == -ENOSPC || err == -EDQUOT || err == -EROFS) {
		if (atomic_exchange(&x->stop, true))
			return;
	}
	arc_say(&x->tool->diag, ARC_ERROR, "%s: %s: %s",
		*path ? path : x->tool->req.dest, what,
		tool_extract_reason(err));
}
