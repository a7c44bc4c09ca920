/* SPDX-License-Identifier: MIT */
#include "suffix.h"

#include <string.h>
#include <strings.h>

#define SUFFIX_MAX 8

/* In order; mkarchive(1) has them too. */
static const char suffixes[][SUFFIX_MAX] = {
	"7z",	"aac",	"apk",	  "avif",   "br",   "bz2", "cab",  "deb",
	"docx", "epub", "flac",	  "ggml",   "gguf", "gif", "gz",   "heic",
	"heif", "jar",	"jpeg",	  "jpg",    "jxl",  "lz",  "lz4",  "lzma",
	"lzo",	"m4a",	"m4v",	  "mkv",    "mov",  "mp3", "mp4",  "mpeg",
	"mpg",	"odp",	"ods",	  "odt",    "ogg",  "ogv", "opus", "pdf",
	"png",	"pptx", "q4_k_m", "q5_k_m", "rar",  "rpm", "tbz2", "tgz",
	"txz",	"tzst", "wav",	  "webm",   "webp", "whl", "woff", "woff2",
	"xlsx", "xz",	"zip",	  "zst",
};

static int by_text(const void *key, const void *suffix)
{
	return strcasecmp(key, suffix);
}

bool mk_suffix_is_compressed(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && bsearch(dot + 1, suffixes, ARC_COUNT(suffixes),
			      sizeof(suffixes[0]), by_text);
}
