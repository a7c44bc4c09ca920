/* SPDX-License-Identifier: MIT */
/*
 * tar has extended attributes under two prefixes, and writers that want to be
 * sure use both; ACLs are text there, with names where the writer knew them.
 */
#include <archive.h>
#include <archive_entry.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "format.h"
#include "unpack_i.h"

#define RESERVED "user.arcfs."
#define ACL_VERSION 2
#define NO_ID UINT32_MAX

static void trouble(struct mk_unpack *u, const char *attribute,
		    const char *what)
{
	char text[64 + ARC_XATTR_NAME_MAX + 64];

	snprintf(text, sizeof(text), "attribute %.*s %s", ARC_XATTR_NAME_MAX,
		 attribute, what);
	u->params.trouble(u->params.ctx, u->path, text);
}

/* GNU tar writes '=' and '%' in names as %3D and %25. */
static int add_name(struct mk_unpack *u, const char *name)
{
	int r = 0;

	for (; r >= 0 && *name; name++) {
		char c = *name;

		if (strncmp(name, "%3D", 3) == 0 ||
		    strncmp(name, "%25", 3) == 0) {
			c = name[1] == '3' ? '=' : '%';
			name += 2;
		}
		r = arc_buf_append(&u->names, &c, 1);
	}
	return r < 0 ? r : arc_buf_append(&u->names, "", 1);
}

/* The name that was added at `at` of u->names, which may move still: it
 * becomes a pointer at the end. */
static int add(struct mk_unpack *u, size_t at, const void *value, size_t n)
{
	if (u->xattrs == u->xattr_cap) {
		size_t cap = u->xattr_cap ? u->xattr_cap * 2 : 16;
		struct mk_xattr_in *more =
			reallocarray(u->xattr, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		u->xattr = more;
		u->xattr_cap = cap;
	}
	u->xattr[u->xattrs++] = (struct mk_xattr_in){
		.name = (const char *)(uintptr_t)at, .value = value, .n = n
	};
	return 0;
}

/* ---- ACLs ---------------------------------------------------------------- */

struct acl_entry {
	struct arc_le16 tag;
	struct arc_le16 perm;
	struct arc_le32 id;
};

/* The kernel's tags, which also are the order they stand in. 0: none. */
static uint16_t kernel_tag(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return 1;
	case ARCHIVE_ENTRY_ACL_USER:
		return 2;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return 4;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return 8;
	case ARCHIVE_ENTRY_ACL_MASK:
		return 16;
	case ARCHIVE_ENTRY_ACL_OTHER:
		return 32;
	default:
		return 0;
	}
}

/* False: this system does not know the name. */
static bool find_id(uint16_t tag, int id, const char *name, uint32_t *ret)
{
	const struct passwd *user;
	const struct group *group;

	*ret = NO_ID;
	if (tag != 2 && tag != 8)
		return true;
	*ret = (uint32_t)id;
	if (id >= 0 || !name || !*name)
		return id >= 0;
	user = tag == 2 ? getpwnam(name) : NULL;
	group = tag == 8 ? getgrnam(name) : NULL;
	if (user)
		*ret = user->pw_uid;
	else if (group)
		*ret = group->gr_gid;
	return user || group;
}

/* Behind those of its tag and of the ones before. */
static int insert(struct arc_buf *acl, const struct acl_entry *e)
{
	size_t at = acl->n;
	int r = arc_buf_append(acl, e, sizeof(*e));

	while (r >= 0 && at > sizeof(struct arc_le32)) {
		struct acl_entry before;

		memcpy(&before, acl->p + at - sizeof(before), sizeof(before));
		if (arc_get16(before.tag) <= arc_get16(e->tag))
			break;
		memcpy(acl->p + at, &before, sizeof(before));
		at -= sizeof(before);
		memcpy(acl->p + at, e, sizeof(*e));
	}
	return r;
}

static int add_acl(struct mk_unpack *u, int type, const char *name,
		   struct arc_buf *acl, uint32_t *mode)
{
	const struct arc_le32 version = arc_put32(ACL_VERSION);
	int r, t, perm, tag, id;
	size_t at = u->names.n;
	const char *who;

