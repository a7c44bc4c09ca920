/* SPDX-License-Identifier: MIT */
#include "cache_runs.h"

void arc_runs_init(struct arc_runs *r, const struct arc_runs_policy *policy)
{
	uint64_t longest = r->longest;

	*r = (struct arc_runs){ .policy = *policy, .longest = longest };
}

static bool is_near(const struct arc_runs *r, const struct arc_run *run,
		    uint64_t off)
{
	return run->at && off + r->policy.near >= run->at &&
	       off <= run->at + r->policy.near;
}

static struct arc_run *find_run(struct arc_runs *r, uint64_t off)
{
	struct arc_run *oldest = &r->run[0];

	for (size_t i = 0; i < ARC_RUNS; i++) {
		struct arc_run *run = &r->run[i];

		if (is_near(r, run, off))
			return run;
		if (run->noted < oldest->noted)
			oldest = run;
	}
	*oldest = (struct arc_run){ .at = off, .passed = off };
	return oldest;
}

/* Pieces that begin ahead of the reader. */
static bool ask(struct arc_runs *r, struct arc_run *run)
{
	uint64_t piece = r->policy.piece;
	uint64_t end = run->at + ARC_MIN(r->policy.window, run->read);
	uint64_t next = ARC_MAX(run->asked, arc_div_up(run->at, piece) * piece);
	bool some = false;

	while (next < end && r->put - r->taken < ARC_RUNS_ASKED) {
		r->asked[r->put++ % ARC_RUNS_ASKED] = next;
		next += piece;
		some = true;
	}
	run->asked = next;
	return some;
}

bool arc_runs_note(struct arc_runs *r, uint64_t off, size_t n, bool fresh)
{
	struct arc_run *run;

	if (r->policy.window < r->policy.piece)
		return false;
	run = find_run(r, off);
	run->at = ARC_MAX(run->at, off + n);
	run->read += n;
	run->noted = ++r->notes;
	r->longest = ARC_MAX(r->longest, run->read);
	return fresh && run->read >= r->policy.begin && ask(r, run);
}

bool arc_runs_is_order(const struct arc_runs *r, uint64_t off)
{
	if (r->policy.window < r->policy.piece)
		return true;
	for (size_t i = 0; i < ARC_RUNS; i++)
		if (is_near(r, &r->run[i], off) &&
		    r->run[i].read >= r->policy.begin)
			return true;
	return false;
}

bool arc_runs_pass(struct arc_runs *r, uint64_t at, uint64_t *ret_from,
		   uint64_t *ret_to)
{
	uint64_t behind = r->policy.behind;

	for (size_t i = 0; i < ARC_RUNS; i++) {
		struct arc_run *run = &r->run[i];

		if (run->at != at || run->read < behind ||
		    at < run->passed + behind + r->policy.piece)
			continue;
		*ret_from = run->passed;
		*ret_to = run->passed = at - behind;
		return true;
	}
	return false;
}

static bool is_wanted(const struct arc_runs *r, uint64_t off)
{
	for (size_t i = 0; i < ARC_RUNS; i++) {
		const struct arc_run *run = &r->run[i];

		if (run->at && off >= run->at &&
		    off < run->at + r->policy.window)
			return true;
	}
	return false;
}

bool arc_runs_take(struct arc_runs *r, uint64_t *ret)
{
	while (r->put != r->taken) {
		*ret = r->asked[r->taken++ % ARC_RUNS_ASKED];
		if (is_wanted(r, *ret))
			return true;
	}
	return false;
}
