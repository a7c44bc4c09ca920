/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "after.h"
#include "dedup.h"
#include "identity.h"
#include "mk_devices.h"
#include "mk_text.h"
#include "numbers.h"
#include "order.h"
#include "pack.h"
#include "printed.h"
#include "progress.h"
#include "report.h"
#include "scan.h"
#include "stream.h"
#include "summary.h"

ARC_DEFINE_CLEANUP(struct mk_tree, mk_tree_close)
ARC_DEFINE_CLEANUP(struct mk_progress, mk_progress_stop)

/* The archive's own files, should they lie in the tree. */
static int find_own_files(const char *out, int dir_fd, struct mk_scan_skip *ret)
{
	const char *slash = strrchr(out, '/');
	struct stat st;

	if (fstat(dir_fd, &st) < 0)
		return -errno;
	*ret = (struct mk_scan_skip){
		.dev = st.st_dev,
		.ino = st.st_ino,
		.base = slash ? slash + 1 : out,
	};
	return 0;
}

/* The summary speaks of what is stored, which the index has counted: on the way
 * files may have been lost, and with them names and duplicates. */
static void settle_counts(struct mk_stats *s, const struct arc_disk_root *root)
{
	atomic_store(&s->files, arc_get64(root->files));
	atomic_store(&s->dirs, arc_get64(root->dirs));
	atomic_store(&s->symlinks, arc_get64(root->symlinks));
	atomic_store(&s->others, arc_get64(root->others));
	atomic_store(&s->hardlinks, arc_get64(root->hardlinks));
	atomic_store(&s->bytes, arc_get64(root->bytes));
	atomic_store(&s->hole_bytes, arc_get64(root->holes));
	atomic_store(&s->duplicates, arc_get64(root->duplicates));
	atomic_store(&s->duplicate_bytes, arc_get64(root->duplicate_bytes));
}

/* The index behind the packed data, and the footer: only now is it whole. */
static int write_index(struct mk_run *run, struct mk_tree *tree,
		       struct arc_disk_root *root, struct mk_volwrite *vw,
		       struct mk_idxwrite *idx)
{
	arc_cleanup(arc_freep) char *text = NULL;
	int r;

	atomic_store(&run->stats.written, mk_volwrite_bytes(vw));
	mk_stages_begin(run, MK_STAGE_INDEX);
	r = mk_numbers(tree, root);
	if (r < 0)
		return r;
	r = mk_idxwrite_tree(idx, tree);
	if (r < 0)
		return r;
	r = mk_options_text(run->opt, &text);
	if (r < 0)
		return r;
	r = mk_idxwrite_finish(idx, root, text);
	if (r < 0)
		return r;
	settle_counts(&run->stats, root);
	mk_count(&run->stats.index_bytes, mk_idxwrite_bytes_written(idx));
	mk_count(&run->stats.volumes, mk_volwrite_volumes(vw));
	atomic_store(&run->stats.written, mk_volwrite_bytes(vw));
	mk_count(&run->stats.indexed, arc_get64(root->entries));
	mk_stages_end(run);
	return 0;
}

/* Options are settled, so it is known what is going to be made. */
static int begin_output(struct mk_run *run, struct mk_options *opt,
			const struct mk_volume_sink *sink)
{
	arc_cleanup(arc_freep) char *identity = NULL;
	int r = mk_devices_choose(run, opt);

	if (r >= 0)
		r = mk_identity_text(opt, &identity);
	return r < 0 ? r : sink->ops->begin(sink->ctx, identity, opt->sync);
}

static int archive_tree(struct mk_run *run, struct mk_options *opt,
			struct mk_tree *tree, struct mk_volume_sink *sink,
			const struct mk_scan_skip *skip)
{
	arc_cleanup(mk_volwrite_closep) struct mk_volwrite *vw = NULL;
	arc_cleanup(mk_idxwrite_freep) struct mk_idxwrite *idx = NULL;
	struct arc_disk_root root = { 0 };
	int r;

	mk_stages_begin(run, MK_STAGE_SCAN);
	r = mk_scan(run, tree, skip);
	mk_stages_end(run);
	if (r >= 0)
		r = begin_output(run, opt, sink);
	if (r >= 0) {
		mk_stages_begin(run, MK_STAGE_DEDUP);
		r = mk_dedup(run, tree, mk_volume_sink_dir(sink));
	}
	if (r >= 0 && opt->order != MK_ORDER_WALK) {
		mk_stages_begin(run, MK_STAGE_ORDER);
		r = mk_order(run, tree, mk_volume_sink_dir(sink));
	}
	if (r < 0) {
		sink->ops->close(sink->ctx);
		return r;
	}
	mk_stages_begin(run, MK_STAGE_PACK);
	r = mk_pack(run, tree, sink, &root, &vw, &idx);
	if (r < 0)
		return r;
	return write_index(run, tree, &root, vw, idx);
}

