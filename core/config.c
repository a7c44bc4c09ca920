/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "config_i.h"

#define COLUMN 56 /* of the sources, where things are shown */
#define ALL (ARC_CONFIG_MKARCHIVE | ARC_CONFIG_ARCFS | ARC_CONFIG_ARCTOOL)

const struct arc_config_key arc_config_keys[ARC_CONFIG_KEYS] = {
	[ARC_CONFIG_MAX_WORKER_THREADS] = {
		.name = "MAX_WORKER_THREADS",
		.unit = "threads",
		.automatic = "one per core; arcfs: 4 to 16",
		.about = "Threads that compress in mkarchive, that decompress "
			 "in arctool, and that serve requests, and decompress "
			 "for them, in arcfs (there two per core, but 4 to 16). "
			 "Some more do other work beside them: arcfs.conf(5), "
			 "THREADS.",
		.options = "-j of mkarchive and arctool, -o threads of arcfs",
		.min = 1,
		.max = 4096,
		.example = 8,
		.programs = ALL,
	},
	[ARC_CONFIG_NUM_SCAN_WORKERS] = {
		.name = "NUM_SCAN_WORKERS",
		.unit = "threads",
		.about = "Threads that list directories, and look at what is "
			 "in them, before the walk through the source comes to "
			 "them. With 0 the walk does all of it. More help "
			 "where a storage answers many at once.",
		.max = 1024,
		.fallback = 4,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_NUM_IO_WORKERS] = {
		.name = "NUM_IO_WORKERS",
		.unit = "threads",
		.automatic = "as MAX_WORKER_THREADS, at least 8",
		.about = "Threads that read, hash and compare files in the "
			 "search for duplicates. More than there are cores "
			 "help where a storage answers many at once.",
		.min = 1,
		.max = 4096,
		.example = 16,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_NUM_READERS] = {
		.name = "NUM_READERS",
		.unit = "threads",
		.about = "Threads that open and read files of up to 1M before "
			 "their turn comes to be packed, at most: one begins, "
			 "and more join it while files come too slowly and "
			 "processors are idle. With 0 every file is read when "
			 "its turn comes. More help where a storage answers "
			 "many at once.",
		.max = 1024,
		.fallback = 8,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_BUFFER_SIZE] = {
		.name = "BUFFER_SIZE",
		.kind = ARC_CONFIG_SIZE,
		.about = "What the threads of NUM_READERS have read and what "
			 "has not been packed yet is no more than this. Files "
			 "larger than a quarter of it are not read before "
			 "their turn. Four times as much is taken for files of "
			 "up to 4K that the search for duplicates has read: "
			 "they are not read again.",
		.min = ARC_MIB,
		.max = 64 * ARC_GIB,
		.fallback = 16 * ARC_MIB,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_READ_BUFFER_BATCHES] = {
		.name = "READ_BUFFER_BATCHES",
		.unit = "batches",
		.about = "Batches of frames that are read ahead and wait to be "
			 "compressed. A batch is what is compressed at once: "
			 "one frame by the CPU, more by a device. Memory grows "
			 "by each frame's size and what it becomes.",
		.min = 1,
		.max = 1024,
		.fallback = 1,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_WRITE_BUFFER_BATCHES] = {
		.name = "WRITE_BUFFER_BATCHES",
		.unit = "batches",
		.about = "Batches of compressed frames that may wait to be "
			 "written while others are read and compressed. "
			 "Memory grows as with READ_BUFFER_BATCHES.",
		.min = 1,
		.max = 1024,
		.fallback = 1,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_HASH_LOG] = {
		.name = "HASH_LOG",
		.automatic = "by level",
		.about = "LZ-EXT3 remembers 2^N places. A larger table finds "
			 "more repeats and takes longer. Other codecs take no "
			 "notice. It changes the bytes of the archive.",
		.options = "--hash-log of mkarchive",
		.min = 12,
		.max = 24,
		.example = 20,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_HASH_CANDIDATES] = {
		.name = "HASH_CANDIDATES",
		.automatic = "by level",
		.about = "Places that LZ-EXT3 compares at one position at "
			 "most. More make the archive smaller and take "
			 "longer. Other codecs take no notice. It changes the "
			 "bytes of the archive.",
		.options = "--hash-candidates of mkarchive",
		.min = 1,
		.max = 64,
		.example = 16,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_GOOD_ENOUGH_MATCH] = {
		.name = "GOOD_ENOUGH_MATCH",
		.unit = "bytes",
		.automatic = "by level",
		.about = "A repeat of so many bytes ends a search of LZ-EXT3. "
			 "More make the archive smaller and take longer. Other "
			 "codecs take no notice. It changes the bytes of the "
			 "archive.",
		.options = "--good-enough-match of mkarchive",
		.min = 4,
		.max = 65536,
		.example = 256,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_SKIP_COMPRESSED] = {
		.name = "SKIP_COMPRESSED",
		.about = "With yes no codec tries what looks like noise to it, "
			 "or what is compressed already by its name and does "
			 "not contradict: it is stored as it is. With no all "
			 "of it is tried. It changes the bytes of the archive.",
		.options = "--no-skip of mkarchive",
		.max = 1,
		.fallback = 1,
		.kind = ARC_CONFIG_SWITCH,
		.programs = ARC_CONFIG_MKARCHIVE,
	},
	[ARC_CONFIG_FORCE_CPU_MODE] = {
		.name = "FORCE_CPU_MODE",
		.about = "With yes the CPU does everything, and OpenCL is not "
			 "even looked at.",
		.options = "--gpu=off of mkarchive and arctool, -o gpu=off of "
			   "arcfs; with anything else they say no",
		.max = 1,
		.kind = ARC_CONFIG_SWITCH,
		.programs = ALL,
		.environment = true,
	},
	[ARC_CONFIG_GPU_FALLBACK_ENABLED] = {
		.name = "GPU_FALLBACK_ENABLED",
		.about = "With yes the CPU takes over the work of a device "
			 "that fails; with no its failure ends the program.",
		.options = "--no-gpu-fallback of mkarchive",
		.max = 1,
		.fallback = 1,
		.kind = ARC_CONFIG_SWITCH,
		.programs = ARC_CONFIG_MKARCHIVE | ARC_CONFIG_ARCTOOL,
		.environment = true,
	},
	[ARC_CONFIG_COMPRESSOR_BATCH_SIZE] = {
		.name = "COMPRESSOR_BATCH_SIZE",
		.unit = "frames",
		.automatic = "by device, up to 16",
		.about = "Frames that a device compresses at once at most. For "
			 "each, about twelve times the frame size is taken of "
			 "the host's memory.",
		.options = "--gpu-batch of mkarchive",
		.min = 1,
		.max = 256,
		.example = 8,
		.programs = ARC_CONFIG_MKARCHIVE,
		.environment = true,
	},
	[ARC_CONFIG_DECOMPRESSOR_BATCH_SIZE] = {
		.name = "DECOMPRESSOR_BATCH_SIZE",
		.unit = "frames",
		.automatic = "by device, up to 16",
		.about = "Frames that a device decompresses at once at most. "
			 "More take more memory.",
		.min = 1,
		.max = 256,
		.example = 8,
		.programs = ARC_CONFIG_ARCFS | ARC_CONFIG_ARCTOOL,
		.environment = true,
	},
	[ARC_CONFIG_GPU_TIMEOUT] = {
		.name = "GPU_TIMEOUT",
		.unit = "seconds",
		.automatic = "20, and 180 for its trial",
		.about = "After so long a device that has been given work and "
			 "does not answer is given up.",
		.min = 1,
		.max = 86400,
		.example = 60,
		.programs = ALL,
		.environment = true,
	},
};

