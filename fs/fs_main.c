/* SPDX-License-Identifier: MIT */
/*
 * arcfs - mounts an archive. Everything that can go wrong goes wrong before
 * the program leaves the foreground: the archive is open (its folder too, so
 * that relative paths stay right) and the mount is made by then.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <syslog.h>

#include "keeper.h"
#include "memory.h"
#include "pool.h"
#include "prefill.h"
#include "printed.h"
#include "serve.h"

/* To find devices, build programs and try them takes about a second. */
#define WORTH_A_LOOK (512 * ARC_MIB)

/* Where messages go: stderr while somebody reads it, then the system's log. */
struct outlet {
	struct arc_diag diag;
	bool background; /* set once, while there is one thread */
};

static struct outlet outlet; /* fuse_set_log_func() has no context */

static void sink(void *ctx, enum arc_level level, const char *text)
{
	static const int priorities[] = { [ARC_ERROR] = LOG_ERR,
					  [ARC_WARN] = LOG_WARNING,
					  [ARC_INFO] = LOG_INFO,
					  [ARC_DEBUG] = LOG_DEBUG };
	static char program[] = "arcfs";
	const struct outlet *out = ctx;

	if (out->background)
		syslog(priorities[level], "%s", text);
	else
		arc_sink_stderr(program, level, text);
}

/* libfuse's messages come with their own prefix and newline. */
__attribute__((format(printf, 2, 0))) static void
fuse_message(enum fuse_log_level level, const char *fmt, va_list ap)
{
	static const char prefix[] = "fuse: ";
	char text[1024];
	const char *start = text;
	size_t n;

	vsnprintf(text, sizeof(text), fmt, ap);
	n = strlen(text);
	if (n > 0 && text[n - 1] == '\n')
		text[n - 1] = '\0';
	if (strncmp(start, prefix, strlen(prefix)) == 0)
		start += strlen(prefix);
	arc_say(&outlet.diag, level <= FUSE_LOG_ERR ? ARC_ERROR : ARC_WARN,
		"%s", start);
}

/*
 * A caller that closed 0, 1 or 2 must not see volumes opened there, where
 * going to the background puts /dev/null.
 */
static void fill_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* What every mount gets beside what was asked for. */
static int add_mount_options(struct fuse_args *args, const char *source)
{
	arc_cleanup(arc_freep) char *path = realpath(source, NULL);
	arc_cleanup(arc_freep) char *name = NULL;
	arc_cleanup(arc_freep) char *opts = NULL;

	if (asprintf(&name, "fsname=%s", path ? path : source) < 0)
		return -ENOMEM;
	if (fuse_opt_add_opt(&opts, "ro") ||
	    fuse_opt_add_opt(&opts, "default_permissions") ||
	    fuse_opt_add_opt(&opts, "subtype=arcfs") ||
	    fuse_opt_add_opt_escaped(&opts, name) ||
	    fuse_opt_add_arg(args, "-o") || fuse_opt_add_arg(args, opts))
		return -ENOMEM;
	return 0;
}

/* Ends filling while requests are still answered, as it needs. */
static void end_prefill(struct fuse_session *se, struct arcfs_prefill *p)
{
	struct pollfd fd = { .fd = fuse_session_fd(se), .events = POLLIN };
	struct fuse_buf buf = { .mem = NULL };
	int n;

	arcfs_prefill_stop(p);
	while (!arcfs_prefill_is_over(p)) {
		if (poll(&fd, 1, 10) <= 0)
			continue;
		n = fuse_session_receive_buf(se, &buf);
		if (n == -EINTR || n == -EAGAIN)
			continue;
		if (n <= 0)
			break; /* unmounted: the kernel waits for nothing */
		fuse_session_process_buf(se, &buf);
	}
	free(buf.mem);
	arcfs_prefill_free(p);
}

/* Answers requests until the mount ends. */
static int serve(struct arcfs *fs, struct fuse_session *se,
		 const struct arcfs_options *opt)
{
	int err = arcfs_prefill_new(fs, se, &fs->prefill);

	if (!err) {
		err = arcfs_serve(se, opt->threads);
		end_prefill(se, arc_steal(fs->prefill));
	}
	return err;
}

/* What is read in order is decoded ahead; devices help where there is much. */
static void read_ahead(struct arcfs *fs, const struct arcfs_options *opt)
{
	uint64_t size = arc_index_summary(fs->index)->stream;
	struct arc_gpu_options gpu = opt->gpu;
	const struct arc_ahead_options ahead = {
		.gpu = &gpu,
		.cpu = true,
		.threads = arc_cpu_count(),
	};
	int err;

	if (gpu.mode == ARC_GPU_AUTO && size < WORTH_A_LOOK)
		gpu.mode = ARC_GPU_OFF;
	err = arc_cache_read_ahead(arc_archive_cache(fs->archive), &ahead);
	if (err)
		arc_say(&outlet.diag, ARC_WARN, "nothing is read ahead: %s",
			arc_error_text(err));
}

/* SIGUSR1 asks to give memory back. It is blocked from the beginning, so that
 * it ends no mount that is just being made; every thread inherits that. */