/* What comes but once is packed while it comes. */
static int archive_stream(struct mk_run *run, struct mk_options *opt,
			  const struct mk_stream *src, struct mk_tree *tree,
			  struct mk_volume_sink *sink)
{
	arc_cleanup(mk_volwrite_closep) struct mk_volwrite *vw = NULL;
	arc_cleanup(mk_idxwrite_freep) struct mk_idxwrite *idx = NULL;
	struct arc_disk_root root = { 0 };
	int r = begin_output(run, opt, sink);

	if (r < 0) {
		sink->ops->close(sink->ctx);
		return r;
	}
	mk_stages_begin(run, MK_STAGE_PACK);
	r = mk_stream_pack(run, src, tree, mk_volume_sink_dir(sink), sink,
			   &root, &vw, &idx);
	return r < 0 ? r : write_index(run, tree, &root, vw, idx);
}

static void say_unsettled(int sig);
static void set_signals(void (*handler)(int sig));

/* Opens what a run needs, from the target inwards. opt: run->opt. */
static int archive(struct mk_run *run, struct mk_options *opt,
		   struct mk_stream *src)
{
	const enum mk_volume_mode mode = opt->force    ? MK_VOLUMES_REPLACE
					 : opt->resume ? MK_VOLUMES_RESUME
						       : MK_VOLUMES_NEW;
	struct mk_tree tree;
	arc_cleanup(mk_progress_stopp) struct mk_progress *progress = NULL;
	arc_cleanup(mk_tree_closep) struct mk_tree *open_tree = NULL;
	struct mk_volume_sink sink;
	arc_cleanup(arc_closep) int out_fd = -1;
	struct mk_scan_skip skip;
	int dir_fd, r;

	r = mk_volume_sink_path(opt->out, mode, run->diag, &sink);
	if (r < 0)
		return r;
	dir_fd = mk_volume_sink_dir(&sink);
	r = find_own_files(opt->out, dir_fd, &skip);
	if (r >= 0)
		r = mk_tree_open(&tree, dir_fd,
				 opt->digest == MK_DIGEST_SHA256);
	if (r < 0) {
		arc_say(run->diag, ARC_ERROR, "%s: %s", opt->out,
			arc_error_text(r));
		sink.ops->close(sink.ctx);
		return r;
	}
	open_tree = &tree;
	r = mk_progress_start(run, &progress);
	if (r < 0) {
		sink.ops->close(sink.ctx);
		return r;
	}
	run->progress = progress;
	src->skip = &skip;
	out_fd = fcntl(dir_fd, F_DUPFD_CLOEXEC, 0);
	if (src->kind == MK_SOURCE_TREE)
		r = archive_tree(run, opt, &tree, &sink, &skip);
	else
		r = archive_stream(run, opt, src, &tree, &sink);
	if (r >= 0) {
		set_signals(say_unsettled);
		mk_after(run, src, &tree, out_fd);
	}
	run->progress = NULL;
	return r;
}

/* *ret_refused: what is asked for is not possible, said. */
static int open_and_archive(struct mk_run *run, struct mk_options *opt,
			    bool *ret_refused)
{
	struct mk_stream src;
	int r = mk_stream_open(run, &src);

	if (r < 0)
		return r;
	*ret_refused = mk_after_refuses(run, &src);
	if (!*ret_refused && opt->order != MK_ORDER_WALK &&
	    src.kind != MK_SOURCE_TREE) {
		arc_say(run->diag, ARC_ERROR,
			"%s: --order is for trees: what comes but once is "
			"stored in the order in which it comes",
			opt->src);
		*ret_refused = true;
	}
	if (!*ret_refused && opt->report)
		r = mk_report_open(opt->report, run->diag, &run->report);
	if (!*ret_refused && r >= 0)
		r = archive(run, opt, &src);
	mk_stream_close(&src);
	return r;
}

