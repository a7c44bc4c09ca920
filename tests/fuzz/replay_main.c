/* SPDX-License-Identifier: MIT */
/*
 * Runs a fuzz target over files: replay FILE-OR-FOLDER... A folder stands for
 * the files in it; one that does not exist for none. So the corpus and every
 * find are a test that needs no fuzzer.
 */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The whole file in memory of exactly its size, so that a sanitizer sees a
 * read past its end. */
static int replay_file(const char *path)
{
	arc_cleanup(arc_freep) uint8_t *data = NULL;
	struct stat st;
	size_t n;
	FILE *f;

	f = fopen(path, "rb");
	if (!f || fstat(fileno(f), &st) < 0) {
		perror(path);
		return -1;
	}
	n = (size_t)st.st_size;
	data = malloc(n ? n : 1);
	if (!data || fread(data, 1, n, f) != n) {
		fprintf(stderr, "%s: cannot be read\n", path);
		fclose(f);
		return -1;
	}
	fclose(f);
	LLVMFuzzerTestOneInput(data, n);
	return 1;
}

static int replay_folder(const char *path)
{
	struct dirent **names;
	int n = scandir(path, &names, NULL, alphasort);
	int done = 0;

	if (n < 0)
		return 0;
	for (int i = 0; i < n; i++) {
		char file[4096];
		int r = 0;

		snprintf(file, sizeof(file), "%s/%s", path, names[i]->d_name);
		if (names[i]->d_name[0] != '.' && done >= 0)
			r = replay_file(file);
		done = r < 0 || done < 0 ? -1 : done + r;
		free(names[i]);
	}
	free(names);
	return done;
}

int main(int argc, char **argv)
{
	int total = 0;

	for (int i = 1; i < argc; i++) {
		struct stat st;
		int n;

		if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode))
			n = replay_file(argv[i]);
		else
			n = replay_folder(argv[i]);
		if (n < 0)
			return 1;
		total += n;
	}
	LLVMFuzzerTestOneInput(NULL, 0);
	printf("%d inputs replayed\n", total);
	return 0;
}
