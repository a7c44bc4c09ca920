/* SPDX-License-Identifier: MIT */
#include "summary.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "pool.h"

/* Numbers that are computed, once for both forms. */
struct sums {
	uint64_t frames;
	double reduction; /* percent of the bytes in */
	double seconds;
	double speed; /* MB (2^20 bytes) in, per second */
	struct mk_usage all;
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

static struct sums sum_up(const struct mk_run *run)
{
	const struct mk_stats *s = &run->stats;
	uint64_t in = mk_value(&s->bytes), out = mk_value(&s->written);
	struct sums sums = { .all = mk_stages_all(run) };

	sums.seconds = sums.all.wall;
	for (size_t i = 0; i < ARC_COUNT(s->frames); i++)
		sums.frames += mk_value(&s->frames[i]);
	if (in)
		sums.reduction = 100.0 * (1.0 - (double)out / (double)in);
	sums.speed = mk_usage_speed(&sums.all, in);
	return sums;
}

static void print_frames(const struct mk_stats *s, const struct sums *sums)
{
	const char *sep = "";

	printf("frames       %" PRIu64 " (", sums->frames);
	for (uint8_t id = 0; id < ARC_COUNT(s->frames); id++) {
		uint64_t n = mk_value(&s->frames[id]);

		if (!n)
			continue;
		printf("%s%s %" PRIu64 ", %.1f %%", sep, arc_codec_name(id), n,
		       percent(n, sums->frames));
		sep = "; ";
	}
	puts(sums->frames ? ")" : "none)");
}

static void print_devices(const struct mk_stats *s)
{
	uint64_t frames = mk_value(&s->device_frames);
	uint64_t hashed = mk_value(&s->device_hashed);

	if (frames || hashed)
		printf("devices      %" PRIu64 " frames, %" PRIu64
		       " bytes hashed\n",
		       frames, hashed);
}

static void print_kept(const struct mk_run *run)
{
	const struct mk_stats *s = &run->stats;

	if (run->opt->resume)
		printf("kept         %" PRIu64 " frames of an earlier run, "
		       "%" PRIu64 " bytes not encoded again\n",
		       mk_value(&s->kept_frames), mk_value(&s->kept_bytes));
}

static void print_stages(const struct mk_run *run)
{
	const struct mk_stats *s = &run->stats;

	printf("same size    %" PRIu64 " files\n", mk_value(&s->same_size));
	printf("same first   %" PRIu64 "\n", mk_value(&s->same_first));
	printf("same last    %" PRIu64 "\n", mk_value(&s->same_last));
	printf("same centre  %" PRIu64 "\n", mk_value(&s->same_centre));
	printf("hashed       %" PRIu64 "\n", mk_value(&s->hashed));
	printf("same hash    %" PRIu64 "\n", mk_value(&s->same_hash));
	printf("compared     %" PRIu64 "\n", mk_value(&s->compared));
	if (run->opt->order == MK_ORDER_SIMILARITY)
		printf("similar      %" PRIu64 " of %" PRIu64 " files\n",
		       mk_value(&s->similar), mk_value(&s->sketched));
	printf("read         %" PRIu64 " bytes of %" PRIu64 " files\n",
	       mk_value(&s->read_bytes), mk_value(&s->read_files));
	printf("of these     %" PRIu64 " bytes of %" PRIu64
	       " files had been read in the search\n",
	       mk_value(&s->held_bytes), mk_value(&s->held_files));
	printf("skipped      %" PRIu64 " bytes by name, %" PRIu64
	       " by what they look like\n",
	       mk_value(&s->skipped_named), mk_value(&s->skipped_noise));
	printf("index        %" PRIu64 " bytes\n", mk_value(&s->index_bytes));
}

static void print_after(const struct mk_run *run)
{
	const struct mk_stats *s = &run->stats;

	if (run->sums_only)
		printf("verified     the checksums of %" PRIu64
		       " bytes, %" PRIu64 " differences\n",
		       mk_value(&s->verified_bytes), mk_value(&s->differences));
	else if (run->opt->verify)
		printf("verified     %" PRIu64 " entries, %" PRIu64
		       " bytes compared, %" PRIu64 " differences\n",
		       mk_value(&s->verified), mk_value(&s->verified_bytes),
		       mk_value(&s->differences));
	if (run->opt->remove_source)
		printf("removed      %" PRIu64 " entries, %" PRIu64
		       " bytes; %" PRIu64 " entries stay\n",
		       mk_value(&s->removed), mk_value(&s->removed_bytes),
		       mk_value(&s->not_removed));
}

/* ---- what the stages have taken ------------------------------------------ */

/* A figure of a second, or a line where there is nothing. */
static void print_rate(int width, double rate)
{
	if (rate > 0)
		printf(" %*.*f", width, rate < 10 ? 1 : 0, rate);
	else
		printf(" %*s", width, "-");
}

static void print_usage(const char *name, const struct mk_usage *u)
{
	printf("%-8s %8.2f %8.2f %6.0f", name, u->wall, u->cpu,
	       mk_usage_percent(u, arc_cpu_count()));
	print_rate(10, u->wall > 0 ? (double)u->files / u->wall : 0);
	print_rate(10, mk_usage_speed(u, u->read));
	print_rate(10, mk_usage_speed(u, u->written));
	print_rate(10, mk_usage_speed(u, u->disk_read));
	print_rate(10, mk_usage_speed(u, u->disk_written));
	putchar('\n');
}

/* A stage that there was none of takes no line. */
static void print_usages(const struct mk_run *run, const struct mk_usage *all)
{
	printf("%-8s %8s %8s %6s %10s %10s %10s %10s %10s\n", "stage",
	       "seconds", "CPU s", "CPU %", "files/s", "read MB/s",
	       "write MB/s", "disk read", "disk write");
	for (int i = 0; i < MK_STAGES; i++) {
		const struct mk_usage *u = &run->stages.of[i];

		if (u->wall > 0)
			print_usage(mk_stage_name((enum mk_stage)i), u);
	}
	print_usage("all", all);
	printf("CPU %%        of %u cores, %u threads that compress, up to %u "
	       "that read ahead\n",
	       arc_cpu_count(), run->opt->threads, run->stages.readers);
	printf("peak memory  %.0f MB\n",
	       (double)mk_peak_memory() / (double)ARC_MIB);
}

static json_t *json_usage(const struct mk_usage *u)
{
	return json_pack("{sfsfsfsIsfsIsfsIsfsIsI}", "seconds", u->wall,
			 "cpu_seconds", u->cpu, "cpu_percent",
			 mk_usage_percent(u, arc_cpu_count()), "files",
			 (json_int_t)u->files, "files_per_second",
			 u->wall > 0 ? (double)u->files / u->wall : 0.0,
			 "read_bytes", (json_int_t)u->read,
			 "read_mb_per_second", mk_usage_speed(u, u->read),
			 "written_bytes", (json_int_t)u->written,
			 "written_mb_per_second", mk_usage_speed(u, u->written),
			 "disk_read_bytes", (json_int_t)u->disk_read,
			 "disk_written_bytes", (json_int_t)u->disk_written);
}

static json_t *json_usages(const struct mk_run *run)
{
	json_t *stages = json_object();

	for (int i = 0; i < MK_STAGES; i++) {
		const struct mk_usage *u = &run->stages.of[i];

		if (u->wall > 0)
			json_object_set_new(stages,
					    mk_stage_name((enum mk_stage)i),
					    json_usage(u));
	}
	return stages;
}

/* ------------------------------------------------------------------------- */

static void print_text(const struct mk_run *run, const struct sums *sums)
{
	const struct mk_stats *s = &run->stats;

	printf("files        %" PRIu64 "\n", mk_value(&s->files));
	printf("directories  %" PRIu64 "\n", mk_value(&s->dirs));
	printf("other        %" PRIu64 " symlinks, %" PRIu64
	       " special files, %" PRIu64 " further hard links\n",
	       mk_value(&s->symlinks), mk_value(&s->others),
	       mk_value(&s->hardlinks));
	if (mk_value(&s->excluded))
		printf("excluded     %" PRIu64 "\n", mk_value(&s->excluded));
	printf("duplicates   %" PRIu64 ", %" PRIu64 " bytes saved\n",
	       mk_value(&s->duplicates), mk_value(&s->duplicate_bytes));
	if (mk_value(&s->hole_bytes))
		printf("holes        %" PRIu64 " bytes\n",
		       mk_value(&s->hole_bytes));
	print_frames(s, sums);
	print_devices(s);
	print_kept(run);
	if (run->opt->verbosity > 0)
		print_stages(run);
	printf("in           %" PRIu64 " bytes\n", mk_value(&s->bytes));
	printf("out          %" PRIu64 " bytes in %" PRIu64 " volumes\n",
	       mk_value(&s->written), mk_value(&s->volumes));
	printf("reduction    %.1f %%\n", sums->reduction);
	print_after(run);
	printf("time         %.2f s, %.1f MB/s\n", sums->seconds, sums->speed);
	if (run->opt->verbosity > 0)
		print_usages(run, &sums->all);
	if (mk_value(&s->problems))
		printf("problems     %" PRIu64
		       " files were skipped or changed; see the messages\n",
		       mk_value(&s->problems));
}

static json_t *json_frames(const struct mk_stats *s, const struct sums *sums)
{
	json_t *frames = json_object();

	for (uint8_t id = 0; id < ARC_COUNT(s->frames); id++) {
		uint64_t n = mk_value(&s->frames[id]);

		if (!n)
			continue;
		json_object_set_new(
			frames, arc_codec_name(id),
			json_pack("{sIsfsIsI}", "frames", (json_int_t)n,
				  "percent", percent(n, sums->frames), "raw",
				  (json_int_t)mk_value(&s->frame_raw[id]),
				  "stored",
				  (json_int_t)mk_value(&s->frame_stored[id])));
	}
	return frames;
}

static json_t *json_stages(const struct mk_stats *s)
{
	const struct {
		const char *name;
		const mk_counter *value;
	} rows[] = {
		{ "same_size", &s->same_size },
		{ "same_first", &s->same_first },
		{ "same_last", &s->same_last },
		{ "same_centre", &s->same_centre },
		{ "hashed", &s->hashed },
		{ "hashed_by_devices", &s->device_hashed },
		{ "same_hash", &s->same_hash },
		{ "compared", &s->compared },
		{ "duplicates", &s->duplicates },
		{ "duplicate_bytes", &s->duplicate_bytes },
	};
	json_t *stages = json_object();

	for (size_t i = 0; i < ARC_COUNT(rows); i++)
		json_object_set_new(
			stages, rows[i].name,
			json_integer((json_int_t)mk_value(rows[i].value)));
	return stages;
}

static int print_json(const struct mk_run *run, const struct sums *sums)
{
	const struct mk_stats *s = &run->stats;
	const struct {
		const char *name;
		const mk_counter *value;
	} rows[] = {
		{ "files", &s->files },
		{ "directories", &s->dirs },
		{ "symlinks", &s->symlinks },
		{ "others", &s->others },
		{ "hardlinks", &s->hardlinks },
		{ "excluded", &s->excluded },
		{ "bytes_in", &s->bytes },
		{ "hole_bytes", &s->hole_bytes },
		{ "read_bytes", &s->read_bytes },
		{ "read_files", &s->read_files },
		{ "held_bytes", &s->held_bytes },
		{ "held_files", &s->held_files },
		{ "stream_bytes", &s->stream },
		{ "bytes_out", &s->written },
		{ "index_bytes", &s->index_bytes },
		{ "similar", &s->similar },
		{ "skipped_by_name", &s->skipped_named },
		{ "skipped_as_noise", &s->skipped_noise },
		{ "volumes", &s->volumes },
		{ "device_frames", &s->device_frames },
		{ "kept_frames", &s->kept_frames },
		{ "kept_bytes", &s->kept_bytes },
		{ "verified", &s->verified },
		{ "verified_bytes", &s->verified_bytes },
		{ "differences", &s->differences },
		{ "removed", &s->removed },
		{ "removed_bytes", &s->removed_bytes },
		{ "not_removed", &s->not_removed },
		{ "problems", &s->problems },
	};
	json_t *root = json_object();
	int r;

	for (size_t i = 0; i < ARC_COUNT(rows); i++)
		json_object_set_new(
			root, rows[i].name,
			json_integer((json_int_t)mk_value(rows[i].value)));
	json_object_set_new(root, "dedup", json_stages(s));
	json_object_set_new(root, "frames",
			    json_integer((json_int_t)sums->frames));
	json_object_set_new(root, "codecs", json_frames(s, sums));
	json_object_set_new(root, "reduction_percent",
			    json_real(sums->reduction));
	json_object_set_new(root, "seconds", json_real(sums->seconds));
	json_object_set_new(root, "mb_per_second", json_real(sums->speed));
	json_object_set_new(root, "stages", json_usages(run));
	json_object_set_new(root, "all", json_usage(&sums->all));
	json_object_set_new(root, "cores", json_integer(arc_cpu_count()));
	json_object_set_new(root, "threads", json_integer(run->opt->threads));
	json_object_set_new(root, "reader_threads",
			    json_integer(run->stages.readers));
	json_object_set_new(root, "peak_rss_bytes",
			    json_integer((json_int_t)mk_peak_memory()));
	r = json_dumpf(root, stdout, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	json_decref(root);
	putchar('\n');
	return r < 0 ? -EIO : 0;
}

int mk_summary_print(const struct mk_run *run)
{
	struct sums sums = sum_up(run);

	if (run->opt->json) {
		int r = print_json(run, &sums);

		if (r < 0)
			return r;
	} else if (run->opt->verbosity >= 0 &&
		   !(run->opt->report && strcmp(run->opt->report, "-") == 0)) {
		print_text(run, &sums);
	}
	return fflush(stdout) || ferror(stdout) ? -EIO : 0;
}
