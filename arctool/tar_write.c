/* SPDX-License-Identifier: MIT */
/*
 * What a field of the header cannot hold goes into a record; then the field
 * holds what fits, for readers that are older than pax.
 */
#include "tar_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "bytes.h"

#define BLOCK ((size_t)512)
#define RECORD (20 * BLOCK) /* what tar writes at once */
#define BUFFER ((size_t)64 << 10)

struct header {
	char name[100];
	char mode[8];
	char uid[8];
	char gid[8];
	char size[12];
	char mtime[12];
	char sum[8];
	char type;
	char target[100];
	char magic[8]; /* "ustar\0" "00" */
	char user[32];
	char group[32];
	char major[8];
	char minor[8];
	char prefix[155];
	char rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is a block");

struct tool_tar {
	int fd;
	uint8_t *buf; /* BUFFER bytes */
	size_t n; /* not yet written */
	uint64_t total; /* bytes of the stream so far */
	struct arc_buf records;
};

int tool_tar_new(int fd, struct tool_tar **ret)
{
	struct tool_tar *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	t->fd = fd;
	t->buf = malloc(BUFFER);
	if (!t->buf) {
		free(t);
		return -ENOMEM;
	}
	*ret = t;
	return 0;
}

void tool_tar_free(struct tool_tar *t)
{
	if (!t)
		return;
	arc_buf_fini(&t->records);
	free(t->buf);
	free(t);
}

/* ---- bytes --------------------------------------------------------------- */

static int write_all(int fd, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			p += done;
			n -= (size_t)done;
		}
	}
	return 0;
}

static int flush(struct tool_tar *t)
{
	size_t n = t->n;

	t->n = 0;
	return write_all(t->fd, t->buf, n);
}

/* Small pieces are gathered, large ones written from where they lie. */
int tool_tar_data(struct tool_tar *t, const void *bytes, size_t n)
{
	int r = 0;

	t->total += n;
	if (n > BUFFER - t->n)
		r = flush(t);
	if (r < 0)
		return r;
	if (n >= BUFFER)
		return write_all(t->fd, bytes, n);
	if (n > 0)
		memcpy(t->buf + t->n, bytes, n);
	t->n += n;
	return 0;
}

int tool_tar_vector(struct tool_tar *t, struct iovec *iov, int count)
{
	int r = 0;

	for (int i = 0; r >= 0 && i < count; i++)
		r = tool_tar_data(t, iov[i].iov_base, iov[i].iov_len);
	return r;
}

int tool_tar_zeros(struct tool_tar *t, uint64_t n)
{
	static const uint8_t zeros[4096];
	int r = 0;

	while (r >= 0 && n > 0) {
		size_t some = (size_t)ARC_MIN(n, sizeof(zeros));

		r = tool_tar_data(t, zeros, some);
		n -= some;
	}
	return r;
}

int tool_tar_end_entry(struct tool_tar *t)
{
	return tool_tar_zeros(t, (BLOCK - t->total % BLOCK) % BLOCK);
}

/* ---- records ------------------------------------------------------------- */

/* The length that stands in front of a record counts itself. */
static size_t record_length(size_t rest)
{
	size_t n = rest, before;

	do {
		before = n;
		n = rest + (size_t)snprintf(NULL, 0, "%zu", n);
	} while (n != before);
	return n;
}

int tool_tar_record(struct tool_tar *t, const char *key, const void *value,
		    size_t n)
{
	size_t rest = 1 + strlen(key) + 1 + n + 1;
	char length[24];
	int r;

	snprintf(length, sizeof(length), "%zu ", record_length(rest));
	r = arc_buf_append(&t->records, length, strlen(length));
	if (r >= 0)
		r = arc_buf_append(&t->records, key, strlen(key));
	if (r >= 0)
		r = arc_buf_append(&t->records, "=", 1);
	if (r >= 0 && n > 0)
		r = arc_buf_append(&t->records, value, n);
	if (r >= 0)
		r = arc_buf_append(&t->records, "\n", 1);
	return r;
}

int tool_tar_number(struct tool_tar *t, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	return tool_tar_record(t, key, text, strlen(text));
}

/* A time before 1970 with a fraction: -1.25 s are 2 s before and 0.75 on. */
static int record_time(struct tool_tar *t, int64_t seconds, uint32_t ns)
{
	bool negative = seconds < 0;
	uint64_t whole = negative ? -(uint64_t)seconds : (uint64_t)seconds;
	char text[48];

	if (negative && ns > 0) {
		whole--;
		ns = 1000000000 - ns;
	}
	if (ns > 0)
		snprintf(text, sizeof(text), "%s%" PRIu64 ".%09" PRIu32,
			 negative ? "-" : "", whole, ns);
	else
		snprintf(text, sizeof(text), "%s%" PRIu64, negative ? "-" : "",
			 whole);
	return tool_tar_record(t, "mtime", text, strlen(text));
}