/* ---- values -------------------------------------------------------------- */

int arc_size_parse(const char *text, uint64_t *ret)
{
	static const char suffixes[] = "KMGT";
	const char *suffix;
	uint64_t n = 0;

	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		if (!arc_mul_ok(n, (uint64_t)10, &n) ||
		    !arc_add_ok(n, (uint64_t)(*text - '0'), &n))
			return -EOVERFLOW;
	}
	if (!*text) {
		*ret = n;
		return 0;
	}
	suffix = strchr(suffixes, toupper((unsigned char)*text));
	if (!suffix || text[1])
		return -EINVAL;
	for (int i = 0; i <= suffix - suffixes; i++) {
		if (!arc_mul_ok(n, (uint64_t)1024, &n))
			return -EOVERFLOW;
	}
	*ret = n;
	return 0;
}

static int parse_switch(const char *text, uint64_t *ret)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {
		{ "yes", true },  { "no", false }, { "true", true },
		{ "on", true },	  { "1", true },   { "false", false },
		{ "off", false }, { "0", false },
	};

	for (size_t i = 0; i < ARC_COUNT(words); i++) {
		if (strcasecmp(text, words[i].text) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

int arc_config_offer_line(struct arc_config *c, enum arc_config_id id,
			  const char *text, enum arc_config_source source,
			  unsigned line)
{
	const struct arc_config_key *key = &arc_config_keys[id];
	uint64_t n;
	int err = key->kind == ARC_CONFIG_SWITCH ? parse_switch(text, &n)
						 : arc_size_parse(text, &n);

	if (err)
		return err;
	if (n < key->min || n > key->max)
		return -EINVAL;
	if (source >= c->value[id].source)
		c->value[id] = (struct arc_config_value){ n, source, line };
	return 0;
}

int arc_config_offer(struct arc_config *c, enum arc_config_id id,
		     const char *text, enum arc_config_source source)
{
	return arc_config_offer_line(c, id, text, source, 0);
}

int arc_config_find(const char *name, size_t n, enum arc_config_id *ret)
{
	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++) {
		const char *key = arc_config_keys[i].name;

		if (strlen(key) == n && strncmp(key, name, n) == 0) {
			*ret = (enum arc_config_id)i;
			return 0;
		}
	}
	return -ENOENT;
}

int arc_config_assign(struct arc_config *c, const char *text)
{
	size_t n = strcspn(text, "=");
	enum arc_config_id id;

	if (!text[n] || arc_config_find(text, n, &id))
		return -EINVAL;
	return arc_config_offer(c, id, text + n + 1, ARC_CONFIG_COMMAND);
}

void arc_config_init(struct arc_config *c)
{
	*c = (struct arc_config){ 0 };
	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++)
		c->value[i].number = arc_config_keys[i].fallback;
}

