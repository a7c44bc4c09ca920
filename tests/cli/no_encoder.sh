#!/bin/bash
# Who only reads links no encoder. (arctool tries how devices encode.)
. "$(dirname "$0")/tool_helpers"

symbols()
{
	nm "$(command -v "$1")" | awk '{ print $NF }'
}

symbols mkarchive | grep -qx arc_encoder_find ||
	fail "mkarchive without arc_encoder_find: this test sees nothing"
symbols arcfs | grep -qx arc_decoder_find ||
	fail "arcfs without arc_decoder_find: this test sees nothing"
! symbols arcfs | grep -xE 'arc_encoder_find|lzx_(write|find|far|parallel).*' ||
	fail "arcfs has an encoder"
