/* SPDX-License-Identifier: MIT */
/*
 * tool - what the verbs of arctool share: the request made on the command line,
 * the opened archive, messages, and how bytes are shown to people and scripts.
 *
 * A verb is one file verb_<name>.c, one `struct tool_verb` in it and one line
 * in the table of tool_main.c.
 *
 * Threads: struct tool is frozen while a verb runs, but for what says
 * otherwise.
 */
#ifndef TOOL_H
#define TOOL_H

#include "archive.h"
#include "gpu.h"
#include "json.h"
#include "meter.h"

struct argp;
struct argp_option;

/* Exit codes; also in the manual. */
enum tool_exit {
	TOOL_EXIT_OK = 0,
	TOOL_EXIT_INEXACT = 1, /* damage; something is not as it was */
	TOOL_EXIT_USAGE = 2,
	TOOL_EXIT_UNREADABLE = 3 /* the archive cannot be opened at all, or no
				  * device that was forced can be used */
};

/* The command line. Every verb uses a part of it. Strings are argv's. */
struct tool_request {
	const char *archive;
	const char *mount;
	const char *dest;
	const char *files_from; /* --files-from */
	char *const *paths;
	size_t path_count;
	unsigned threads; /* -j */
	struct arc_gpu_options gpu; /* --gpu */
	double watch; /* --watch: seconds; 0: once */
	int verbosity; /* -q: -1, -v: 1 */
	bool json;
	bool null; /* --null */
	bool force;
	bool hardlink_duplicates;
	bool tar; /* extract --tar: no dest */
	bool inodes; /* list -i */
	bool closure; /* info --closure */
	struct arc_config config; /* what threads and gpu come from */
	const char *config_file; /* --config */
	bool show_config;
};

/* Keys of the options, the same for all verbs; letters stand for themselves. */
enum tool_key {
	TOOL_KEY_JSON = 0x100,
	TOOL_KEY_FORCE,
	TOOL_KEY_HARDLINK,
	TOOL_KEY_FILES_FROM,
	TOOL_KEY_NULL,
	TOOL_KEY_CLOSURE,
	TOOL_KEY_WATCH,
	TOOL_KEY_TAR,
	TOOL_KEY_GPU
};

struct tool {
	struct tool_request req;
	struct arc_diag diag;
	struct arc_archive *archive; /* NULL for a verb that takes none */
	struct arc_index *index; /* of archive */
	struct tool_meter *meter; /* NULL: no progress line */
	bool muted; /* set by a verb that reports what the core would say */
};

struct tool_verb {
	const char *name;
	const char *about; /* one line for arctool --help */
	const char *args; /* "ARCHIVE DEST [PATH...]" */
	const char *doc; /* more for arctool VERB --help, NULL: none */
	const struct argp_option *options;
	bool no_archive; /* takes no ARCHIVE */
	bool takes_mount; /* MOUNTPOINT instead */
	bool takes_dest;
	bool takes_paths;
	size_t cache_size; /* of decoded data; 0: default */
	int (*run)(struct tool *t); /* an enum tool_exit */
};

extern const struct tool_verb tool_verb_info;
extern const struct tool_verb tool_verb_list;
extern const struct tool_verb tool_verb_extract;
extern const struct tool_verb tool_verb_verify;
extern const struct tool_verb tool_verb_status;
extern const struct tool_verb tool_verb_devices;

/* ---- showing things to people (tool_text.c) ------------------------------ */

/*
 * n bytes, escaped by arc_escape() so that no name drives the terminal, in
 * room (reused from call to call, released by the caller). NULL: no memory.
 */
const char *tool_show(struct arc_buf *room, const void *bytes, size_t n);

/* "drwxr-sr-t" as ls -l prints it. */
void tool_show_mode(uint32_t mode, char ret[11]);

/* "2024-01-02T03:04:05Z", or "@SECONDS" where a calendar has no such year. */
#define TOOL_TIME_ROOM 48
void tool_show_time(int64_t seconds, char ret[TOOL_TIME_ROOM]);

/* "98.0 MiB" */
#define TOOL_SIZE_ROOM 24
const char *tool_show_size(uint64_t n, char ret[TOOL_SIZE_ROOM]);

/* part as percent of whole; 0 of nothing. */
double tool_percent(uint64_t part, uint64_t whole);

/* Seconds of a clock that never jumps. */
double tool_now(void);

/* Flushes stdout; says so when what was printed could not be written. */
int tool_flush(struct tool *t);

/* ---- configuration (tool_config.c) --------------------------------------- */

/* Options of all verbs; its input is the request. */
extern const struct argp tool_config_argp;

/* Reads the configuration and enters what is in force into the request. Returns
 * -1 to go on, else the exit code (--show-config, or what has been explained on
 * stderr). */
int tool_config_settle(struct tool_request *req);

/* ---- devices (tool_gpu.c) ------------------------------------------------ */

/* What the verbs that read a lot of data do it with. */
struct tool_devices {
	struct arc_diag diag; /* never muted */
	struct arc_gpu *gpu;
	struct arc_engine *engine; /* NULL: no devices */
};

/* Whether devices shall be looked for: wished for, or so much to read that it
 * may pay. */
bool tool_wants_devices(const struct tool *t);

/* Finds devices that decode. -ENODEV: those asked for are not to be had (said
 * already). End it in any case. */
int tool_devices_begin(struct tool *t, struct tool_devices *d);
void tool_devices_end(struct tool_devices *d);

#endif
