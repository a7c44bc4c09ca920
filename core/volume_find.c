/* SPDX-License-Identifier: MIT */
/*
 * volume_find - finds the end of a set: the volume that holds the footer.
 *
 * The search goes from the highest number down, for a set is only complete
 * with its last volume. Volumes of another archive under our names (left over
 * from a longer set) are passed over: the volume the user named says which
 * archive is meant.
 */
#include <stdio.h>

#include "volume_i.h"

char *volume_name(const struct arc_volume_source *source, uint32_t number,
		  char *out, size_t cap)
{
	const char *base = source->name ? source->name : "volume";

	if (arc_volume_name(base, number, out, cap) < 0)
		snprintf(out, cap, "volume %u", number);
	return out;
}

/* What is being looked for. */
struct search {
	struct arc_volume_source *source;
	struct arc_diag *diag;
	const uint8_t *id; /* NULL: any archive */
	struct arc_disk_footer footer;
	int trouble; /* the first error met in reading a volume's end */
};

static bool is_unfinished(const struct search *s)
{
	const struct arc_volume_source_ops *ops = s->source->ops;

	return ops->unfinished && ops->unfinished(s->source->ctx);
}

/* The volume the user named is not there: 0 when there is something else to go
 * by. */
static int explain_missing(struct search *s, const char *name)
{
	uint32_t highest;
	int err = s->source->ops->highest(s->source->ctx, UINT32_MAX, &highest);

	if (err < 0) {
		arc_say(s->diag, ARC_ERROR, "%s: %s", name,
			arc_error_text(err));
		return err;
	}
	if (highest > 0) {
		arc_say(s->diag, ARC_WARN,
			"%s: missing; going by the other volumes", name);
		return 0;
	}
	if (is_unfinished(s))
		return 0;
	arc_say(s->diag, ARC_ERROR, "%s: no such volume", name);
	return -ENOMEDIUM;
}

/*
 * The archive id in the header of the volume the user named. 1: id is set; 0:
 * it cannot be told (said as a warning); negative: it is no use going on.
 */
static int identify_named(struct search *s, uint32_t named, uint8_t id[16])
{
	arc_cleanup(arc_store_closep) struct arc_store *store = NULL;
	struct arc_disk_volume header;
	char name[512];
	int err;

	err = s->source->ops->open(s->source->ctx, named, &store);
	if (err == 0)
		err = arc_store_read(store, &header, sizeof(header), 0);
	if (err == 0)
		err = arc_format_check_volume(&header, 0);
	volume_name(s->source, named, name, sizeof(name));
	if (err == 0) {
		memcpy(id, header.id, sizeof(header.id));
		return 1;
	}
	if (err == -EBADMSG) {
		arc_say(s->diag, ARC_WARN,
			"%s: the volume's header is damaged; going by the "
			"other volumes",
			name);
		return 0;
	}
	if (err == -ENOMEDIUM)
		return explain_missing(s, name);
	arc_say(s->diag, ARC_ERROR, "%s: %s", name, arc_error_text(err));
	return err;
}

/* The last bytes of a volume, checked to be this set's footer. -ESTALE: a
 * footer, but not this set's or not of this place. */
static int read_footer(struct search *s, uint32_t number)
{
	arc_cleanup(arc_store_closep) struct arc_store *store = NULL;
	struct arc_disk_footer f;
	uint64_t size;
	int err;

	err = s->source->ops->open(s->source->ctx, number, &store);
	if (err < 0)
		return err;
	err = arc_store_size(store, &size);
	if (err < 0)
		return err;
	if (size < sizeof(struct arc_disk_volume) + sizeof(f))
		return -EBADMSG;
	err = arc_store_read(store, &f, sizeof(f), size - sizeof(f));
	if (err < 0)
		return err;
	err = arc_format_check_footer(&f);
	if (err < 0 && err != -EOPNOTSUPP)
		return err;
	if (s->id && memcmp(f.id, s->id, sizeof(f.id)) != 0)
		return -ESTALE;
	if (err < 0)
		return err;
	if (arc_get32(f.volumes) != number)
		return -ESTALE;
	s->footer = f;
	return 0;
}

/* Says why no footer was found; returns the error. */
static int explain_nothing(struct search *s, uint32_t highest)
{
	const char *base = s->source->name ? s->source->name : "archive";
	char name[512];

	if (is_unfinished(s)) {
		arc_say(s->diag, ARC_ERROR,
			"%s: the archive is not finished (there is a .part "
			"file)",
			base);
		return -ENOMEDIUM;
	}
	if (s->trouble < 0) {
		arc_say(s->diag, ARC_ERROR, "%s: %s",
			volume_name(s->source, highest, name, sizeof(name)),
			arc_error_text(s->trouble));
		return s->trouble;
	}
	arc_say(s->diag, ARC_ERROR,
		"%s: no index found: the archive was not finished, or its "
		"last volume is missing or damaged at its end",
		base);
	return -ENOMEDIUM;
}

static int find_footer(struct search *s)
{
	uint32_t number = UINT32_MAX, highest = 0;
	char name[512];

	for (;;) {
		int err = s->source->ops->highest(s->source->ctx, number,
						  &number);

		if (err < 0) {
			arc_say(s->diag, ARC_ERROR, "%s: %s",
				s->source->name ? s->source->name : "archive",
				arc_error_text(err));
			return err;
		}
		if (number == 0)
			return explain_nothing(s, highest);
		if (highest == 0)
			highest = number;
		err = read_footer(s, number);
		if (err == 0)
			return 0;
		if (err == -EOPNOTSUPP) {
			arc_say(s->diag, ARC_ERROR, "%s: %s",
				volume_name(s->source, number, name,
					    sizeof(name)),
				arc_error_text(err));
			return err;
		}
		if (err != -EBADMSG && err != -ESTALE && s->trouble == 0)
			s->trouble = err;
	}
}

int volume_find_footer(struct arc_volume_source *source, uint32_t named,
		       struct arc_diag *diag, struct arc_disk_footer *ret)
{
	struct search s = { .source = source, .diag = diag };
	uint8_t id[16];
	int err;

	if (named > 0) {
		err = identify_named(&s, named, id);
		if (err < 0)
			return err;
		s.id = err > 0 ? id : NULL;
	}
	err = find_footer(&s);
	if (err < 0)
		return err;
	*ret = s.footer;
	return 0;
}
