/* SPDX-License-Identifier: MIT */
#include "fs_options.h"

#include <fuse_opt.h>
#include <stdio.h>
#include <string.h>

#include "archive.h"

#define TIDY_DEFAULT 60 /* seconds */
#define TIDY_MAX (365UL * 24 * 60 * 60)

/* What a row's function answers, as fuse_opt_parse() wants it. */
enum { TAKEN = 0, PASS_ON = 1, WRONG = -1 };

struct parsing {
	struct arcfs_options *opt;
	bool help;
	bool version;
	bool show_config;
};

struct option {
	const char *templ; /* of fuse_opt; "name=" takes a value */
	int (*take)(struct parsing *p, const char *value);
	const char *shown; /* in --help; NULL: with the generic ones */
	const char *about;
};

static bool parse_number(const char *text, int base, unsigned long max,
			 unsigned long *ret)
{
	unsigned long n;
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, base);
	if (errno || *end || n > max)
		return false;
	*ret = n;
	return true;
}

static int wrong(const char *name, const char *value, const char *what)
{
	fprintf(stderr, "arcfs: %s=%s: %s\n", name, value, what);
	return WRONG;
}

/* Less than 1M could not hold one piece of each table or one group. */
static int take_size(const char *name, const char *value, size_t *ret)
{
	uint64_t n;

	if (arc_size_parse(value, &n) < 0 || n < ARC_MIB || n > SIZE_MAX)
		return wrong(name, value,
			     "not a size of at least 1M (K, M, G)");
	*ret = (size_t)n;
	return TAKEN;
}

static int take_cache_size(struct parsing *p, const char *value)
{
	return take_size("cache_size", value, &p->opt->cache_size);
}

static int take_index_cache_size(struct parsing *p, const char *value)
{
	return take_size("index_cache_size", value, &p->opt->index_cache_size);
}

static int take_tidy(struct parsing *p, const char *value)
{
	unsigned long n;

	if (!parse_number(value, 10, TIDY_MAX, &n))
		return wrong("tidy", value, "not a number of seconds");
	p->opt->tidy = (unsigned)n;
	return TAKEN;
}

static int take_gpu(struct parsing *p, const char *value)
{
	if (arc_gpu_ask(&p->opt->gpu, &p->opt->config, value) < 0)
		return wrong("gpu", value, "not " ARC_GPU_MODES);
	return TAKEN;
}

static int take_threads(struct parsing *p, const char *value)
{
	if (arc_config_offer(&p->opt->config, ARC_CONFIG_MAX_WORKER_THREADS,
			     value, ARC_CONFIG_COMMAND) < 0)
		return wrong("threads", value, "not a number from 1 to 4096");
	return TAKEN;
}

static int take_config(struct parsing *p, const char *value)
{
	free(p->opt->config_file);
	p->opt->config_file = strdup(value);
	return p->opt->config_file ? TAKEN : WRONG;
}

static int take_inodes(struct parsing *p, const char *value)
{
	if (strcmp(value, "shared") != 0 && strcmp(value, "distinct") != 0)
		return wrong("inodes", value, "neither shared nor distinct");
	p->opt->shared = strcmp(value, "shared") == 0;
	return TAKEN;
}

static int take_uid(struct parsing *p, const char *value)
{
	unsigned long n;

	if (!parse_number(value, 10, UINT32_MAX - 1, &n))
		return wrong("uid", value, "not a user's number");
	p->opt->uid = (uid_t)n;
	p->opt->set_uid = true;
	return TAKEN;
}

static int take_gid(struct parsing *p, const char *value)
{
	unsigned long n;

	if (!parse_number(value, 10, UINT32_MAX - 1, &n))
		return wrong("gid", value, "not a group's number");
	p->opt->gid = (gid_t)n;
	p->opt->set_gid = true;
	return TAKEN;
}

static int take_umask(struct parsing *p, const char *value)
{
	unsigned long n;

	if (!parse_number(value, 8, 07777, &n))
		return wrong("umask", value, "not an octal mode");
	p->opt->umask = (mode_t)n;
	return TAKEN;
}

static int take_subdir(struct parsing *p, const char *value)
{
	free(p->opt->subdir);
	p->opt->subdir = strdup(value);
	return p->opt->subdir ? TAKEN : WRONG;
}

static int take_foreground(struct parsing *p,
			   const char *value __attribute__((unused)))
{
	p->opt->foreground = true;
	return TAKEN;
}

static int take_debug(struct parsing *p,
		      const char *value __attribute__((unused)))
{
	p->opt->foreground = true;
	p->opt->debug = true;
	return PASS_ON;
}

static int take_help(struct parsing *p,
		     const char *value __attribute__((unused)))
{
	p->help = true;
	return TAKEN;
}

static int take_version(struct parsing *p,
			const char *value __attribute__((unused)))
{
	p->version = true;
	return TAKEN;
}

