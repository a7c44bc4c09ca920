/* SPDX-License-Identifier: MIT */
#include "codec_i.h"

static const struct arc_encoder *const encoders[] = {
	&arc_lz4_encoder,
	&arc_lz4hc_encoder,
	&arc_lzext3_encoder,
	&arc_zstd_encoder,
};

const struct arc_encoder *arc_encoder_at(unsigned i)
{
	return i < ARC_COUNT(encoders) ? encoders[i] : NULL;
}

const struct arc_encoder *arc_encoder_find(const char *name)
{
	for (size_t i = 0; i < ARC_COUNT(encoders); i++) {
		if (strcmp(encoders[i]->name, name) == 0)
			return encoders[i];
	}
	return NULL;
}
