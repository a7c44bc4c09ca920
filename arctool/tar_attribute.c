/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "bytes.h"
#include "format.h"
#include "tar_write.h"

#define ACL_VERSION 2

static const char *acl_word(uint16_t tag, bool *ret_id)
{
	*ret_id = tag == 2 || tag == 8;
	switch (tag) {
	case 1:
	case 2:
		return "user";
	case 4:
	case 8:
		return "group";
	case 16:
		return "mask";
	case 32:
		return "other";
	default:
		return NULL;
	}
}

/* The kernel's form of an ACL as the text that tar has. -EINVAL: not one. */
static int acl_text(const uint8_t *value, size_t n, char **ret)
{
	arc_cleanup(arc_freep) char *text = NULL;
	struct arc_cursor c = arc_cursor_of((struct arc_span){ value, n });
	bool bad = arc_cursor_u32(&c) != ACL_VERSION;
	const char *comma = "";
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return -ENOMEM;
	while (!bad && c.left > 0) {
		bool has_id;
		const char *word = acl_word(arc_cursor_u16(&c), &has_id);
		unsigned perm = arc_cursor_u16(&c);
		unsigned id = arc_cursor_u32(&c);

		bad = c.bad || !word || perm > 7;
		if (bad)
			break;
		fprintf(f, "%s%s:", comma, word);
		if (has_id)
			fprintf(f, "%u", id);
		fprintf(f, ":%c%c%c", perm & 4 ? 'r' : '-',
			perm & 2 ? 'w' : '-', perm & 1 ? 'x' : '-');
		comma = ",";
	}
	if (fclose(f) != 0)
		return -ENOMEM;
	if (bad || !*text)
		return -EINVAL;
	*ret = arc_steal(text);
	return 0;
}

/* '=' ends a key and '%' marks what stands for it, as GNU tar has it. */
static void attribute_key(const char *name, char *ret)
{
	ret = stpcpy(ret, "SCHILY.xattr.");
	for (; *name; name++) {
		if (*name == '=')
			ret = stpcpy(ret, "%3D");
		else if (*name == '%')
			ret = stpcpy(ret, "%25");
		else
			*ret++ = *name;
	}
	*ret = '\0';
}

int tool_tar_attribute(struct tool_tar *t, const char *name,
		       const uint8_t *value, size_t n)
{
	arc_cleanup(arc_freep) char *text = NULL;
	char key[16 + 3 * ARC_XATTR_NAME_MAX];
	const char *acl = NULL;
	int r = -EINVAL;

	if (strcmp(name, "system.posix_acl_access") == 0)
		acl = "SCHILY.acl.access";
	else if (strcmp(name, "system.posix_acl_default") == 0)
		acl = "SCHILY.acl.default";
	if (acl)
		r = acl_text(value, n, &text);
	if (r >= 0)
		return tool_tar_record(t, acl, text, strlen(text));
	if (r != -EINVAL)
		return r;
	attribute_key(name, key);
	return tool_tar_record(t, key, value, n);
}
