/* SPDX-License-Identifier: MIT */
#include "gpu.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define TIMEOUT_MAX 86400 /* seconds */
#define SEPARATORS ",:" /* a comma ends an option of a mount */

/* An unsigned number and nothing else; UINT_MAX and more are not told apart. */
static bool read_number(const char *text, unsigned *ret)
{
	unsigned n = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		n = ARC_MIN(n, 100000000u) * 10 + (unsigned)(*text - '0');
	}
	*ret = n;
	return true;
}

int arc_gpu_set_batch(unsigned *ret, const char *text)
{
	unsigned n;

	if (!read_number(text, &n) || n < 1 || n > ARC_GPU_BATCH_MAX)
		return -EINVAL;
	*ret = n;
	return 0;
}

/* ---- the environment ----------------------------------------------------- */

static int set_flag(bool *ret, const char *text)
{
	static const struct {
		const char *text;
		bool value;
	} words[] = {
		{ "yes", true }, { "no", false },    { "true", true },
		{ "1", true },	 { "false", false }, { "0", false },
	};

	for (size_t i = 0; i < ARC_COUNT(words); i++) {
		if (strcasecmp(text, words[i].text) == 0) {
			*ret = words[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

/* A variable that is empty says nothing. */
static const char *say_of(const char *name)
{
	const char *text = getenv(name);

	return text && *text ? text : NULL;
}

static int read_flag(const char *name, bool *ret, const char **ret_bad)
{
	const char *text = say_of(name);

	*ret_bad = name;
	return text ? set_flag(ret, text) : 0;
}

static int read_batch(const char *name, unsigned *ret, const char **ret_bad)
{
	const char *text = say_of(name);

	*ret_bad = name;
	return text ? arc_gpu_set_batch(ret, text) : 0;
}

static int read_timeout(const char *name, unsigned *ret, const char **ret_bad)
{
	const char *text = say_of(name);
	unsigned seconds;

	*ret_bad = name;
	if (!text)
		return 0;
	if (!read_number(text, &seconds) || seconds < 1 ||
	    seconds > TIMEOUT_MAX)
		return -EINVAL;
	*ret = seconds * 1000;
	return 0;
}

int arc_gpu_defaults(struct arc_gpu_options *ret, const char **ret_bad)
{
	struct arc_gpu_options opt = { .mode = ARC_GPU_AUTO, .check_every = 1 };
	bool only_cpu = false, fallback = true;
	int err = read_flag("FORCE_CPU_MODE", &only_cpu, ret_bad);

	if (!err)
		err = read_flag("GPU_FALLBACK_ENABLED", &fallback, ret_bad);
	if (!err)
		err = read_batch("COMPRESSOR_BATCH_SIZE", &opt.encode_batch,
				 ret_bad);
	if (!err)
		err = read_batch("DECOMPRESSOR_BATCH_SIZE", &opt.decode_batch,
				 ret_bad);
	if (!err)
		err = read_timeout("GPU_TIMEOUT", &opt.timeout_ms, ret_bad);
	if (err)
		return err;
	opt.mode = only_cpu ? ARC_GPU_OFF : ARC_GPU_AUTO;
	opt.no_fallback = !fallback;
	*ret = opt;
	return 0;
}

/* ---- the list ------------------------------------------------------------ */

/* Copies the next item of a list; false: none is left. */
static bool next_item(const char **list, char *item, size_t cap)
{
	size_t n = strcspn(*list, SEPARATORS);

	if (!**list)
		return false;
	snprintf(item, cap, "%.*s", (int)n, *list);
	*list += n;
	*list += **list != '\0';
	return true;
}

static bool is_meant(const char *item, unsigned i,
		     const struct arc_ocl_info *info)
{
	unsigned number;

	if (read_number(item, &number))
		return number == i;
	return strcasestr(info->name, item) != NULL;
}

bool arc_gpu_is_listed(const struct arc_gpu_options *opt, unsigned i,
		       const struct arc_ocl_info *info)
{
	const char *list = opt->list;
	char item[sizeof(opt->list)];

	if (!*list)
		return true;
	while (next_item(&list, item, sizeof(item))) {
		if (is_meant(item, i, info))
			return true;
	}
	return false;
}

bool arc_gpu_unknown(const struct arc_gpu_options *opt,
		     const struct arc_ocl_list *list, char *out, size_t cap)
{
	const char *rest = opt->list;
	char item[sizeof(opt->list)];

	while (next_item(&rest, item, sizeof(item))) {
		bool found = false;

		for (unsigned i = 0; i < arc_ocl_count(list); i++)
			found = found || is_meant(item, i, arc_ocl_at(list, i));
		if (!found) {
			snprintf(out, cap, "%s", item);
			return true;
		}
	}
	return false;
}

static bool has_empty_item(const char *text)
{
	for (;;) {
		size_t n = strcspn(text, SEPARATORS);

		if (n == 0)
			return true;
		if (!text[n])
			return false;
		text += n + 1;
	}
}

int arc_gpu_set_mode(struct arc_gpu_options *opt, const char *text)
{
	static const char *const modes[] = {
		[ARC_GPU_AUTO] = "auto",
		[ARC_GPU_OFF] = "off",
		[ARC_GPU_FORCE] = "force",
	};
	size_t n = strlen(text);

	opt->list[0] = '\0';
	for (size_t i = 0; i < ARC_COUNT(modes); i++) {
		if (strcmp(text, modes[i]) == 0) {
			opt->mode = (enum arc_gpu_mode)i;
			return 0;
		}
	}
	if (has_empty_item(text))
		return -EINVAL;
	if (n >= sizeof(opt->list))
		return -E2BIG;
	opt->mode = ARC_GPU_FORCE;
	memcpy(opt->list, text, n + 1);
	return 0;
}