	acl->n = 0;
	if (archive_entry_acl_reset(u->entry, type) <= 0)
		return 0;
	r = arc_buf_append(acl, &version, sizeof(version));
	while (r >= 0 && archive_entry_acl_next(u->entry, type, &t, &perm, &tag,
						&id, &who) == ARCHIVE_OK) {
		struct acl_entry e = { .tag = arc_put16(kernel_tag(tag)),
				       .perm = arc_put16(
					       (uint16_t)(perm & 7)) };
		uint32_t number;

		if (!kernel_tag(tag) ||
		    !find_id(kernel_tag(tag), id, who, &number)) {
			trouble(u, name,
				"left out: it names somebody whom nobody here "
				"knows");
			return 0;
		}
		e.id = arc_put32(number);
		r = insert(acl, &e);
		/* The mask stands where the group's bits were. */
		if (kernel_tag(tag) == 16 &&
		    type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
			*mode = (*mode & ~(uint32_t)070) | (uint32_t)(perm & 7)
								   << 3;
	}
	if (r >= 0)
		r = add_name(u, name);
	return r < 0 ? r : add(u, at, acl->p, acl->n);
}

/* ---- attributes ---------------------------------------------------------- */

/* NULL: it can be kept. */
static const char *what_is_wrong(const char *name, size_t n)
{
	if (strncmp(name, RESERVED, strlen(RESERVED)) == 0)
		return "is reserved and left out";
	if (!*name || strlen(name) > ARC_XATTR_NAME_MAX)
		return "left out: its name is too long";
	if (n > ARC_XATTR_VALUE_MAX)
		return "left out: its value is too long";
	return NULL;
}

static int add_attributes(struct mk_unpack *u)
{
	const char *name, *wrong;
	const void *value;
	int r = 0;
	size_t n;

	archive_entry_xattr_reset(u->entry);
	while (r >= 0 && archive_entry_xattr_next(u->entry, &name, &value,
						  &n) == ARCHIVE_OK) {
		size_t at = u->names.n;

		r = add_name(u, name ? name : "");
		if (r < 0)
			return r;
		wrong = what_is_wrong((const char *)u->names.p + at, n);
		if (wrong)
			trouble(u, (const char *)u->names.p + at, wrong);
		else
			r = add(u, at, value, n);
	}
	return r;
}

/* Those of one name in the order they came in, which is that of the names. */
static int by_name(const void *a, const void *b)
{
	const struct mk_xattr_in *one = a;
	const struct mk_xattr_in *other = b;
	int r = strcmp(one->name, other->name);

	return r ? r : (one->name > other->name) - (one->name < other->name);
}

/* Sorts them; of those of one name the last stays. */
static void settle(struct mk_unpack *u)
{
	struct mk_xattr_in *x = u->xattr;
	size_t kept = 0;

	for (size_t i = 0; i < u->xattrs; i++)
		x[i].name = (const char *)u->names.p + (uintptr_t)x[i].name;
	if (u->xattrs > 1)
		qsort(x, u->xattrs, sizeof(*x), by_name);
	for (size_t i = 0; i < u->xattrs; i++) {
		if (kept > 0 && strcmp(x[kept - 1].name, x[i].name) == 0)
			kept--;
		x[kept++] = x[i];
	}
	u->xattrs = kept;
}

int mk_unpack_xattrs(struct mk_unpack *u, uint32_t *mode)
{
	int r;

	u->xattrs = 0;
	u->names.n = 0;
	r = add_attributes(u);
	if (r >= 0)
		r = add_acl(u, ARCHIVE_ENTRY_ACL_TYPE_ACCESS,
			    "system.posix_acl_access", &u->acl[0], mode);
	if (r >= 0)
		r = add_acl(u, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT,
			    "system.posix_acl_default", &u->acl[1], mode);
	if (r < 0)
		return r;
	settle(u);
	return 0;
}
