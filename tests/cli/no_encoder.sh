#!/bin/bash
# Who only reads links no encoder.
. "$(dirname "$0")/tool_helpers"

symbols()
{
	nm "$(command -v "$1")" | awk '{ print $NF }'
}

symbols mkarchive | grep -qx arc_encoder_find ||
	fail "mkarchive without arc_encoder_find: this test sees nothing"
for program in arcfs arctool; do
	symbols $program | grep -qx arc_decoder_find ||
		fail "$program without arc_decoder_find: this test sees nothing"
	! symbols $program | grep -xE 'arc_encoder_find|lzx_write|lzx_find' ||
		fail "$program has an encoder"
done
