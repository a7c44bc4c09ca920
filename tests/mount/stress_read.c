/* SPDX-License-Identifier: MIT */
/*
 * stress_read [OPTION]... SOURCE MOUNT - processes that read the files of MOUNT
 * in every way, at random places, and compare each byte with SOURCE.
 *
 *	-s SEED		of the first process; the next has SEED + 1 (default 1)
 *	-t SECONDS	for how long (default 5)
 *	-n PROCESSES	how many at once (default 8)
 *	-b BYTES	borders: half of the reads start near a multiple of this
 *	-l SECONDS	a read that takes longer is stuck (default 60)
 *	-f NAME		all processes read this file and no other
 *
 * Exit status: 0, nothing differed; 1, something did, or failed; 3, a read was
 * stuck. What a process does follows from its seed; the time decides how much
 * of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READ_MAX ((size_t)1 << 20)
#define PROCESSES_MAX 256
#define SECOND UINT64_C(1000000000)

enum { DIFFERENT = 1, USAGE = 2, STUCK = 3 };

struct file {
	char *name;
	uint64_t size;
};

/* What a process is doing, for the parent to see; all of it atomic. */
struct slot {
	uint64_t since; /* ns; 0: it does not read from the mount */
	uint64_t file, off, n;
	uint64_t reads, bytes, longest;
};

struct options {
	uint64_t seed, seconds, processes, border, limit;
	const char *only, *source, *mount;
};

struct process {
	const struct options *opt;
	struct slot *slot;
	uint64_t seed, random;
	uint8_t *want, *got;
	const struct file *file;
	uint64_t off;
	size_t n;
	int source, mount; /* descriptors of the file */
};

static struct file *files; /* nftw() has no context */
static size_t file_count, root_length;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static void store(uint64_t *place, uint64_t value)
{
	__atomic_store_n(place, value, __ATOMIC_RELEASE);
}

static uint64_t load(const uint64_t *place)
{
	return __atomic_load_n(place, __ATOMIC_ACQUIRE);
}

/* splitmix64 */
static uint64_t below(struct process *p, uint64_t n)
{
	uint64_t z = p->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (z ^ z >> 31) % n;
}

__attribute__((noreturn, format(printf, 2, 3))) static void
fail(const struct process *p, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(stderr,
		"%s, %zu bytes at %" PRIu64 ": %s (seed %" PRIu64
		", read %" PRIu64 ")\n",
		p->file->name, p->n, p->off, text, p->seed,
		load(&p->slot->reads));
	_exit(DIFFERENT);
}

/* ---- one read --------------------------------------------------------- */

static void begin(struct process *p)
{
	store(&p->slot->file, (uint64_t)(p->file - files));
	store(&p->slot->off, p->off);
	store(&p->slot->n, p->n);
	store(&p->slot->since, now());
}

static void end(struct process *p)
{
	uint64_t taken = now() - load(&p->slot->since);

	store(&p->slot->since, 0);
	if (taken > p->slot->longest)
		store(&p->slot->longest, taken);
	store(&p->slot->reads, p->slot->reads + 1);
	store(&p->slot->bytes, p->slot->bytes + p->n);
}

/* What the source has of [off, off + n), into want; less at the end. */
static size_t read_source(struct process *p)
{
	size_t n = 0;

	while (n < p->n) {
		ssize_t r = pread(p->source, p->want + n, p->n - n,
				  (off_t)(p->off + n));

		if (r < 0)
			fail(p, "source: %s", strerror(errno));
		if (r == 0)
			break;
		n += (size_t)r;
	}
	return n;
}

static void compare(struct process *p, const uint8_t *got, size_t n)
{
	size_t want = read_source(p), i = 0;

	if (n != want)
		fail(p, "%zu bytes instead of %zu", n, want);
	if (memcmp(got, p->want, n) == 0)
		return;
	while (got[i] == p->want[i])
		i++;
	fail(p, "byte %zu is %02x instead of %02x", i, got[i], p->want[i]);
}

static void read_by(struct process *p, int fd)
{
	ssize_t n;

	begin(p);
	n = pread(fd, p->got, p->n, (off_t)p->off);
	if (n < 0)
		fail(p, "%s", strerror(errno));
	end(p);
	compare(p, p->got, (size_t)n);
}

static void read_here(struct process *p)
{
	read_by(p, p->mount);
}

/* What the kernel has cached of the file goes first. */
static void read_again(struct process *p)
{
	posix_fadvise(p->mount, 0, 0, POSIX_FADV_DONTNEED);
	read_by(p, p->mount);
}