/* ---- headers ------------------------------------------------------------- */

/* False: it takes more digits than there are. */
static bool put_octal(char *field, size_t n, uint64_t value)
{
	bool fits = value >> 3 * (n - 1) == 0;

	for (size_t i = n - 1; i-- > 0; value >>= 3)
		field[i] = fits ? (char)('0' + (value & 7)) : '0';
	field[n - 1] = '\0';
	return fits;
}

/* Numbers of devices have no record: big-endian, marked by the first bit. */
static void put_device(char field[8], uint32_t value)
{
	if (put_octal(field, 8, value))
		return;
	memset(field, 0, 8);
	field[0] = (char)0x80;
	for (size_t i = 7; i > 3; i--, value >>= 8)
		field[i] = (char)(value & 0xff);
}

/* False: it is longer. The field needs no NUL at its end. */
static bool put_text(char *field, size_t n, const char *text)
{
	size_t len = strlen(text);

	memcpy(field, text, ARC_MIN(len, n));
	return len <= n;
}

static void put_sum(struct header *h)
{
	const uint8_t *p = (const uint8_t *)h;
	unsigned sum = 0;

	memset(h->sum, ' ', sizeof(h->sum));
	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	put_octal(h->sum, sizeof(h->sum) - 1, sum);
}

static struct header empty_header(char type, uint64_t size)
{
	struct header h = { .type = type };

	memcpy(h.magic,
	       "ustar\0"
	       "00",
	       sizeof(h.magic));
	put_octal(h.mode, sizeof(h.mode), 0644);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), size);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	put_octal(h.major, sizeof(h.major), 0);
	put_octal(h.minor, sizeof(h.minor), 0);
	return h;
}

/* Fills the header; what does not fit becomes records. */
static int fill(struct tool_tar *t, const struct tool_tar_entry *e,
		struct header *h)
{
	int r = 0;

	*h = empty_header((char)e->type, 0);
	put_octal(h->mode, sizeof(h->mode), e->mode);
	put_device(h->major, e->major);
	put_device(h->minor, e->minor);
	/* The name of a sparse file stands in a record of its own; readers that
	 * do not know it must not take the map for content of the name. */
	if (e->sparse)
		put_text(h->name, sizeof(h->name), "GNUSparseFile");
	else if (!put_text(h->name, sizeof(h->name), e->path))
		r = tool_tar_record(t, "path", e->path, strlen(e->path));
	if (r >= 0 && e->target &&
	    !put_text(h->target, sizeof(h->target), e->target))
		r = tool_tar_record(t, "linkpath", e->target,
				    strlen(e->target));
	if (r >= 0 && !put_octal(h->size, sizeof(h->size), e->size))
		r = tool_tar_number(t, "size", e->size);
	if (r >= 0 && !put_octal(h->uid, sizeof(h->uid), e->uid))
		r = tool_tar_number(t, "uid", e->uid);
	if (r >= 0 && !put_octal(h->gid, sizeof(h->gid), e->gid))
		r = tool_tar_number(t, "gid", e->gid);
	if (r >= 0 &&
	    (e->mtime < 0 || e->mtime_ns > 0 ||
	     !put_octal(h->mtime, sizeof(h->mtime), (uint64_t)e->mtime)))
		r = record_time(t, e->mtime, e->mtime_ns);
	return r;
}

static int write_records(struct tool_tar *t)
{
	struct header h = empty_header('x', t->records.n);
	int r;

	put_text(h.name, sizeof(h.name), "PaxHeader");
	put_sum(&h);
	r = tool_tar_data(t, &h, sizeof(h));
	if (r >= 0)
		r = tool_tar_data(t, t->records.p, t->records.n);
	t->records.n = 0;
	return r < 0 ? r : tool_tar_end_entry(t);
}

int tool_tar_header(struct tool_tar *t, const struct tool_tar_entry *e)
{
	struct header h;
	int r = fill(t, e, &h);

	put_sum(&h);
	if (r >= 0 && t->records.n > 0)
		r = write_records(t);
	return r < 0 ? r : tool_tar_data(t, &h, sizeof(h));
}

int tool_tar_finish(struct tool_tar *t)
{
	int r = tool_tar_zeros(t, 2 * BLOCK);

	if (r >= 0)
		r = tool_tar_zeros(t, (RECORD - t->total % RECORD) % RECORD);
	return r < 0 ? r : flush(t);
}
