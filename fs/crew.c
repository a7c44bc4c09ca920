/* SPDX-License-Identifier: MIT */
#include "crew.h"

#include <assert.h>

void arcfs_crew_init(struct arcfs_crew *c, unsigned max)
{
	assert(max >= 1);
	*c = (struct arcfs_crew){ .max = max, .wanted = 1 };
}

bool arcfs_crew_wait(struct arcfs_crew *c)
{
	if (c->waiting + c->busy >= c->wanted)
		return false;
	c->waiting++;
	return true;
}

static bool want_more(struct arcfs_crew *c)
{
	if (c->wanted == c->max)
		return false;
	c->wanted++;
	return true;
}

static void end_window(struct arcfs_crew *c)
{
	if (c->taken < ARCFS_CREW_WINDOW)
		return;
	c->wanted = ARC_MIN(c->wanted, c->peak);
	c->taken = 0;
	c->peak = c->busy;
}

bool arcfs_crew_take(struct arcfs_crew *c, bool was_there)
{
	bool more = false;

	c->waiting--;
	c->busy++;
	c->taken++;
	c->moved = true;
	c->peak = ARC_MAX(c->peak, c->busy);
	if (was_there && c->waiting == 0) {
		/* Two at once, even if only one could be seen at a time. */
		more = want_more(c);
		c->peak = ARC_MAX(c->peak, ARC_MIN(c->busy + 1, c->max));
	}
	end_window(c);
	return more;
}

void arcfs_crew_missed(struct arcfs_crew *c)
{
	c->waiting--;
}

void arcfs_crew_alone(struct arcfs_crew *c)
{
	assert(c->wanted > 1);
	c->wanted--;
}

void arcfs_crew_answered(struct arcfs_crew *c)
{
	c->busy--;
	c->moved = true;
}

bool arcfs_crew_tick(struct arcfs_crew *c)
{
	bool stuck = c->busy > 0 && c->waiting == 0 && !c->moved;

	c->moved = false;
	return stuck && want_more(c);
}
