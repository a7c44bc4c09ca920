/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

/* A control group: its directory, which begins with the root and where the
 * hierarchy is mounted. */
struct group {
	char dir[PATH_MAX];
	size_t top; /* length of that */
};

static FILE *open_below(const char *root, const char *path)
{
	char name[PATH_MAX];

	if (snprintf(name, sizeof(name), "%s%s", root, path) >=
	    (int)sizeof(name))
		return NULL;
	return fopen(name, "re");
}

/* ---- where the group is -------------------------------------------------- */

/* Whether a list of words with commas between them has one of them. */
static bool has_word(const char *list, const char *word)
{
	size_t n = strlen(word);

	for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
		if (strncmp(p, word, n) == 0 && (p[n] == ',' || !p[n]))
			return true;
	return false;
}

/* The path of the own group within its hierarchy. Lines are
 * "NUMBER:CONTROLLERS:PATH", version 2 is number 0. */
static bool own_path(const char *root, bool v2, char path[PATH_MAX])
{
	FILE *f = open_below(root, "/proc/self/cgroup");
	char line[PATH_MAX + 256];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char *controllers = strchr(line, ':');
		char *name = controllers ? strchr(controllers + 1, ':') : NULL;

		line[strcspn(line, "\n")] = '\0';
		if (!name)
			continue;
		*controllers++ = *name++ = '\0';
		found = v2 ? strcmp(line, "0") == 0 && !*controllers
			   : has_word(controllers, "memory");
		snprintf(path, PATH_MAX, "%s", name);
	}
	if (f)
		fclose(f);
	return found;
}

/* One line of mountinfo: which part of the hierarchy is mounted where. */
static bool is_mount_of(const char *line, bool v2, char part[PATH_MAX],
			char place[PATH_MAX])
{
	static_assert(PATH_MAX == 4096, "widths below");
	const char *rest = strstr(line, " - ");
	char type[64], options[256];

	if (!rest || sscanf(line, "%*s %*s %*s %4095s %4095s", part, place) < 2)
		return false;
	if (sscanf(rest, " - %63s %*s %255s", type, options) < 2)
		return false;
	if (v2)
		return strcmp(type, "cgroup2") == 0;
	return strcmp(type, "cgroup") == 0 && has_word(options, "memory");
}

static bool find_mount(const char *root, bool v2, char part[PATH_MAX],
		       char place[PATH_MAX])
{
	FILE *f = open_below(root, "/proc/self/mountinfo");
	char line[3 * PATH_MAX];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = is_mount_of(line, v2, part, place);
	if (f)
		fclose(f);
	return found;
}

/* A path that does not lie in the part that is mounted here cannot be seen:
 * then the mounted part itself is the best there is. */
static bool find_group(const char *root, bool v2, struct group *ret)
{
	char path[PATH_MAX], part[PATH_MAX], place[PATH_MAX];
	const char *below = "";
	size_t n;
	int end;

	if (!own_path(root, v2, path) || !find_mount(root, v2, part, place))
		return false;
	n = strcmp(part, "/") == 0 ? 0 : strlen(part);
	if (strncmp(path, part, n) == 0 && path[n] == '/' &&
	    !strstr(path, "/.."))
		below = path + n;
	end = snprintf(ret->dir, sizeof(ret->dir), "%s%s%s", root, place,
		       below);
	if (end < 0 || (size_t)end >= sizeof(ret->dir))
		return false;
	ret->top = strlen(root) + strlen(place);
	while (strlen(ret->dir) > ret->top &&
	       ret->dir[strlen(ret->dir) - 1] == '/')
		ret->dir[strlen(ret->dir) - 1] = '\0';
	return true;
}

/* ---- limits -------------------------------------------------------------- */

/* A number in a file; UINT64_MAX: none ("max"), or no such file. */
static uint64_t read_limit(const char *dir, const char *file)
{
	unsigned long long n = 0;
	char name[PATH_MAX + 64];
	bool some = false;
	FILE *f;

	snprintf(name, sizeof(name), "%s/%s", dir, file);
	f = fopen(name, "re");
	if (!f)
		return UINT64_MAX;
	some = fscanf(f, "%llu", &n) == 1;
	fclose(f);
	return some ? n : UINT64_MAX;
}

