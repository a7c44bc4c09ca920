/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "codec.h"
#include "tool.h"

static const struct argp_option options[] = {
	{ "json", TOOL_KEY_JSON, 0, 0, "One JSON object", 0 },
	{ "gpu", TOOL_KEY_GPU, "MODE", 0,
	  "As the other programs take it: auto, force, or which, by number or "
	  "name (default: auto)",
	  0 },
	{ "threads", 'j', "N", 0,
	  "Threads that the CPU is tried with (default: one per core)", 0 },
	{ 0 }
};

static const char *const works[ARC_GPU_WORKS] = {
	[ARC_GPU_HASH] = "hash",
	[ARC_GPU_ENCODE] = "encode",
	[ARC_GPU_DECODE] = "decode",
};

/* ---- text ---------------------------------------------------------------- */

static void print_rates(const struct arc_gpu_rates *rates)
{
	for (size_t i = 0; i < ARC_GPU_WORKS; i++)
		printf("%s%s %.3f", i ? ", " : "", works[i],
		       rates->work[i] / 1e9);
	puts(" GB/s");
}

static void print_name(const char *key, const char *value)
{
	struct arc_buf room = { 0 };
	const char *shown = tool_show(&room, value, strlen(value));

	printf("  %-10s %s\n", key, shown ? shown : "?");
	arc_buf_fini(&room);
}

static void print_device(const struct arc_gpu_device *d)
{
	char memory[TOOL_SIZE_ROOM];

	printf("device %u\n", d->number);
	print_name("name", d->info.name);
	print_name("platform", d->info.platform);
	print_name("driver", d->info.driver);
	printf("  %-10s %s%s, %u units\n", "memory",
	       tool_show_size(d->info.memory, memory),
	       d->info.cpu ? ", of the CPU" : "", d->info.units);
	printf("  %-10s %s\n", "self-test",
	       !d->tried ? "not made"
	       : d->err	 ? "failed"
			 : "passed");
	if (d->tried && !d->err) {
		printf("  %-10s ", "speed");
		print_rates(&d->rate);
	}
	printf("  %-10s %s: ", "used", d->device ? "yes" : "no");
	puts(d->why);
}

static void print_text(const struct tool *t, const struct arc_gpu *gpu)
{
	bool tried = false;

	for (unsigned i = 0; i < gpu->count; i++) {
		print_device(&gpu->device[i]);
		tried = tried || (gpu->device[i].tried && !gpu->device[i].err);
	}
	if (!gpu->count)
		puts("no OpenCL device");
	if (tried) {
		printf("CPU, %u threads\n  %-10s ", t->req.threads, "speed");
		print_rates(&gpu->cpu);
	}
}

/* ---- JSON ---------------------------------------------------------------- */

static json_t *json_rates(const struct arc_gpu_rates *rates)
{
	json_t *o = json_object();

	for (size_t i = 0; i < ARC_GPU_WORKS; i++)
		json_object_set_new(o, works[i], json_real(rates->work[i]));
	return o;
}

static json_t *json_device(const struct arc_gpu_device *d)
{
	json_t *o = json_pack("{sIsIsIsbsbsb}", "number", (json_int_t)d->number,
			      "memory", arc_json_int(d->info.memory), "units",
			      (json_int_t)d->info.units, "cpu", d->info.cpu,
			      "tried", d->tried, "used", d->device != NULL);
	const struct {
		const char *key;
		const char *value;
	} texts[] = {
		{ "name", d->info.name },
		{ "platform", d->info.platform },
		{ "driver", d->info.driver },
		{ "version", d->info.version },
		{ "why", d->why },
	};

	for (size_t i = 0; i < ARC_COUNT(texts); i++)
		arc_json_set(o, texts[i].key, texts[i].value,
			     strlen(texts[i].value));
	if (d->tried)
		json_object_set_new(o, "passed", json_boolean(!d->err));
	if (d->tried && !d->err)
		json_object_set_new(o, "bytes_per_second",
				    json_rates(&d->rate));
	return o;
}

static void print_json(const struct tool *t, const struct arc_gpu *gpu)
{
	json_t *devices = json_array();
	json_t *o;

	for (unsigned i = 0; i < gpu->count; i++)
		json_array_append_new(devices, json_device(&gpu->device[i]));
	o = json_pack("{sosIso}", "devices", devices, "threads",
		      (json_int_t)t->req.threads, "cpu_bytes_per_second",
		      json_rates(&gpu->cpu));
	json_dumpf(o, stdout, JSON_INDENT(2));
	putchar('\n');
	json_decref(o);
}

/* ------------------------------------------------------------------------- */

static int run(struct tool *t)
{
	const struct arc_encoder_params coding = { .level = 6,
						   .group_log = 20,
						   .parallel = true };
	const struct arc_gpu_purpose purpose = {
		.work = { true, true, true },
		.coding = &coding,
		.encoder = &arc_gpu_encoder,
		.threads = t->req.threads,
	};
	arc_cleanup(arc_gpu_freep) struct arc_gpu *gpu = NULL;
	int err = arc_gpu_choose(&t->req.gpu, &purpose, true, &t->diag, &gpu);

	if (err == -ENODEV)
		return TOOL_EXIT_UNREADABLE;
	if (err) {
		arc_say(&t->diag, ARC_ERROR, "devices cannot be tried: %s",
			arc_error_text(err));
		return TOOL_EXIT_UNREADABLE;
	}
	if (t->req.json)
		print_json(t, gpu);
	else
		print_text(t, gpu);
	return TOOL_EXIT_OK;
}

const struct tool_verb tool_verb_devices = {
	.name = "devices",
	.about = "Shows OpenCL devices, tries them, says which are used",
	.args = "",
	.doc = "Each does known work, whose result is compared with the CPU's, "
	       "and both are measured: bytes a second, from memory to memory. "
	       "Exit status: 0, 2 wrong usage, 3 a device that was asked for "
	       "cannot be used.",
	.options = options,
	.no_archive = true,
	.run = run,
};
