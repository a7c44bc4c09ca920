/* SPDX-License-Identifier: MIT */
#include "mk_devices.h"

/* To find devices, build programs and try them takes about a second. */
#define WORTH_A_LOOK (512 * ARC_MIB)

static bool shall_look(const struct mk_run *run, const struct mk_options *opt)
{
	const struct arc_encoder *encoder = mk_options_encoder(opt);

	switch (opt->gpu.mode) {
	case ARC_GPU_FORCE:
		return true;
	case ARC_GPU_AUTO:
		return encoder && encoder->id == ARC_CODEC_LZEXT3 &&
		       opt->profile != MK_PROFILE_SERIAL &&
		       !opt->coding.far_max &&
		       mk_value(&run->stats.bytes) >= WORTH_A_LOOK;
	case ARC_GPU_OFF:
	default:
		return false;
	}
}

int mk_devices_choose(struct mk_run *run, struct mk_options *opt)
{
	bool parallel = opt->profile == MK_PROFILE_PARALLEL;
	struct arc_encoder_params coding = opt->coding;
	const struct arc_gpu_purpose purpose = {
		.work = { [ARC_GPU_HASH] = true, [ARC_GPU_ENCODE] = true },
		.coding = &coding,
		.encoder = &arc_gpu_encoder,
		.threads = opt->threads,
	};
	int r = 0;

	coding.parallel = true;
	if (shall_look(run, opt))
		r = arc_gpu_choose(&opt->gpu, &purpose, false, run->diag,
				   &run->gpu);
	if (r < 0)
		return r;
	parallel =
		parallel || (run->gpu && run->gpu->used[ARC_GPU_ENCODE].count);
	opt->profile = parallel ? MK_PROFILE_PARALLEL : MK_PROFILE_SERIAL;
	opt->coding.parallel = parallel;
	if (parallel)
		arc_say(run->diag, ARC_INFO, "profile: parallel");
	return 0;
}