static int take_show_config(struct parsing *p,
			    const char *value __attribute__((unused)))
{
	p->show_config = true;
	return TAKEN;
}

static int pass_on(struct parsing *p __attribute__((unused)),
		   const char *value __attribute__((unused)))
{
	return PASS_ON;
}

static int ignore(struct parsing *p __attribute__((unused)),
		  const char *value __attribute__((unused)))
{
	return TAKEN;
}

static const struct option options[] = {
	{ "-f", take_foreground, "-f", "stay in the foreground" },
	{ "-d", take_debug, "-d", "show every request (implies -f)" },
	{ "-h", take_help, NULL, NULL },
	{ "--help", take_help, "-h, --help", "show this help" },
	{ "-V", take_version, NULL, NULL },
	{ "--version", take_version, "-V, --version", "show the version" },
	{ "--show-config", take_show_config, "--show-config",
	  "print what is in force and where it comes from" },
	{ "config=", take_config, "-o config=FILE",
	  "read this file, and no other arcfs.conf(5)" },
	{ "cache_size=", take_cache_size, "-o cache_size=SIZE",
	  "ceiling on data; by memory if not given" },
	{ "index_cache_size=", take_index_cache_size,
	  "-o index_cache_size=SIZE", "the same for pieces of the index" },
	{ "tidy=", take_tidy, "-o tidy=SECONDS",
	  "give back what is idle; default 60; 0 never" },
	{ "threads=", take_threads, "-o threads=N",
	  "requests served at once; default 2 per CPU, 4..16" },
	{ "gpu=", take_gpu, "-o gpu=auto|off|force|LIST",
	  "devices that decode ahead of readers; default auto" },
	{ "inodes=", take_inodes, "-o inodes=shared|distinct",
	  "duplicates as one inode; default shared" },
	{ "uid=", take_uid, "-o uid=N", "owner of everything" },
	{ "gid=", take_gid, "-o gid=N", "group of everything" },
	{ "umask=", take_umask, "-o umask=M",
	  "permission bits to take away (octal)" },
	{ "subdir=", take_subdir, "-o subdir=PATH",
	  "mount this directory of the archive" },
	{ "allow_other", pass_on, "-o allow_other", "let other users in" },
	{ "allow_root", pass_on, "-o allow_root", "let root in" },
	{ "auto_unmount", pass_on, "-o auto_unmount",
	  "unmount when arcfs ends, however it ends" },
	{ "ro", ignore, "-o ro", "read-only: always so" },

	/* mount(8) and fstab: what the kernel or libfuse understand. */
	{ "dev", pass_on, NULL, NULL },
	{ "nodev", pass_on, NULL, NULL },
	{ "suid", pass_on, NULL, NULL },
	{ "nosuid", pass_on, NULL, NULL },
	{ "exec", pass_on, NULL, NULL },
	{ "noexec", pass_on, NULL, NULL },
	{ "atime", pass_on, NULL, NULL },
	{ "noatime", pass_on, NULL, NULL },
	{ "async", pass_on, NULL, NULL },
	{ "sync", pass_on, NULL, NULL },
	{ "dirsync", pass_on, NULL, NULL },
	{ "context=", pass_on, NULL, NULL },
	{ "fscontext=", pass_on, NULL, NULL },
	{ "defcontext=", pass_on, NULL, NULL },
	{ "rootcontext=", pass_on, NULL, NULL },

	/* ... and what has no meaning for a mount that never changes. "rw" is
	 * what mount(8) gives every helper when nobody asked for "ro", so it
	 * cannot be told from a wish. */
	{ "rw", ignore, NULL, NULL },
	{ "defaults", ignore, NULL, NULL },
	{ "subtype=", ignore, NULL, NULL },
	{ "nonempty", ignore, NULL, NULL },
	{ "default_permissions", ignore, NULL, NULL },
	{ "relatime", ignore, NULL, NULL },
	{ "norelatime", ignore, NULL, NULL },
	{ "strictatime", ignore, NULL, NULL },
	{ "nostrictatime", ignore, NULL, NULL },
	{ "lazytime", ignore, NULL, NULL },
	{ "nolazytime", ignore, NULL, NULL },
	{ "diratime", ignore, NULL, NULL },
	{ "nodiratime", ignore, NULL, NULL },
	{ "auto", ignore, NULL, NULL },
	{ "noauto", ignore, NULL, NULL },
	{ "user", ignore, NULL, NULL },
	{ "user=", ignore, NULL, NULL },
	{ "nouser", ignore, NULL, NULL },
	{ "users", ignore, NULL, NULL },
	{ "owner", ignore, NULL, NULL },
	{ "group", ignore, NULL, NULL },
	{ "nofail", ignore, NULL, NULL },
	{ "_netdev", ignore, NULL, NULL },
	{ "comment=", ignore, NULL, NULL },
};

