/* SPDX-License-Identifier: MIT */
/*
 * diag - the closed list of errors of this project, and the sink that messages
 * go to. Functions return 0 or a negative errno of this list; the lowest place
 * that knows the facts says them once through arc_say(); everything above
 * passes the code up and stays silent. Only a program installs a sink.
 *
 * Threads: a sink is called from any thread, one call at a time per arc_diag
 * (locked inside). The struct itself is frozen after arc_diag_init().
 */
#ifndef ARC_DIAG_H
#define ARC_DIAG_H

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "base.h"

/* code, name, sentence: what the code means everywhere in this project */
#define ARC_ERRORS(X)                                                          \
	X(EBADMSG, "corrupt", "the bytes are not what their checksum says")    \
	X(EOPNOTSUPP, "unsupported",                                           \
	  "made by a newer version or an unknown "                             \
	  "codec")                                                             \
	X(ENOMEDIUM, "missing", "a volume of the set is missing")              \
	X(ESTALE, "foreign", "the volume belongs to another archive")          \
	X(EIO, "io", "reading or writing failed")                              \
	X(E2BIG, "limit", "a stated limit would be passed")                    \
	X(EOVERFLOW, "overflow", "a number is too large")                      \
	X(ENODEV, "nodevice", "no usable device")                              \
	X(ECANCELED, "canceled", "stopped before it was finished")             \
	X(ENOMEM, "memory", "out of memory")                                   \
	X(ENOSPC, "space", "no space left")                                    \
	X(EINVAL, "invalid", "a value is not allowed")                         \
	X(ENOENT, "notfound", "no such entry")                                 \
	X(ENOTDIR, "notdir", "not a directory")                                \
	X(EISDIR, "isdir", "is a directory")                                   \
	X(ENODATA, "nodata", "no such attribute")                              \
	X(ERANGE, "range", "the buffer is too small")                          \
	X(EEXIST, "exists", "already exists")                                  \
	X(EACCES, "access", "permission denied")                               \
	X(EPERM, "perm", "operation not permitted")

enum arc_level { ARC_ERROR, ARC_WARN, ARC_INFO, ARC_DEBUG };

typedef void (*arc_sink)(void *ctx, enum arc_level level, const char *text);

struct arc_diag {
	arc_sink sink; /* NULL: silent */
	void *ctx;
	enum arc_level max; /* messages above this level are dropped */
	pthread_mutex_t lock; /* serialises calls of sink */
};

/* Borrows ctx until arc_diag_fini(). */
void arc_diag_init(struct arc_diag *diag, arc_sink sink, void *ctx,
		   enum arc_level max);
void arc_diag_fini(struct arc_diag *diag);

/*
 * One message, without a newline at its end. diag may be NULL. Bytes that are
 * no printable UTF-8 text are escaped as \xNN, so that a hostile name cannot
 * drive the terminal. errno survives.
 */
void arc_say(struct arc_diag *diag, enum arc_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * A small memory of complaints, so that a fault that is met again and again is
 * said once (now and then, when there are many). Zero-initialised is empty; any
 * thread may ask. key 0 is never remembered.
 */
struct arc_said {
	atomic_uint_fast64_t key[64];
};

/* Whether key was asked for before; remembers it. */
static inline bool arc_said_before(struct arc_said *said, uint64_t key)
{
	uint64_t spread = key * UINT64_C(0x9e3779b97f4a7c15);

	return key && atomic_exchange(&said->key[spread >> 58], key) == key;
}

/* The sentence of a negative errno; strerror()'s for one not in the list. */
const char *arc_error_text(int err);

/* The short name ("corrupt"); "error" for one not in the list. */
const char *arc_error_name(int err);

/*
 * A sink that writes "PROGRAM: text\n" to stderr, "PROGRAM: warning: " for
 * warnings. ctx is the program's name.
 */
void arc_sink_stderr(void *ctx, enum arc_level level, const char *text);

/*
 * Escapes n bytes into out (cap > 0, always terminated; cut with "..." when it
 * does not fit): printable UTF-8 stays, the rest becomes \xNN, backslash \\.
 * Returns out.
 */
char *arc_escape(const void *bytes, size_t n, char *out, size_t cap);

#endif
