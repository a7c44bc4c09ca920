/* SPDX-License-Identifier: MIT */
#include "mk_text.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const digest_names[] = {
	[MK_DIGEST_NONE] = "none",
	[MK_DIGEST_XXH128] = "xxh128",
	[MK_DIGEST_SHA256] = "sha256",
};

int mk_options_text(const struct mk_options *opt, char **ret)
{
	const struct arc_encoder *encoder = mk_options_encoder(opt);
	char *text = NULL;
	int n = asprintf(&text,
			 "mkarchive=" ARC_VERSION "\n"
			 "codec=%s\n"
			 "level=%u\n"
			 "frame_size=%" PRIu32 "\n"
			 "reach=%" PRIu64 "\n"
			 "digest=%s\n"
			 "volume_size=%" PRIu64 "\n"
			 "profile=serial\n",
			 encoder ? encoder->name : "raw", opt->level,
			 opt->frame_size, UINT64_C(1) << opt->group_log,
			 digest_names[opt->digest], opt->volume_size);

	if (n < 0)
		return -ENOMEM;
	*ret = text;
	return 0;
}
