/* SPDX-License-Identifier: MIT */
#include "longpath.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>

int mk_longpath_open(int root, char *path, int flags)
{
	arc_cleanup(arc_closep) int at = -1;
	size_t n = strlen(path);
	int fd;

	while (n >= PATH_MAX) {
		char *cut = memrchr(path, '/', PATH_MAX - 1);

		if (!cut)
			return -ENAMETOOLONG;
		*cut = 0;
		fd = openat(at >= 0 ? at : root, path,
			    O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return -errno;
		if (at >= 0)
			close(at);
		at = fd;
		n -= (size_t)(cut + 1 - path);
		path = cut + 1;
	}
	fd = openat(at >= 0 ? at : root, n > 0 ? path : ".", flags);
	return fd >= 0 ? fd : -errno;
}