void arc_config_fini(struct arc_config *c)
{
	free(c->path);
	c->path = NULL;
}

/* ---- showing ------------------------------------------------------------- */

/* "16M" rather than "16777216". */
static void show_number(enum arc_config_kind kind, uint64_t n, char *out,
			size_t cap)
{
	static const char suffixes[] = "\0KMGT";
	unsigned i = 0;

	if (kind == ARC_CONFIG_SWITCH) {
		snprintf(out, cap, "%s", n ? "yes" : "no");
		return;
	}
	while (kind == ARC_CONFIG_SIZE && n > 0 && n % 1024 == 0 && i < 4) {
		n /= 1024;
		i++;
	}
	snprintf(out, cap, "%" PRIu64 "%.1s", n, suffixes + i);
}

void arc_config_allowed(enum arc_config_id id, char *out, size_t cap)
{
	const struct arc_config_key *key = &arc_config_keys[id];
	char min[24], max[24];

	if (key->kind == ARC_CONFIG_SWITCH) {
		snprintf(out, cap, "yes or no");
		return;
	}
	show_number(key->kind, key->min, min, sizeof(min));
	show_number(key->kind, key->max, max, sizeof(max));
	snprintf(out, cap, "a %s from %s to %s",
		 key->kind == ARC_CONFIG_SIZE ? "size" : "number", min, max);
}

void arc_config_example(enum arc_config_id id, char *out, size_t cap)
{
	const struct arc_config_key *key = &arc_config_keys[id];

	show_number(key->kind, key->automatic ? key->example : key->fallback,
		    out, cap);
}

void arc_config_fallback(enum arc_config_id id, char *out, size_t cap)
{
	const struct arc_config_key *key = &arc_config_keys[id];

	if (key->automatic)
		snprintf(out, cap, "%s", key->automatic);
	else
		show_number(key->kind, key->fallback, out, cap);
}

static void print_source(const struct arc_config *c,
			 const struct arc_config_value *v, FILE *out)
{
	char path[4096];

	switch (v->source) {
	case ARC_CONFIG_FILE:
		arc_escape(c->path, strlen(c->path), path, sizeof(path));
		fprintf(out, "# %s:%u\n", path, v->line);
		break;
	case ARC_CONFIG_ENVIRONMENT:
		fputs("# environment\n", out);
		break;
	case ARC_CONFIG_COMMAND:
		fputs("# command line\n", out);
		break;
	case ARC_CONFIG_DEFAULT:
	default:
		fputs("# default\n", out);
	}
}

void arc_config_print(const struct arc_config *c,
		      enum arc_config_program program, FILE *out)
{
	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++) {
		const struct arc_config_key *key = &arc_config_keys[i];
		const struct arc_config_value *v = &c->value[i];
		bool set = v->source != ARC_CONFIG_DEFAULT || !key->automatic;
		char text[ARC_CONFIG_TEXT];
		int n;

		if (!(key->programs & program))
			continue;
		if (set)
			show_number(key->kind, v->number, text, sizeof(text));
		n = set ? fprintf(out, "%s = %s", key->name, text)
			: fprintf(out, "# %s = (%s)", key->name,
				  key->automatic);
		fprintf(out, "%*s", ARC_MAX(1, COLUMN - n), "");
		print_source(c, v, out);
	}
}
