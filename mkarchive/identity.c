/* SPDX-License-Identifier: MIT */
/*
 * The build is told by the id that the linker derives from all that it put into
 * the program (the kernels of devices are in there too): two builds of one
 * version may encode differently, and a stripped copy encodes the same.
 */
#include "identity.h"

#include <link.h>
#include <stdio.h>
#include <string.h>

#include "block.h"
#include "mk_text.h"

#define NOTE_ALIGN(n) (((size_t)(n) + 3) & ~(size_t)3)

/* The build id in a segment of notes, if it is there. */
static struct arc_span find_in_notes(struct arc_span notes)
{
	struct arc_cursor c = arc_cursor_of(notes);
	ElfW(Nhdr) head;

	while (arc_cursor_take(&c, &head, sizeof(head))) {
		const uint8_t *name =
			arc_cursor_view(&c, NOTE_ALIGN(head.n_namesz));
		const uint8_t *value =
			arc_cursor_view(&c, NOTE_ALIGN(head.n_descsz));

		if (name && value && head.n_type == NT_GNU_BUILD_ID &&
		    head.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    memcmp(name, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU)) == 0)
			return (struct arc_span){ value, head.n_descsz };
	}
	return (struct arc_span){ NULL, 0 };
}

/* The program itself is the first object there is. */
static int find_build(struct dl_phdr_info *info, size_t size, void *ctx)
{
	struct arc_span *ret = ctx;

	(void)size;
	for (unsigned i = 0; !ret->n && i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *h = &info->dlpi_phdr[i];
		uintptr_t at = (uintptr_t)info->dlpi_addr + h->p_vaddr;

		if (h->p_type == PT_NOTE)
			*ret = find_in_notes((struct arc_span){
				(const uint8_t *)at, h->p_memsz });
	}
	return 1;
}

static void put_build(FILE *f)
{
	struct arc_span id = { NULL, 0 };

	dl_iterate_phdr(find_build, &id);
	fputs("build = ", f);
	for (size_t i = 0; i < id.n; i++)
		fprintf(f, "%02x", id.p[i]);
	fputs(id.n ? "\n" : MK_BUILD_UNKNOWN "\n", f);
}

static void put_libraries(FILE *f, const struct arc_encoder *encoder)
{
	fprintf(f, "zlib = %s\n", arc_block_library());
	if (encoder && encoder->library)
		fprintf(f, "codec_library = %s\n", encoder->library());
}

/* "key=value" lines, with blanks around the sign. */
static void put_options(FILE *f, const char *text)
{
	bool in_key = true;

	for (; *text; text++) {
		if (in_key && *text == '=') {
			fputs(" = ", f);
			in_key = false;
			continue;
		}
		fputc(*text, f);
		in_key = in_key || *text == '\n';
	}
}

int mk_identity_text(const struct mk_options *opt, char **ret)
{
	arc_cleanup(arc_freep) char *options = NULL;
	arc_cleanup(arc_freep) char *text = NULL;
	size_t n;
	FILE *f;
	int r = mk_options_text(opt, &options);

	if (r < 0)
		return r;
	f = open_memstream(&text, &n);
	if (!f)
		return -ENOMEM;
	put_options(f, options);
	put_build(f);
	put_libraries(f, mk_options_encoder(opt));
	if (fclose(f) != 0)
		return -ENOMEM;
	*ret = arc_steal(text);
	return 0;
}
