/* SPDX-License-Identifier: MIT */
#include "codec_i.h"

static const struct arc_decoder *const decoders[] = {
	&arc_raw_decoder,
	&arc_lz4_decoder,
	&arc_lzext3_decoder,
	&arc_zstd_decoder,
};

/* Names of all ids of the format, known to this build or not. */
static const char *const names[ARC_CODEC_COUNT] = {
	[ARC_CODEC_RAW] = "raw",       [ARC_CODEC_LZ4] = "lz4",
	[ARC_CODEC_LZEXT3] = "lzext3", [ARC_CODEC_ZSTD] = "zstd",
	[ARC_CODEC_FLOAT] = "float",
};

const struct arc_decoder *arc_decoder_find(uint8_t id)
{
	for (size_t i = 0; i < ARC_COUNT(decoders); i++) {
		if (decoders[i]->id == id)
			return decoders[i];
	}
	return NULL;
}

const char *arc_codec_name(uint8_t id)
{
	return id < ARC_COUNT(names) ? names[id] : "unknown";
}
