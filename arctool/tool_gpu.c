/* SPDX-License-Identifier: MIT */
#include "engine.h"
#include "tool.h"

/* To find devices, build programs and try them takes about a second. */
#define WORTH_A_LOOK (512 * ARC_MIB)

bool tool_wants_devices(const struct tool *t)
{
	switch (t->req.gpu.mode) {
	case ARC_GPU_FORCE:
		return true;
	case ARC_GPU_AUTO:
		return arc_index_summary(t->index)->stream >= WORTH_A_LOOK;
	case ARC_GPU_OFF:
	default:
		return false;
	}
}

static void say_always(void *ctx, enum arc_level level, const char *text)
{
	static char program[] = "arctool";
	struct tool *t = ctx;

	tool_meter_clear(t->meter);
	arc_sink_stderr(program, level, text);
}

int tool_devices_begin(struct tool *t, struct tool_devices *d)
{
	const struct arc_gpu_purpose purpose = {
		.work = { [ARC_GPU_DECODE] = true },
		.threads = t->req.threads,
	};
	struct arc_engine_params params = {
		.work = ARC_JOB_DECODE,
		.threads = t->req.threads,
		.diag = &d->diag,
		.devices_only = t->req.gpu.mode == ARC_GPU_FORCE,
		.no_fallback = t->req.gpu.no_fallback,
		.deadline_ms = t->req.gpu.timeout_ms,
		.batch = t->req.gpu.decode_batch,
	};
	int err;

	*d = (struct tool_devices){ 0 };
	arc_diag_init(&d->diag, say_always, t,
		      t->req.verbosity > 0 ? ARC_INFO : ARC_WARN);
	if (!tool_wants_devices(t))
		return 0;
	err = arc_gpu_choose(&t->req.gpu, &purpose, false, &d->diag, &d->gpu);
	if (err || !d->gpu->used[ARC_GPU_DECODE].count)
		return err;
	params.device = d->gpu->used[ARC_GPU_DECODE].device;
	params.devices = d->gpu->used[ARC_GPU_DECODE].count;
	return arc_engine_new(&params, &d->engine);
}

void tool_devices_end(struct tool_devices *d)
{
	arc_engine_free(d->engine);
	arc_gpu_free(d->gpu);
	arc_diag_fini(&d->diag);
}
