/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "suffix.h"

static void compressed_kinds_are_known_by_their_suffix(void **state)
{
	static const char *const names[] = {
		"a.jpg",      "a.jpeg",	  "a.png",   "a.gif",	 "a.mp4",
		"a.mp3",      "a.wav",	  "a.webp",  "a.zip",	 "a.gz",
		"a.tar.gz",   "a.7z",	  "a.rar",   "a.gguf",	 "a.ggml",
		"a.Q4_K_M",   "a.Q5_K_M", "A.JPG",   "Film.MkV", ".zip",
		"d/e.f/g.xz", "a.b.zst",  "a.woff2", "a.docx",	 "a.pdf",
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(names); i++)
		assert_true(mk_suffix_is_compressed(names[i]));
}

static void others_are_not(void **state)
{
	static const char *const names[] = {
		"",
		".",
		"a",
		"jpg",
		"a.",
		"a.c",
		"a.jp",
		"a.jpgx",
		"a.jpg.c",
		"a.zi",
		"a.txt",
		"zip",
		"a.zip/b",
		"a.jpg ",
		"a..",
		"a.bmp",
		"a.tar",
		"a.bin",
		"a.safetensors",
		"a.veryveryverylongsuffix",
	};

	(void)state;
	for (size_t i = 0; i < ARC_COUNT(names); i++)
		assert_false(mk_suffix_is_compressed(names[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(compressed_kinds_are_known_by_their_suffix),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
