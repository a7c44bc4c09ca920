/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "bench_gpu.h"
#include "pool.h"
#include "record.h"
#include "testdata.h"

/* ---- inputs -------------------------------------------------------------- */

/* Lines as a web service logs them: one JSON object each. */
static void make_log(uint8_t *p, size_t n)
{
	static const char *const paths[] = { "users", "orders", "login",
					     "items", "search", "health" };
	static const char *const methods[] = { "GET", "GET", "GET", "POST",
					       "PUT" };
	uint64_t seed = 4;
	uint64_t ms = UINT64_C(1700000000000);

	for (size_t at = 0; at < n;) {
		uint64_t r = testdata_next(&seed);
		uint64_t id = testdata_next(&seed);
		char line[320];
		int len = snprintf(
			line, sizeof(line),
			"{\"time\":%llu.%03llu,\"level\":\"%s\",\"host\":"
			"\"web-%02u\",\"method\":\"%s\",\"path\":\"/api/v1/%s/"
			"%llu\",\"status\":%u,\"bytes\":%llu,\"ms\":%u.%u,"
			"\"trace\":\"%016llx\"}\n",
			(unsigned long long)(ms / 1000),
			(unsigned long long)(ms % 1000),
			r % 32 ? "info" : "warn", (unsigned)(r >> 8) % 12,
			methods[(r >> 16) % ARC_COUNT(methods)],
			paths[(r >> 20) % ARC_COUNT(paths)],
			(unsigned long long)(id % 20000), r % 32 ? 200 : 404,
			(unsigned long long)(id >> 50),
			(unsigned)(r >> 32) % 80, (unsigned)(r >> 40) % 10,
			(unsigned long long)id);
		size_t some = ARC_MIN((size_t)len, n - at);

		memcpy(p + at, line, some);
		at += some;
		ms += (r >> 44) % 40;
	}
}

static const struct bench_sample *find_sample(const char *word)
{
	const struct bench_sample *s;

	for (unsigned i = 0; (s = bench_sample_at(i)); i++) {
		if (strncmp(s->name, word, strlen(word)) == 0)
			break;
	}
	return s;
}

static int get_source(const struct gpu_options *opt, struct arc_diag *diag,
		      struct bench_input *ret)
{
	if (opt->source)
		return bench_input_read(opt->source, opt->max, diag, ret);
	return bench_input_make(find_sample("text"), opt->max, diag, ret);
}

/* On a machine without programs there is still this one. */
static int get_elf(const struct gpu_options *opt, struct arc_diag *diag,
		   struct bench_input *ret)
{
	static char bin[] = "/usr/bin", lib[] = "/usr/lib",
		    self[] = "/proc/self/exe";
	char *const folders[] = { bin, lib, NULL };
	char *resolved = realpath(self, NULL);
	char *const program[] = { resolved, NULL };
	int err =
		bench_input_read_elf("ELF files", folders, opt->max, NULL, ret);

	if (err && resolved)
		err = bench_input_read_elf("ELF files", program, opt->max, diag,
					   ret);
	free(resolved);
	return err;
}

static int get_log(const struct gpu_options *opt, struct arc_diag *diag,
		   struct bench_input *ret)
{
	static const struct bench_sample log = { "JSON log (generated)",
						 make_log };

	return bench_input_make(&log, opt->max, diag, ret);
}

static int get_random(const struct gpu_options *opt, struct arc_diag *diag,
		      struct bench_input *ret)
{
	return bench_input_make(find_sample("random"), opt->max, diag, ret);
}

static int (*const samples[])(const struct gpu_options *opt,
			      struct arc_diag *diag,
			      struct bench_input *ret) = {
	get_source,
	get_elf,
	get_log,
	get_random,
};

size_t gpu_input_count(const struct gpu_options *opt)
{
	return opt->input_count ? opt->input_count : ARC_COUNT(samples);
}

int gpu_input_get(const struct gpu_options *opt, size_t i,
		  struct arc_diag *diag, struct bench_input *ret)
{
	if (opt->input_count)
		return bench_input_read(opt->inputs[i], opt->max, diag, ret);
	return samples[i](opt, diag, ret);
}

/* ---- frames -------------------------------------------------------------- */

struct making {
	const struct gpu_options *opt;
	const struct bench_input *input;
	struct gpu_frames *frames;
};

static void cut_frame(const struct making *m, size_t i)
{
	const struct arc_buf *in = &m->input->bytes;
	uint8_t *out = m->frames->raw + i * m->frames->size;
	size_t at = i * (m->frames->size + GPU_FRAMES_SHIFT) % in->n;

	for (size_t done = 0; done < m->frames->size;) {
		size_t n = ARC_MIN(in->n - at, m->frames->size - done);

		memcpy(out + done, in->p + at, n);
		done += n;
		at = 0;
	}
}

static int encode_frame(const struct making *m, size_t i, bool parallel,
			uint8_t *out, struct arc_record_info *ret)
{
	struct arc_record_params params = {
		.encoder = arc_encoder_find("lzext3"),
		.codec = m->opt->coding,
	};
	arc_cleanup(arc_record_encoder_freep) struct arc_record_encoder *e =
		NULL;
	int err;

	params.codec.parallel = parallel;
	err = arc_record_encoder_new(&params, &e);
	return err ? err
		   : arc_record_encode(e, i, gpu_frame(m->frames, i), out, ret);
}

static int make_frame(void *ctx, uint64_t i)
{
	const struct making *m = ctx;
	uint8_t *coded = m->frames->coded + i * m->frames->stride;
	struct arc_record_info info;
	int err;

	cut_frame(m, i);
	err = encode_frame(m, i, false, coded, &info);
	if (err)
		return err;
	memset(coded + info.stored, 0, ARC_DECODE_SLACK);
	return arc_record_parse((struct arc_span){ coded, info.stored },
				&m->frames->record[i]);
}

static int make_frames(struct making *m)
{
	struct gpu_frames *f = m->frames;
	struct arc_record_info info;
	int err;

	f->raw = malloc(f->n * f->size);
	f->coded = malloc(f->n * f->stride);
	f->record = calloc(f->n, sizeof(f->record[0]));
	f->device_stored = calloc(f->n, sizeof(f->device_stored[0]));
	f->twin = malloc(f->stride);
	if (!f->raw || !f->coded || !f->record || !f->device_stored || !f->twin)
		return -ENOMEM;
	err = arc_parallel_each(m->opt->threads, f->n, make_frame, m);
	if (!err)
		err = encode_frame(m, 0, true, f->twin, &info);
	if (err)
		return err;
	f->twin_n = info.stored;
	for (unsigned i = 0; i < f->n; i++)
		f->stored += f->record[i]->head + f->record[i]->payload;
	return 0;
}

int gpu_frames_make(const struct gpu_options *opt,
		    const struct bench_input *input, struct gpu_frames *ret)
{
	struct gpu_frames frames = {
		.name = input->name,
		.size = opt->frame_size,
		.n = opt->batch[opt->batches - 1],
		.stride = arc_record_bound((uint32_t)opt->frame_size) +
			  ARC_DECODE_SLACK,
	};
	struct making m = { .opt = opt, .input = input, .frames = &frames };
	int err = make_frames(&m);

	if (err) {
		gpu_frames_fini(&frames);
		return err;
	}
	*ret = frames;
	return 0;
}

void gpu_frames_fini(struct gpu_frames *frames)
{
	for (unsigned i = 0; frames->record && i < frames->n; i++)
		free(frames->record[i]);
	free(frames->raw);
	free(frames->coded);
	free(frames->record);
	free(frames->twin);
	free(frames->device_stored);
}
