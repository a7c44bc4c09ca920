/* SPDX-License-Identifier: MIT */
#include "mk_text.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const digest_names[] = {
	[MK_DIGEST_NONE] = "none",
	[MK_DIGEST_XXH128] = "xxh128",
	[MK_DIGEST_SHA256] = "sha256",
};

/* Options that say something only where they are not 0. */
static void put_number(FILE *f, const char *key, unsigned value)
{
	if (value)
		fprintf(f, "%s=%u\n", key, value);
}

static void put_coding(FILE *f, const struct mk_options *opt)
{
	const struct arc_encoder *encoder = mk_options_encoder(opt);
	const struct arc_encoder_params *coding = &opt->coding;

	fprintf(f, "codec=%s\n", encoder ? encoder->name : "raw");
	fprintf(f, "level=%u\n", coding->level);
	fprintf(f, "frame_size=%" PRIu32 "\n", opt->frame_size);
	if (coding->group_auto)
		fputs("reach=auto\n", f);
	else
		fprintf(f, "reach=%" PRIu64 "\n",
			UINT64_C(1) << coding->group_log);
	if (!opt->skip)
		fputs("skip=no\n", f);
	if (opt->order != MK_ORDER_WALK)
		fprintf(f, "order=%s\n", mk_order_name(opt->order));
	put_number(f, "far", coding->far_max);
	put_number(f, "hash_log", coding->hash_log);
	put_number(f, "hash_candidates", coding->candidates);
	put_number(f, "good_enough_match", coding->good_enough);
}

int mk_options_text(const struct mk_options *opt, char **ret)
{
	arc_cleanup(arc_freep) char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	if (!f)
		return -ENOMEM;
	fputs("mkarchive=" ARC_VERSION "\n", f);
	put_coding(f, opt);
	fprintf(f, "digest=%s\n", digest_names[opt->digest]);
	fprintf(f, "volume_size=%" PRIu64 "\n", opt->volume_size);
	fprintf(f, "profile=%s\n",
		opt->coding.parallel ? "parallel" : "serial");
	if (fclose(f) != 0)
		return -ENOMEM;
	*ret = arc_steal(text);
	return 0;
}