/* What the groups say, from the own one up. */
struct tally {
	uint64_t least; /* limit */
	bool tight; /* near some limit */
};

static void look_at_limit(const char *dir, const char *limit_file,
			  const char *use_file, struct tally *t)
{
	uint64_t limit = read_limit(dir, limit_file), use;

	if (limit == UINT64_MAX)
		return;
	t->least = ARC_MIN(t->least, limit);
	use = read_limit(dir, use_file);
	if (use != UINT64_MAX && use >= limit - limit / 8)
		t->tight = true;
}

/* Goes up to where the hierarchy is mounted; g->dir is cut on the way. */
static void look_at_groups(struct group *g, struct tally *t)
{
	for (;;) {
		char *last;

		look_at_limit(g->dir, "memory.max", "memory.current", t);
		look_at_limit(g->dir, "memory.high", "memory.current", t);
		look_at_limit(g->dir, "memory.limit_in_bytes",
			      "memory.usage_in_bytes", t);
		last = strrchr(g->dir, '/');
		if (!last || (size_t)(last - g->dir) < g->top)
			return;
		*last = '\0';
	}
}

static struct tally tally_of(const char *root)
{
	struct tally t = { .least = UINT64_MAX };

	for (int v2 = 0; v2 < 2; v2++) {
		struct group g;

		if (find_group(root, v2, &g))
			look_at_groups(&g, &t);
	}
	return t;
}

/* A line of meminfo ("MemTotal:"), in bytes; 0: there is none. */
static uint64_t machine_memory(const char *root, const char *what)
{
	FILE *f = open_below(root, "/proc/meminfo");
	unsigned long long kib = 0;
	char line[256], name[64];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %llu kB", name, &kib) == 2 &&
		    strcmp(name, what) == 0)
			break;
		kib = 0;
	}
	if (f)
		fclose(f);
	return kib > UINT64_MAX / 1024 ? 0 : kib * 1024;
}

uint64_t arc_memory_available(const char *root)
{
	uint64_t n = machine_memory(root, "MemTotal:");
	struct tally t = tally_of(root);

	if (n == 0)
		n = UINT64_MAX;
	n = ARC_MIN(n, t.least);
	return n == UINT64_MAX ? 0 : n;
}

bool arc_memory_is_short(const char *root)
{
	uint64_t total = machine_memory(root, "MemTotal:");

	return machine_memory(root, "MemAvailable:") <= total / 8 ||
	       tally_of(root).tight;
}

size_t arc_memory_cache_size(uint64_t available)
{
	uint64_t n = ARC_MIN(available / 8, 512 * ARC_MIB);

	n = ARC_MAX(n, 64 * ARC_MIB);
	if (available > 0)
		n = ARC_MIN(n, ARC_MAX(available / 2, ARC_MIB));
	return (size_t)n;
}

/* ---- pressure ------------------------------------------------------------ */

/* Who may not ask every second may ask every other second. */
static int watch_file(const char *name)
{
	static const char *const triggers[] = { "some 150000 1000000",
						"some 300000 2000000" };
	arc_cleanup(arc_closep) int fd =
		open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC);

	for (size_t i = 0; fd >= 0 && i < ARC_COUNT(triggers); i++)
		if (write(fd, triggers[i], strlen(triggers[i]) + 1) > 0)
			return arc_steal_fd(&fd);
	return -1;
}

int arc_memory_watch(const char *root, char *name, size_t cap)
{
	struct group g;
	int fd = -1;

	if (find_group(root, true, &g)) {
		snprintf(name, cap, "%s/memory.pressure", g.dir);
		fd = watch_file(name);
	}
	if (fd < 0) {
		snprintf(name, cap, "%s/proc/pressure/memory", root);
		fd = watch_file(name);
	}
	return fd < 0 ? -ENOENT : fd;
}

/* ---- the heap ------------------------------------------------------------ */

void arc_memory_return_large(void)
{
	mallopt(M_MMAP_THRESHOLD, 128 << 10);
	mallopt(M_TRIM_THRESHOLD, 1 << 20);
}

void arc_memory_give_back(void)
{
	malloc_trim(0);
}
