/* SPDX-License-Identifier: MIT */
/*
 * A message is formatted first and escaped as a whole afterwards, so that no
 * caller can forget to escape a name. Backslashes stay single there: a text
 * that was escaped before is not escaped twice.
 */
#include "diag.h"

#include <stdio.h>
#include <string.h>

/* Messages up to this many bytes need no allocation. */
#define TEXT_ROOM 1024

void arc_diag_init(struct arc_diag *diag, arc_sink sink, void *ctx,
		   enum arc_level max)
{
	diag->sink = sink;
	diag->ctx = ctx;
	diag->max = max;
	pthread_mutex_init(&diag->lock, NULL);
}

void arc_diag_fini(struct arc_diag *diag)
{
	pthread_mutex_destroy(&diag->lock);
}

/*
 * Characters that move the cursor, start terminal commands or reorder the text
 * around them: controls (C0, DEL, C1), line separators, bidirectional marks.
 */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e ||
	       c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

/* Bytes of the printable UTF-8 character at p, 0 when there is none. */
static size_t printable_len(const uint8_t *p, size_t n)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc0 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf8 ? 4
				   : 0;
	uint32_t c = p[0];

	if (len == 0 || len > n)
		return 0;
	if (len > 1)
		c &= 0x7fU >> len;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < smallest[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return is_control(c) ? 0 : len;
}

/*
 * One character of the input as it is shown: *ret_used bytes of the input
 * became the returned number of bytes (1...4) in out.
 */
static size_t show_one(const uint8_t *p, size_t n, bool backslash,
		       uint8_t out[4], size_t *ret_used)
{
	static const char hex[] = "0123456789abcdef";
	size_t len = printable_len(p, n);

	*ret_used = len ? len : 1;
	if (len == 1 && p[0] == '\\' && backslash) {
		out[0] = out[1] = '\\';
		return 2;
	}
	if (len) {
		memcpy(out, p, len);
		return len;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = (uint8_t)hex[p[0] >> 4];
	out[3] = (uint8_t)hex[p[0] & 15];
	return 4;
}

static char *escape(const uint8_t *p, size_t n, bool backslash, char *out,
		    size_t cap)
{
	size_t room = cap - 1; /* without the end */
	size_t dots = ARC_MIN(room, (size_t)3);
	size_t pos = 0;
	size_t cut = 0; /* the last place where the dots still fit */

	while (n > 0) {
		uint8_t shown[4];
		size_t used;
		size_t len = show_one(p, n, backslash, shown, &used);

		if (len > room - pos) {
			memset(out + cut, '.', dots);
			pos = cut + dots;
			break;
		}
		memcpy(out + pos, shown, len);
		pos += len;
		p += used;
		n -= used;
		if (pos + dots <= room)
			cut = pos;
	}
	out[pos] = '\0';
	return out;
}

char *arc_escape(const void *bytes, size_t n, char *out, size_t cap)
{
	return escape(bytes, n, true, out, cap);
}

/* Formats into room, or into *heap when it is too small and memory is had. */
__attribute__((format(printf, 3, 0))) static const char *
format_text(char room[TEXT_ROOM], char **heap, const char *fmt, va_list args)
{
	va_list again;
	int n;

	va_copy(again, args);
	n = vsnprintf(room, TEXT_ROOM, fmt, args);
	if (n < 0)
		room[0] = '\0';
	if (n >= TEXT_ROOM)
		*heap = malloc((size_t)n + 1);
	if (*heap)
		vsnprintf(*heap, (size_t)n + 1, fmt, again);
	va_end(again);
	return *heap ? *heap : room;
}

void arc_say(struct arc_diag *diag, enum arc_level level, const char *fmt, ...)
{
	arc_cleanup(arc_freep) char *long_text = NULL;
	arc_cleanup(arc_freep) char *long_shown = NULL;
	char text_room[TEXT_ROOM];
	char shown_room[TEXT_ROOM];
	int saved = errno;
	const char *text;
	va_list args;
	size_t n;

	if (!diag || !diag->sink || level > diag->max)
		return;
	va_start(args, fmt);
	text = format_text(text_room, &long_text, fmt, args);
	va_end(args);
	n = strlen(text);
	if (4 * n >= sizeof(shown_room))
		long_shown = malloc(4 * n + 1);
	if (long_shown)
		text = escape((const uint8_t *)text, n, false, long_shown,
			      4 * n + 1);
	else
		text = escape((const uint8_t *)text, n, false, shown_room,
			      sizeof(shown_room));
	pthread_mutex_lock(&diag->lock);
	diag->sink(diag->ctx, level, text);
	pthread_mutex_unlock(&diag->lock);
	errno = saved;
}

const char *arc_error_text(int err)
{
	switch (err) {
#define SENTENCE_OF(code, name, sentence)                                      \
	case -code:                                                            \
		return sentence;
		ARC_ERRORS(SENTENCE_OF)
#undef SENTENCE_OF
	default:
		return strerror(err < 0 ? -err : err);
	}
}

const char *arc_error_name(int err)
{
	switch (err) {
#define NAME_OF(code, name, sentence)                                          \
	case -code:                                                            \
		return name;
		ARC_ERRORS(NAME_OF)
#undef NAME_OF
	default:
		return "error";
	}
}

void arc_sink_stderr(void *ctx, enum arc_level level, const char *text)
{
	const char *program = ctx;

	fprintf(stderr, "%s: %s%s\n", program,
		level == ARC_WARN ? "warning: " : "", text);
}