static void print_help(void)
{
	printf("Usage: arcfs [OPTION]... ARCHIVE MOUNTPOINT\n"
	       "Mount an archive made by mkarchive, read-only. ARCHIVE is any\n"
	       "of its volumes (BACKUP.001).\n\n");
	for (size_t i = 0; i < ARC_COUNT(options); i++)
		if (options[i].shown)
			printf("  %-27s %s\n", options[i].shown,
			       options[i].about);
	printf("\nSIZE may end in K, M or G (powers of 1024). Several -o\n"
	       "options may be joined by commas. Those of mount(8) that have\n"
	       "a meaning here (nodev, nosuid, noexec, ...) work as usual.\n"
	       "\nUnmount with: fusermount3 -u MOUNTPOINT\n"
	       "Exit status: 0 mounted, 1 could not be mounted, 2 usage.\n");
}

static int take_operand(struct arcfs_options *opt, const char *arg)
{
	char **place = !opt->source ? &opt->source : &opt->mountpoint;

	if (*place) {
		fprintf(stderr, "arcfs: one argument too many: %s\n", arg);
		return WRONG;
	}
	*place = strdup(arg);
	return *place ? TAKEN : WRONG;
}

/* Called by fuse_opt_parse() for each argument; key: row of the table. */
static int take(void *data, const char *arg, int key,
		struct fuse_args *outargs __attribute__((unused)))
{
	struct parsing *p = data;
	const char *value;

	if (key == FUSE_OPT_KEY_NONOPT)
		return take_operand(p->opt, arg);
	if (key == FUSE_OPT_KEY_OPT) {
		if (strncmp(arg, "x-", 2) == 0 || strncmp(arg, "X-", 2) == 0)
			return TAKEN;
		fprintf(stderr, "arcfs: unknown option: %s\n", arg);
		return WRONG;
	}
	value = strchr(arg, '=');
	return options[key].take(p, value ? value + 1 : "");
}

/*
 * Enough to keep every CPU decoding while others wait for a disk; more only
 * costs switches (measured: 4 beat 10 on two CPUs).
 */
static unsigned default_threads(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	return (unsigned)ARC_MAX(4, ARC_MIN(2 * cpus, 16));
}

static bool complete(const struct arcfs_options *opt)
{
	if (opt->source && opt->mountpoint)
		return true;
	fprintf(stderr, "arcfs: %s\n",
		opt->source ? "where to mount it? no MOUNTPOINT given"
			    : "what to mount? no ARCHIVE given");
	return false;
}

/* Reads the configuration and enters what is in force: -1 to go on. */
static int settle_config(struct parsing *p)
{
	static char program[] = "arcfs";
	struct arcfs_options *opt = p->opt;
	struct arc_diag diag;
	int err;

	arc_diag_init(&diag, arc_sink_stderr, program, ARC_WARN);
	err = arc_config_load(&opt->config, opt->config_file, &diag);
	arc_diag_fini(&diag);
	if (err)
		return ARCFS_EXIT_USAGE;
	if (p->show_config) {
		arc_config_print(&opt->config, ARC_CONFIG_ARCFS, stdout);
		return ARCFS_EXIT_OK;
	}
	opt->threads = (unsigned)arc_config_number(
		&opt->config, ARC_CONFIG_MAX_WORKER_THREADS);
	if (!opt->threads)
		opt->threads = default_threads();
	arc_gpu_configure(&opt->gpu, &opt->config);
	return -1;
}

int arcfs_options_parse(struct fuse_args *args, struct arcfs_options *ret)
{
	struct fuse_opt table[ARC_COUNT(options) + 1];
	struct parsing p = { .opt = ret };

	memset(ret, 0, sizeof(*ret));
	ret->shared = true;
	arc_config_init(&ret->config);
	arc_gpu_defaults(&ret->gpu);
	ret->tidy = TIDY_DEFAULT;
	for (size_t i = 0; i < ARC_COUNT(options); i++)
		table[i] =
			(struct fuse_opt)FUSE_OPT_KEY(options[i].templ, (int)i);
	table[ARC_COUNT(options)] = (struct fuse_opt)FUSE_OPT_END;
	if (fuse_opt_parse(args, &p, table, take) != 0) {
		fprintf(stderr, "arcfs: try 'arcfs --help'\n");
		return ARCFS_EXIT_USAGE;
	}
	if (p.help) {
		print_help();
		return ARCFS_EXIT_OK;
	}
	if (p.version) {
		printf("arcfs %s, archive format %d\n", ARC_VERSION,
		       ARC_FORMAT_VERSION);
		return ARCFS_EXIT_OK;
	}
	if (!p.show_config && !complete(ret)) {
		fprintf(stderr, "arcfs: try 'arcfs --help'\n");
		return ARCFS_EXIT_USAGE;
	}
	return settle_config(&p);
}

void arcfs_options_fini(struct arcfs_options *opt)
{
	free(opt->source);
	free(opt->mountpoint);
	free(opt->subdir);
	free(opt->config_file);
	arc_config_fini(&opt->config);
}
