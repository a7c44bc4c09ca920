/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "info_i.h"

static const struct argp_option options[] = {
	{ "json", TOOL_KEY_JSON, 0, 0, "One JSON object", 0 },
	{ "closure", TOOL_KEY_CLOSURE, 0, 0,
	  "Also how much is decoded to read one segment; reads the tables of all "
	  "frames",
	  0 },
	{ 0 }
};

static void print_bytes(const char *label, uint64_t n, const char *what)
{
	char size[TOOL_SIZE_ROOM];

	printf("%-12s %" PRIu64 " bytes (%s)%s\n", label, n,
	       tool_show_size(n, size), what);
}

static int print_volumes(struct tool *t, const struct tool_info *info)
{
	struct arc_volumes *vs = arc_archive_volumes(t->archive);
	arc_cleanup(arc_freep) char *name = malloc(TOOL_INFO_NAME_ROOM);
	const struct tool_info_run *run;
	struct arc_buf room = { 0 };
	int r = name ? 0 : -ENOMEM;

	printf("volumes      %" PRIu64, info->volumes);
	if (info->absent)
		printf(", %" PRIu64 " of them missing or damaged",
		       info->absent);
	putchar('\n');
	for (size_t i = 0; r == 0 && (run = tool_info_run_at(info, i)); i++) {
		const char *shown;

		arc_volumes_name(vs, run->first, name, TOOL_INFO_NAME_ROOM);
		shown = tool_show(&room, name, strlen(name));
		if (!shown) {
			r = -ENOMEM;
			break;
		}
		if (run->err < 0)
			printf("  %14s  %s", arc_error_name(run->err), shown);
		else
			printf("  %14" PRIu64 "  %s", run->bytes, shown);
		if (run->last > run->first)
			printf(" and %" PRIu32 " behind it",
			       run->last - run->first);
		putchar('\n');
	}
	arc_buf_fini(&room);
	return r;
}

/* ", NAME VALUE" of an option of the writer, where it is known. */
static int print_option(struct tool *t, const char *key)
{
	char size[TOOL_SIZE_ROOM];
	struct arc_buf room = { 0 };
	const char *shown;
	uint64_t value;
	size_t n;
	const char *text = tool_info_option(t, key, &n);

	if (!text)
		return 0;
	if (tool_info_number(text, n, &value) && value >= 1024)
		shown = tool_show_size(value, size);
	else
		shown = tool_show(&room, text, n);
	if (shown)
		printf(", %s %s", key, shown);
	arc_buf_fini(&room);
	return shown ? 0 : -ENOMEM;
}

static void print_codec(uint8_t id, const struct arc_summary *s,
			const struct tool_info *info)
{
	char size[TOOL_SIZE_ROOM];

	printf("  %-10s %" PRIu64 " (%.1f %%), %" PRIu64 " -> %" PRIu64
	       " bytes, ratio %.2f",
	       arc_codec_name(id), s->codec[id].frames,
	       tool_percent(s->codec[id].frames, info->frames),
	       s->codec[id].raw, s->codec[id].stored,
	       tool_info_ratio(s->codec[id].raw, s->codec[id].stored));
	if (id < ARC_CODEC_COUNT && info->closures.codec[id].segments)
		printf(", closure %s",
		       tool_show_size((uint64_t)tool_info_mean(
					      &info->closures.codec[id]),
				      size));
	putchar('\n');
}

static void print_closure(const struct tool_closures *c)
{
	char average[TOOL_SIZE_ROOM], most[TOOL_SIZE_ROOM];
	const char *before = "reach        ";

	for (unsigned i = 0; i < ARC_COUNT(c->reach); i++) {
		if (!c->reach[i])
			continue;
		printf("%s%s (%" PRIu64 " frame%s)", before,
		       tool_show_size(UINT64_C(1) << i, most), c->reach[i],
		       c->reach[i] == 1 ? "" : "s");
		before = ", ";
	}
	if (c->all.segments)
		putchar('\n');
	if (c->all.segments)
		printf("closure      %s decoded on average to read one segment, "
		       "%s at most\n",
		       tool_show_size((uint64_t)tool_info_mean(&c->all),
				      average),
		       tool_show_size(c->all.max, most));
	if (c->unknown)
		printf("closure      not known of %" PRIu64 " frame%s\n",
		       c->unknown, c->unknown == 1 ? "" : "s");
}

