/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <jansson.h>
#include <stdio.h>
#include <sys/stat.h>

#include "bytes.h"

/* Bytes of the UTF-8 character at p that JSON can hold, 0 when there is none.
 */
static size_t character_len(const char *p, size_t n)
{
	for (size_t len = 1; len <= 4 && len <= n; len++) {
		json_t *one = json_stringn(p, len);

		if (one) {
			json_decref(one);
			return len;
		}
	}
	return 0;
}

/* A string that has U+FFFD for each byte that is no text. */
static json_t *lossy_string(const char *p, size_t n)
{
	static const char replacement[] = "\xef\xbf\xbd";
	struct arc_buf out = { 0 };
	json_t *string = NULL;
	int r = 0;

	while (n > 0 && r == 0) {
		size_t len = character_len(p, n);

		r = len ? arc_buf_append(&out, p, len)
			: arc_buf_append(&out, replacement, 3);
		len = len ? len : 1;
		p += len;
		n -= len;
	}
	if (r == 0)
		string = json_stringn(out.p ? (char *)out.p : "", out.n);
	arc_buf_fini(&out);
	return string;
}

int arc_json_set_hex(json_t *object, const char *key, const void *bytes,
		     size_t n)
{
	arc_cleanup(arc_freep) char *hex = NULL;
	size_t cap;

	if (!arc_mul_ok(n, (size_t)2, &cap) ||
	    !arc_add_ok(cap, (size_t)1, &cap))
		return -ENOMEM;
	hex = malloc(cap);
	if (!hex)
		return -ENOMEM;
	arc_hex(bytes, n, hex);
	return json_object_set_new(object, key, json_string(hex)) < 0 ? -ENOMEM
								      : 0;
}

int arc_json_set(struct json_t *object, const char *key, const void *bytes,
		 size_t n)
{
	json_t *string = json_stringn(bytes, n);
	char hex_key[64];
	int r = 0;

	if (!string) {
		snprintf(hex_key, sizeof(hex_key), "%s_hex", key);
		r = arc_json_set_hex(object, hex_key, bytes, n);
		string = lossy_string(bytes, n);
	}
	if (json_object_set_new(object, key, string) < 0)
		return -ENOMEM;
	return r;
}

int arc_json_line(struct json_t *object, FILE *to, const char *after)
{
	int r = -1;

	if (object)
		r = json_dumpf(object, to,
			       JSON_COMPACT | JSON_REAL_PRECISION(6));
	json_decref(object);
	fputs(after, to);
	putc('\n', to);
	return r < 0 ? -ENOMEM : 0;
}

const char *arc_json_type(uint32_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	default:
		return "socket";
	}
}