/* No cache of the kernel's: exactly this range is asked for. */
static void read_direct(struct process *p)
{
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", p->mount);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		fail(p, "O_DIRECT: %s", strerror(errno));
	read_by(p, fd);
	close(fd);
}

static void read_mapped(struct process *p)
{
	size_t skip = p->off % 4096;
	uint64_t left = p->off < p->file->size ? p->file->size - p->off : 0;
	size_t n = left < p->n ? (size_t)left : p->n;
	uint8_t *map;

	if (n == 0)
		return;
	map = mmap(NULL, skip + n, PROT_READ, MAP_SHARED, p->mount,
		   (off_t)(p->off - skip));
	if (map == MAP_FAILED)
		fail(p, "mmap: %s", strerror(errno));
	begin(p);
	memcpy(p->got, map + skip, n);
	end(p);
	munmap(map, skip + n);
	compare(p, p->got, n);
}

/* In order, in odd pieces, until the end or for a while. */
static void read_on(struct process *p)
{
	p->n = 1 + below(p, 200000);
	for (int i = 0; i < 16 && p->off <= p->file->size; i++) {
		read_by(p, p->mount);
		p->off += p->n;
	}
}

/* ---- a process -------------------------------------------------------- */

static void choose_file(struct process *p)
{
	size_t i = p->opt->only ? 0 : below(p, file_count);

	p->file = &files[i];
	for (int k = 0; k < 2; k++) {
		char path[4096];
		int fd;

		snprintf(path, sizeof(path), "%s/%s",
			 k == 0 ? p->opt->source : p->opt->mount,
			 p->file->name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			fail(p, "%s: %s", path, strerror(errno));
		*(k == 0 ? &p->source : &p->mount) = fd;
	}
}

static void choose_range(struct process *p)
{
	static const size_t lengths[] = { 1,	  13,	   511,	   4095,
					  4096,	  4097,	   16000,  65535,
					  65537,  131072,  150001, 262145,
					  524287, READ_MAX };
	uint64_t size = p->file->size;

	p->n = lengths[below(p, sizeof(lengths) / sizeof(lengths[0]))];
	p->off = below(p, size + 1);
	if (p->opt->border && below(p, 2) == 0) {
		uint64_t back = below(p, 2) ? below(p, 100) : below(p, p->n);

		p->off -= p->off % p->opt->border;
		p->off -= back < p->off ? back : p->off;
	}
}

static void run_process(const struct options *opt, struct slot *slot,
			uint64_t number, uint64_t until)
{
	static void (*const ways[])(struct process *) = {
		read_here,   read_again,  read_again,  read_direct,
		read_direct, read_direct, read_mapped, read_on,
	};
	struct process p = { .opt = opt, .slot = slot };

	p.seed = p.random = opt->seed + number;
	p.want = malloc(READ_MAX);
	p.got = malloc(READ_MAX);
	if (!p.want || !p.got)
		_exit(DIFFERENT);
	while (now() < until) {
		choose_file(&p);
		for (int i = 0; i < 8 && now() < until; i++) {
			choose_range(&p);
			ways[below(&p, sizeof(ways) / sizeof(ways[0]))](&p);
		}
		close(p.source);
		close(p.mount);
	}
	free(p.want);
	free(p.got);
}

/* ---- the parent ------------------------------------------------------- */

static int add_file(const char *path, const struct stat *st, int type,
		    struct FTW *ftw)
{
	struct file *more;

	(void)ftw;
	if (type != FTW_F || !S_ISREG(st->st_mode))
		return 0;
	more = realloc(files, (file_count + 1) * sizeof(*files));
	if (!more)
		return -1;
	files = more;
	files[file_count].name = strdup(path + root_length + 1);
	files[file_count].size = (uint64_t)st->st_size;
	return files[file_count++].name ? 0 : -1;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name,
		      ((const struct file *)b)->name);
}

static int find_files(const struct options *opt)
{
	root_length = strlen(opt->source);
	if (nftw(opt->source, add_file, 32, FTW_PHYS) != 0 || file_count == 0)
		return -1;
	qsort(files, file_count, sizeof(*files), by_name);
	if (!opt->only)
		return 0;
	for (size_t i = 0; i < file_count; i++) {
		if (strcmp(files[i].name, opt->only) == 0) {
			struct file first = files[0];

			files[0] = files[i];
			files[i] = first;
			return 0;
		}
	}
	return -1;
}

