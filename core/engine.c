/* SPDX-License-Identifier: MIT */
#include "engine.h"

void arc_engine_free(struct arc_engine *e)
{
	if (e)
		e->ops->free(e);
}
