/* SPDX-License-Identifier: MIT */
/*
 * volume_path - volumes that are files of one folder. The folder is opened
 * once and every volume is opened relative to it, so that neither a changed
 * working directory nor a renamed parent matters.
 *
 * Only canonical names count (see arc_volume_split()), so the sets "a" and
 * "a.b" in one folder never mix. The folder is listed once, when the highest
 * number is asked for: a set without a footer would otherwise be listed again
 * for each of its volumes.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "volume.h"

struct folder {
	int fd;
	char *base; /* name of the set within the folder */
	bool listed;
	bool unfinished; /* a .part file was seen */
	struct arc_buf numbers; /* uint32_t each, ascending */
};

static void close_folder(void *ctx)
{
	struct folder *f = ctx;

	if (!f)
		return;
	arc_closep(&f->fd);
	free(f->base);
	arc_buf_fini(&f->numbers);
	free(f);
}

static void close_folderp(struct folder **f)
{
	close_folder(*f);
}

/*
 * O_NONBLOCK: something that is no file under a volume's name must not make
 * anybody wait. But a file may have a lease, which another server of it holds
 * that writes (of NFS or SMB, say): the kernel has it given back, and that is
 * waited for.
 */
static int open_name(const struct folder *f, const char *name)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY;
	int fd = openat(f->fd, name, flags | O_NONBLOCK);

	if (fd < 0 && errno == EWOULDBLOCK)
		do
			fd = openat(f->fd, name, flags);
		while (fd < 0 && errno == EINTR);
	return fd;
}

static int open_volume(void *ctx, uint32_t number, struct arc_store **ret)
{
	struct folder *f = ctx;
	arc_cleanup(arc_closep) int fd = -1;
	char name[NAME_MAX + 1];
	struct stat st;

	if (arc_volume_name(f->base, number, name, sizeof(name)) < 0)
		return -ENOMEDIUM;
	fd = open_name(f, name);
	if (fd < 0)
		return errno == ENOENT ? -ENOMEDIUM : -errno;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return -ESTALE;
	return arc_store_from_fd(arc_steal_fd(&fd), ret);
}

/* Takes one name of the folder into account. */
static int note_name(struct folder *f, const char *name)
{
	static const char suffix[] = ".part";
	char stem[NAME_MAX + 1];
	size_t n = strlen(name), base;
	uint32_t number;
	bool part = false;

	if (n >= sizeof(stem))
		return 0;
	memcpy(stem, name, n + 1);
	if (n >= sizeof(suffix) &&
	    !strcmp(stem + n - (sizeof(suffix) - 1), suffix)) {
		part = true;
		stem[n - (sizeof(suffix) - 1)] = '\0';
	}
	if (arc_volume_split(stem, &base, &number) < 0 ||
	    base != strlen(f->base) || memcmp(stem, f->base, base) != 0)
		return 0;
	if (part) {
		f->unfinished = true;
		return 0;
	}
	return arc_buf_append(&f->numbers, &number, sizeof(number));
}

static int compare_numbers(const void *pa, const void *pb)
{
	const uint32_t *a = pa, *b = pb;

	return (*a > *b) - (*a < *b);
}

static int list_folder(struct folder *f)
{
	struct dirent *entry;
	int fd, err = 0;
	DIR *dir;

	fd = openat(f->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	while (err == 0) {
		errno = 0;
		entry = readdir(dir);
		if (!entry) {
			err = -errno;
			break;
		}
		err = note_name(f, entry->d_name);
	}
	closedir(dir);
	if (err < 0)
		return err;
	if (f->numbers.n > 0)
		qsort(f->numbers.p, f->numbers.n / sizeof(uint32_t),
		      sizeof(uint32_t), compare_numbers);
	f->listed = true;
	return 0;
}

static int highest_volume(void *ctx, uint32_t below, uint32_t *ret)
{
	struct folder *f = ctx;
	size_t lo = 0, hi;
	uint32_t number;

	if (!f->listed) {
		int err = list_folder(f);

		if (err < 0)
			return err;
	}
	/* lo: how many numbers are smaller than `below` */
	hi = f->numbers.n / sizeof(number);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		memcpy(&number, f->numbers.p + mid * sizeof(number),
		       sizeof(number));
		if (number < below)
			lo = mid + 1;
		else
			hi = mid;
	}
	number = 0;
	if (lo > 0)
		memcpy(&number, f->numbers.p + (lo - 1) * sizeof(number),
		       sizeof(number));
	*ret = number;
	return 0;
}

static bool folder_unfinished(void *ctx)
{
	const struct folder *f = ctx;

	return f->unfinished;
}

static const struct arc_volume_source_ops folder_ops = {
	.open = open_volume,
	.highest = highest_volume,
	.unfinished = folder_unfinished,
	.close = close_folder,
};

/* The folder part of a path: "." for a bare name, "/" for one in the root. */
static char *folder_of(const char *path, const char *file)
{
	if (file == path)
		return strdup(".");
	if (file == path + 1)
		return strdup("/");
	return strndup(path, (size_t)(file - path) - 1);
}

int arc_volume_source_path(const char *path, struct arc_diag *diag,
			   struct arc_volume_source *ret, uint32_t *ret_number)
{
	arc_cleanup(close_folderp) struct folder *f = NULL;
	arc_cleanup(arc_freep) char *name = NULL, *dir = NULL;
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	uint32_t number;
	size_t base;

	if (arc_volume_split(file, &base, &number) < 0 || base == 0) {
		arc_say(diag, ARC_ERROR,
			"%s: not the name of a volume; name the volume .001",
			path);
		return -EINVAL;
	}
	f = calloc(1, sizeof(*f));
	if (!f)
		return -ENOMEM;
	f->fd = -1;
	f->base = strndup(file, base);
	name = strndup(path, (size_t)(file - path) + base);
	dir = folder_of(path, file);
	if (!f->base || !name || !dir)
		return -ENOMEM;
	f->fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (f->fd < 0) {
		int err = -errno;

		arc_say(diag, ARC_ERROR, "%s: %s", dir, arc_error_text(err));
		return err;
	}
	*ret = (struct arc_volume_source){ .ops = &folder_ops,
					   .ctx = arc_steal(f),
					   .name = arc_steal(name) };
	*ret_number = number;
	return 0;
}