static int print_frames(struct tool *t, const struct tool_info *info)
{
	const struct arc_summary *s = arc_index_summary(t->index);
	static const char *const options_shown[] = { "level", "reach", "far" };
	int r = 0;

	printf("frames       %" PRIu64, info->frames);
	for (size_t i = 0; i < ARC_COUNT(options_shown) && r == 0; i++)
		r = print_option(t, options_shown[i]);
	putchar('\n');
	for (uint8_t id = 0; id < ARC_COUNT(s->codec); id++) {
		if (s->codec[id].frames)
			print_codec(id, s, info);
	}
	if (info->surveyed)
		print_closure(&info->closures);
	return r;
}

static void print_features(const struct arc_disk_footer *f)
{
	char id[33];

	arc_hex(f->id, sizeof(f->id), id);
	printf("archive id   %s\n", id);
	printf("format       %u, features: incompat %#" PRIx64
	       ", ro-compat %#" PRIx64 ", compat %#" PRIx64 "\n",
	       arc_get16(f->version), arc_get64(f->incompat),
	       arc_get64(f->ro_compat), arc_get64(f->compat));
}

static int print_options(struct tool *t)
{
	const char *line = arc_index_text(t->index);
	struct arc_buf room = { 0 };
	int r = 0;

	if (*line)
		puts("made with");
	while (*line && r == 0) {
		size_t n = strcspn(line, "\n");
		const char *shown = tool_show(&room, line, n);

		if (shown)
			printf("  %s\n", shown);
		else
			r = -ENOMEM;
		line += n;
		line += *line == '\n';
	}
	arc_buf_fini(&room);
	return r;
}

static int print_text(struct tool *t, const struct tool_info *info)
{
	const struct arc_summary *s = arc_index_summary(t->index);
	int r;

	print_features(arc_volumes_footer(arc_archive_volumes(t->archive)));
	r = print_volumes(t, info);
	printf("files        %" PRIu64 "\n", s->files);
	printf("directories  %" PRIu64 "\n", s->dirs);
	printf("other        %" PRIu64 " symlinks, %" PRIu64
	       " special files, %" PRIu64 " further hard links\n",
	       s->symlinks, s->others, s->hardlinks);
	printf("duplicates   %" PRIu64 ", %" PRIu64 " bytes saved\n",
	       s->duplicates, s->duplicate_bytes);
	if (s->holes)
		printf("holes        %" PRIu64 " bytes\n", s->holes);
	if (r == 0)
		r = print_frames(t, info);
	print_bytes("in", s->bytes, ", the sizes of all files");
	print_bytes("stream", s->stream, ", each content once");
	print_bytes("stored", s->stored, ", all frames");
	print_bytes("out", info->out,
		    info->absent ? ", the volumes that are here"
				 : ", all volumes");
	if (info->absent)
		puts("reduction    not known while volumes are missing");
	else
		printf("reduction    %.1f %%, ratio %.2f\n",
		       tool_info_reduction(s, info),
		       tool_info_ratio(s->bytes, info->out));
	return r < 0 ? r : print_options(t);
}

static int run(struct tool *t)
{
	struct tool_info info;
	int r;

	/* What is missing is said in the listing itself. */
	t->muted = true;
	r = tool_info_sum_up(t, &info);
	if (r == 0)
		r = t->req.json ? tool_info_print_json(t, &info)
				: print_text(t, &info);
	arc_buf_fini(&info.runs);
	t->muted = false;
	if (r < 0) {
		arc_say(&t->diag, ARC_ERROR, "%s", arc_error_text(r));
		return TOOL_EXIT_INEXACT;
	}
	return info.absent || info.closures.unknown ? TOOL_EXIT_INEXACT
						    : TOOL_EXIT_OK;
}

const struct tool_verb tool_verb_info = {
	.name = "info",
	.about = "Shows volumes, sizes, codecs, duplicates and features",
	.args = "ARCHIVE",
	.options = options,
	.run = run,
};