static const struct slot *find_stuck(const struct options *opt,
				     const struct slot *slots)
{
	for (uint64_t i = 0; i < opt->processes; i++) {
		uint64_t since = load(&slots[i].since), t = now();

		if (since && t > since && t - since > opt->limit * SECOND)
			return &slots[i];
	}
	return NULL;
}

static void kill_all(const struct options *opt, const pid_t *pids)
{
	for (uint64_t i = 0; i < opt->processes; i++) {
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	}
}

static void tell(const char *what, const struct slot *slot)
{
	fprintf(stderr, "%s: %s, %" PRIu64 " bytes at %" PRIu64 "\n", what,
		files[load(&slot->file)].name, load(&slot->n),
		load(&slot->off));
}

/* Waits for all; ends all when one fails or is stuck. Returns the status. */
static int watch(const struct options *opt, const struct slot *slots,
		 pid_t *pids)
{
	uint64_t left = opt->processes;
	int status, worst = 0;

	while (left > 0) {
		const struct slot *stuck = find_stuck(opt, slots);
		pid_t pid = waitpid(-1, &status, WNOHANG);

		if (stuck && worst != STUCK) {
			tell("stuck", stuck);
			worst = STUCK;
			kill_all(opt, pids);
		}
		if (pid <= 0) {
			usleep(20000);
			continue;
		}
		left--;
		for (uint64_t i = 0; i < opt->processes; i++) {
			if (pids[i] != pid)
				continue;
			pids[i] = 0;
			if (WIFSIGNALED(status) && !worst)
				tell(strsignal(WTERMSIG(status)), &slots[i]);
		}
		if (status != 0 && !worst) {
			worst = DIFFERENT;
			kill_all(opt, pids);
		}
	}
	return worst;
}

static void sum_up(const struct options *opt, const struct slot *slots)
{
	struct slot sum = { 0 };

	for (uint64_t i = 0; i < opt->processes; i++) {
		sum.reads += slots[i].reads;
		sum.bytes += slots[i].bytes;
		if (slots[i].longest > sum.longest)
			sum.longest = slots[i].longest;
	}
	printf("%" PRIu64 " reads, %" PRIu64 " MiB, the longest %" PRIu64
	       " ms\n",
	       sum.reads, sum.bytes >> 20, sum.longest / 1000000);
}

static int run_all(const struct options *opt)
{
	struct slot *slots =
		mmap(NULL, PROCESSES_MAX * sizeof(*slots),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	uint64_t until = now() + opt->seconds * SECOND;
	pid_t pids[PROCESSES_MAX];
	int status;

	if (slots == MAP_FAILED)
		return DIFFERENT;
	fflush(NULL);
	for (uint64_t i = 0; i < opt->processes; i++) {
		pids[i] = fork();
		if (pids[i] < 0) {
			perror("stress_read: fork");
			kill_all(opt, pids);
			return DIFFERENT;
		}
		if (pids[i] == 0) {
			run_process(opt, &slots[i], i, until);
			_exit(0);
		}
	}
	status = watch(opt, slots, pids);
	sum_up(opt, slots);
	return status;
}

static int parse(int argc, char **argv, struct options *opt)
{
	uint64_t *const numbers[128] = {
		['s'] = &opt->seed,	 ['t'] = &opt->seconds,
		['n'] = &opt->processes, ['b'] = &opt->border,
		['l'] = &opt->limit,
	};
	int c;

	while ((c = getopt(argc, argv, "s:t:n:b:l:f:")) != -1) {
		if (c == 'f')
			opt->only = optarg;
		else if (numbers[c])
			*numbers[c] = strtoull(optarg, NULL, 10);
		else
			return -1;
	}
	if (argc - optind != 2 || opt->processes == 0 ||
	    opt->processes > PROCESSES_MAX)
		return -1;
	opt->source = argv[optind];
	opt->mount = argv[optind + 1];
	return 0;
}

int main(int argc, char **argv)
{
	struct options opt = {
		.seed = 1, .seconds = 5, .processes = 8, .limit = 60
	};
	int status;

	if (parse(argc, argv, &opt) != 0) {
		fprintf(stderr, "usage: stress_read [-s SEED] [-t SECONDS] "
				"[-n PROCESSES] [-b BYTES] [-l SECONDS] "
				"[-f NAME] SOURCE MOUNT\n");
		return USAGE;
	}
	if (find_files(&opt) != 0) {
		fprintf(stderr, "stress_read: no files in %s\n", opt.source);
		return DIFFERENT;
	}
	status = run_all(&opt);
	for (size_t i = 0; i < file_count; i++)
		free(files[i].name);
	free(files);
	return status;
}