static void set_of_usr1(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGUSR1);
}

static void block_usr1(void)
{
	sigset_t set;

	set_of_usr1(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* Looks after memory; without that goes on what can. */
static void start_keeper(struct arcfs *fs, const struct arcfs_options *opt,
			 struct arc_keeper **ret)
{
	struct arc_keeper_options how = { .tidy = opt->tidy, .root = "" };
	char name[PATH_MAX + 64];
	sigset_t set;
	int err;

	set_of_usr1(&set);
	how.asked = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	how.pressure = arc_memory_watch("", name, sizeof(name));
	arc_say(&outlet.diag, ARC_DEBUG, "pressure of memory: %s",
		how.pressure < 0 ? "this system does not tell" : name);
	err = arc_keeper_new(fs->archive, &how, &outlet.diag, ret);
	if (err)
		arc_say(&outlet.diag, ARC_WARN,
			"memory is not given back by itself: %s",
			arc_error_text(err));
}

/* Goes to the background, unless -f, and serves there. */
static int run_mounted(struct arcfs *fs, struct fuse_session *se,
		       const struct arcfs_options *opt)
{
	arc_cleanup(arc_keeper_freep) struct arc_keeper *keeper = NULL;
	int err;

	if (fuse_daemonize(opt->foreground) != 0) {
		arc_say(&outlet.diag, ARC_ERROR,
			"cannot go to the background: %s", strerror(errno));
		return -EIO;
	}
	if (!opt->foreground) {
		openlog("arcfs", LOG_PID, LOG_DAEMON);
		outlet.background = true;
	}
	start_keeper(fs, opt, &keeper);
	read_ahead(fs, opt);
	err = serve(fs, se, opt);
	if (err)
		arc_say(&outlet.diag, ARC_ERROR, "serving %s ended: %s",
			opt->mountpoint, strerror(-err));
	return err;
}

/*
 * Makes the mount point absolute: unmounting happens after chdir("/"). A file
 * is refused; libfuse would mount on it, and nothing could be reached there.
 * /dev/fd/N is no path but a device that mount(8) has opened for us.
 */
static int resolve_mountpoint(struct arcfs_options *opt)
{
	struct stat st;
	char *path;
	int err = 0;

	if (strncmp(opt->mountpoint, "/dev/fd/", strlen("/dev/fd/")) == 0)
		return 0;
	path = realpath(opt->mountpoint, NULL);
	if (!path || stat(path, &st) != 0)
		err = -errno;
	else if (!S_ISDIR(st.st_mode))
		err = -ENOTDIR;
	if (err) {
		arc_say(&outlet.diag, ARC_ERROR, "mount point %s: %s",
			opt->mountpoint, strerror(-err));
		free(path);
		return err;
	}
	free(opt->mountpoint);
	opt->mountpoint = path;
	return 0;
}

static int mount_and_run(struct arcfs *fs, struct fuse_args *args,
			 const struct arcfs_options *opt)
{
	struct fuse_session *se;
	int err;

	if (!opt->debug)
		fuse_set_log_func(fuse_message);
	if (add_mount_options(args, opt->source) != 0)
		return -ENOMEM;
	se = fuse_session_new(args, &arcfs_ops, sizeof(arcfs_ops), fs);
	if (!se)
		return -EINVAL;
	err = -EIO;
	arcfs_catch_signals();
	if (fuse_session_mount(se, opt->mountpoint) == 0) {
		err = run_mounted(fs, se, opt);
		fuse_session_unmount(se);
	}
	arcfs_release_signals();
	fuse_session_destroy(se);
	return err;
}

static int run(struct fuse_args *args, struct arcfs_options *opt)
{
	arc_cleanup(arc_archive_closep) struct arc_archive *archive = NULL;
	const struct arc_archive_options how = {
		.cache_size = opt->cache_size,
		.index_cache_size = opt->index_cache_size,
	};
	struct arcfs fs;
	int err;

	err = arc_archive_open(opt->source, &how, &outlet.diag, &archive);
	if (!err)
		err = arcfs_init(&fs, archive, opt, &outlet.diag);
	if (!err)
		err = resolve_mountpoint(opt);
	if (!err)
		err = mount_and_run(&fs, args, opt);
	return err;
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct arcfs_options opt;
	int status;

	fill_standard_descriptors();
	arc_printed_or(ARCFS_EXIT_FAILED, "arcfs");
	block_usr1();
	arc_memory_return_large();
	status = arcfs_options_parse(&args, &opt);
	if (status < 0) {
		arc_diag_init(&outlet.diag, sink, &outlet,
			      opt.debug ? ARC_DEBUG : ARC_WARN);
		status = run(&args, &opt) ? ARCFS_EXIT_FAILED : ARCFS_EXIT_OK;
		arc_diag_fini(&outlet.diag);
	}
	arcfs_options_fini(&opt);
	fuse_opt_free_args(&args);
	if (arc_ocl_any_abandoned()) {
		fflush(NULL);
		_exit(status);
	}
	return status;
}
