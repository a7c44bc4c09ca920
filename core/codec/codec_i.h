/* SPDX-License-Identifier: MIT */
/*
 * codec_i - what the files of the codecs export to the two tables, that of the
 * decoders in codec.c and that of the encoders in encoders.c. Two, so that a
 * reader links no encoder.
 */
#ifndef ARC_CODEC_I_H
#define ARC_CODEC_I_H

#include "codec.h"

extern const struct arc_decoder arc_raw_decoder;
extern const struct arc_decoder arc_lz4_decoder;
extern const struct arc_decoder arc_lzext3_decoder;
extern const struct arc_decoder arc_zstd_decoder;

extern const struct arc_encoder arc_lz4_encoder;
extern const struct arc_encoder arc_lz4hc_encoder;
extern const struct arc_encoder arc_lzext3_encoder;
extern const struct arc_encoder arc_zstd_encoder;

#endif
