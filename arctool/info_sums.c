/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "info_i.h"

const struct tool_info_run *tool_info_run_at(const struct tool_info *info,
					     size_t i)
{
	const struct tool_info_run *runs = (const void *)info->runs.p;

	return i < info->runs.n / sizeof(*runs) ? &runs[i] : NULL;
}

static int add_run(struct tool_info *info, const struct tool_info_run *run)
{
	if (run->first > run->last)
		return 0;
	if (run->err < 0)
		info->absent += run->last - run->first + 1;
	info->out += run->bytes;
	return arc_buf_append(&info->runs, run, sizeof(*run));
}

/* One that is there, and those missing before it. */
static int add_present(struct arc_volumes *vs, struct tool_info *info,
		       uint32_t *last, uint32_t number)
{
	struct tool_info_run run = { .first = *last + 1,
				     .last = number - 1,
				     .err = -ENOMEDIUM };
	int r = add_run(info, &run);

	*last = number;
	if (r < 0 || number > info->volumes)
		return r;
	run = (struct tool_info_run){ .first = number, .last = number };
	run.err = arc_volumes_size(vs, number, &run.bytes);
	return add_run(info, &run);
}

int tool_info_sum_up(struct tool *t, struct tool_info *ret)
{
	const struct arc_summary *s = arc_index_summary(t->index);
	struct arc_volumes *vs = arc_archive_volumes(t->archive);
	struct arc_buf present = { 0 };
	uint32_t last = 0, number;
	int r;

	*ret = (struct tool_info){ .volumes = arc_volumes_count(vs) };
	for (size_t i = 0; i < ARC_COUNT(s->codec); i++)
		ret->frames += s->codec[i].frames;
	r = arc_volumes_present(vs, &present);
	for (size_t at = 0; at < present.n && r == 0; at += sizeof(number)) {
		memcpy(&number, present.p + at, sizeof(number));
		r = add_present(vs, ret, &last, number);
	}
	if (r == 0)
		r = add_present(vs, ret, &last, (uint32_t)ret->volumes + 1);
	arc_buf_fini(&present);
	if (r < 0 || !t->req.closure)
		return r;
	ret->surveyed = true;
	return tool_info_closures(t, &ret->closures);
}

double tool_info_reduction(const struct arc_summary *s,
			   const struct tool_info *info)
{
	return s->bytes ? 100.0 - tool_percent(info->out, s->bytes) : 0.0;
}

double tool_info_mean(const struct tool_closure *c)
{
	return c->segments ? (double)c->bytes / (double)c->segments : 0.0;
}

double tool_info_ratio(uint64_t in, uint64_t out)
{
	return out ? (double)in / (double)out : 0.0;
}

const char *tool_info_option(struct tool *t, const char *key, size_t *ret_n)
{
	const char *line = arc_index_text(t->index);
	size_t len = strlen(key);

	while (*line) {
		size_t n = strcspn(line, "\n");

		if (n > len && strncmp(line, key, len) == 0 &&
		    line[len] == '=') {
			*ret_n = n - len - 1;
			return line + len + 1;
		}
		line += n;
		line += *line == '\n';
	}
	return NULL;
}

bool tool_info_number(const char *text, size_t n, uint64_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < n; i++) {
		if (text[i] < '0' || text[i] > '9' ||
		    !arc_mul_ok(value, (uint64_t)10, &value) ||
		    !arc_add_ok(value, (uint64_t)(text[i] - '0'), &value))
			return false;
	}
	*ret = value;
	return n > 0;
}
