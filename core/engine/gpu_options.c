/* SPDX-License-Identifier: MIT */
#include "gpu.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

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

void arc_gpu_defaults(struct arc_gpu_options *ret)
{
	*ret = (struct arc_gpu_options){ .mode = ARC_GPU_AUTO,
					 .check_every = 1 };
}

void arc_gpu_configure(struct arc_gpu_options *opt, const struct arc_config *c)
{
	if (arc_config_number(c, ARC_CONFIG_FORCE_CPU_MODE))
		opt->mode = ARC_GPU_OFF;
	opt->no_fallback =
		!arc_config_number(c, ARC_CONFIG_GPU_FALLBACK_ENABLED);
	opt->encode_batch = (unsigned)arc_config_number(
		c, ARC_CONFIG_COMPRESSOR_BATCH_SIZE);
	opt->decode_batch = (unsigned)arc_config_number(
		c, ARC_CONFIG_DECOMPRESSOR_BATCH_SIZE);
	opt->timeout_ms =
		(unsigned)arc_config_number(c, ARC_CONFIG_GPU_TIMEOUT) * 1000;
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

int arc_gpu_ask(struct arc_gpu_options *opt, struct arc_config *c,
		const char *text)
{
	int err = arc_gpu_set_mode(opt, text);

	if (err)
		return err;
	return arc_config_offer(c, ARC_CONFIG_FORCE_CPU_MODE,
				opt->mode == ARC_GPU_OFF ? "yes" : "no",
				ARC_CONFIG_COMMAND);
}
