/* SPDX-License-Identifier: MIT */
/*
 * A file of unknown origin as the only volume of a set: found, identified,
 * opened, verified. Its volume header and footer are taken as they are, and
 * once more with their checksums made right.
 */
#include <string.h>

#include "archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void open_volume(const uint8_t *data, size_t n)
{
	struct arc_verify_options opt = { .threads = 1 };
	struct arc_volume_source source;
	struct arc_store *store = NULL;
	struct arc_archive *a = NULL;
	struct arc_inode inode;

	if (arc_store_memory(&store) < 0)
		return;
	if (arc_store_write(store, data, n, 0) == 0 &&
	    arc_volume_source_memory(&store, 1, &source) == 0 &&
	    arc_archive_open_source(&source, 1, NULL, NULL, &a) == 0) {
		arc_archive_resolve(a, "", &inode);
		arc_archive_verify(a, &opt);
	}
	arc_archive_close(a);
	arc_store_close(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arc_disk_volume head;
	struct arc_disk_footer foot;
	uint8_t *copy;

	open_volume(data, n);
	if (n < sizeof(head) + sizeof(foot))
		return 0;
	copy = malloc(n);
	if (!copy)
		abort();
	memcpy(copy, data, n);
	memcpy(&head, copy, sizeof(head));
	memcpy(&foot, copy + n - sizeof(foot), sizeof(foot));
	arc_format_seal_volume(&head);
	memcpy(foot.id, head.id, sizeof(foot.id));
	arc_format_seal_footer(&foot);
	memcpy(copy, &head, sizeof(head));
	memcpy(copy + n - sizeof(foot), &foot, sizeof(foot));
	open_volume(copy, n);
	free(copy);
	return 0;
}