/* ---- signals ------------------------------------------------------------ */

static const int deadly[] = { SIGINT, SIGTERM, SIGHUP };

/* Says so and dies of it: sig has its default action again. */
static void die_saying(int sig, const char *text)
{
	/* A line of its own where a progress line may stand. */
	size_t skip = !isatty(STDERR_FILENO);
	ssize_t n = write(STDERR_FILENO, text + skip, strlen(text) - skip);

	(void)n;
	raise(sig);
}

/* What was written is known to be unfinished: there is nothing to tidy up. */
static void say_interrupted(int sig)
{
	die_saying(sig, "\nmkarchive: interrupted before the archive was "
			"finished; --resume goes on with it\n");
}

static void say_unsettled(int sig)
{
	die_saying(sig, "\nmkarchive: interrupted after the archive was "
			"finished\n");
}

static void set_signals(void (*handler)(int sig))
{
	struct sigaction act = { .sa_handler = handler,
				 .sa_flags = (int)SA_RESETHAND };
	struct sigaction old;

	for (size_t i = 0; i < ARC_COUNT(deadly); i++) {
		if (!sigaction(deadly[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(deadly[i], &act, NULL);
	}
	/* A file that may not grow is an error as a full disk is. */
	signal(SIGXFSZ, SIG_IGN);
}

/* ------------------------------------------------------------------------- */

static int print_summary(struct mk_run *run)
{
	int r = mk_summary_print(run);

	if (r < 0)
		arc_say(run->diag, ARC_ERROR,
			"the archive is finished, but its summary cannot be "
			"written: %s",
			arc_error_text(r));
	if (r < 0 || mk_value(&run->stats.problems))
		return MK_EXIT_PARTIAL;
	return MK_EXIT_OK;
}

/* Who asked for JSON gets some; who asked for more is told that it is not
 * done: what was listed then is not known any more. */
static int print_was_complete(const struct mk_run *run)
{
	if (run->opt->json)
		puts("{\n  \"already_complete\": true\n}");
	if (run->opt->verify || run->opt->report)
		arc_say(run->diag, ARC_WARN,
			"%s: since it was complete nothing was verified, "
			"removed or reported; arctool verify checks it",
			run->opt->out);
	if (fflush(stdout)) {
		arc_say(run->diag, ARC_ERROR,
			"standard output cannot be written");
		return MK_EXIT_PARTIAL;
	}
	return run->opt->verify || run->opt->report ? MK_EXIT_PARTIAL
						    : MK_EXIT_OK;
}

int main(int argc, char **argv)
{
	struct mk_options opt;
	struct arc_diag diag;
	struct mk_run run = { .opt = &opt, .diag = &diag };
	bool refused = false;
	int r, status;

	arc_printed_or(MK_EXIT_FAILED, "mkarchive");
	mk_stages_start(&run);
	status = mk_options_parse(argc, argv, &opt);
	if (status >= 0) {
		mk_options_fini(&opt);
		return status;
	}
	arc_diag_init(&diag, mk_progress_sink, &run,
		      opt.verbosity < 0	  ? ARC_WARN
		      : opt.verbosity > 0 ? ARC_DEBUG
					  : ARC_INFO);
	set_signals(say_interrupted);
	r = open_and_archive(&run, &opt, &refused);
	set_signals(SIG_DFL);
	if (mk_report_close(run.report) < 0) {
		arc_say(&diag, ARC_ERROR, "the report %s cannot be written",
			opt.report);
		mk_count(&run.stats.problems, 1);
	}
	if (refused) {
		status = MK_EXIT_USAGE;
	} else if (r < 0 && run.was_complete) {
		status = print_was_complete(&run);
	} else if (r < 0) {
		arc_say(&diag, ARC_ERROR, "%s: no archive was made: %s%s",
			opt.out, arc_error_text(r),
			r == -ENOSPC ? "; when there is room, --resume goes on "
				       "where it stopped"
				     : "");
		status = MK_EXIT_FAILED;
	} else {
		status = print_summary(&run);
	}
	arc_gpu_free(run.gpu);
	arc_diag_fini(&diag);
	mk_options_fini(&opt);
	if (arc_ocl_any_abandoned()) {
		fflush(NULL);
		_exit(status);
	}
	return status;
}
