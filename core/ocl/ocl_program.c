/* SPDX-License-Identifier: MIT */
/*
 * ocl_program - programs, built from their sources or from what an earlier
 * build left behind, and their kernels.
 *
 * Nothing about a cached binary can fail a build: what cannot be read, is not
 * what was written, or is refused by the driver is built anew and replaced.
 */
#include <stdio.h>
#include <string.h>

#include "ocl_i.h"

/* Part of the key: to be changed with what the key is made of. */
#define KEY_VERSION "arcfs kernels 1"

/* What is said of a build log. */
#define LOG_LINES 100
#define LOG_COLUMNS 400

static void hash_text(struct arc_digest *d, const char *text)
{
	arc_digest_update(d, text, strlen(text) + 1);
}

static int make_key(const struct arc_ocl_device *dev,
		    const char *const *sources, unsigned n, const char *options,
		    struct arc_digest128 *ret)
{
	arc_cleanup(arc_digest_freep) struct arc_digest *d = NULL;
	int err = arc_digest_new(&d);

	if (err < 0)
		return err;
	hash_text(d, KEY_VERSION);
	hash_text(d, dev->info.platform);
	hash_text(d, dev->info.name);
	hash_text(d, dev->info.version);
	hash_text(d, dev->info.driver);
	hash_text(d, options);
	for (unsigned i = 0; i < n; i++)
		hash_text(d, sources[i]);
	*ret = arc_digest_value(d);
	return 0;
}

static void say_log(struct arc_ocl_device *dev, cl_program program,
		    enum arc_level level)
{
	arc_cleanup(arc_freep) char *log = NULL;
	const char *line;
	size_t n = 0;

	if (clGetProgramBuildInfo(program, dev->id, CL_PROGRAM_BUILD_LOG, 0,
				  NULL, &n) ||
	    n < 2)
		return;
	log = calloc(1, n + 1);
	if (!log || clGetProgramBuildInfo(program, dev->id,
					  CL_PROGRAM_BUILD_LOG, n, log, NULL))
		return;
	line = log;
	for (unsigned i = 0; *line && i < LOG_LINES; i++) {
		size_t len = strcspn(line, "\r\n");

		if (len > 0)
			arc_say(dev->diag, level, "%s: %.*s", dev->info.name,
				(int)ARC_MIN(len, (size_t)LOG_COLUMNS), line);
		line += len;
		line += strspn(line, "\r\n");
	}
	if (*line)
		arc_say(dev->diag, level, "%s: ... (more was said)",
			dev->info.name);
}

/* A binary from an earlier build; NULL when there is none that works. */
static cl_program load_binary(struct arc_ocl_device *dev, const char *dir,
			      const struct arc_digest128 *key,
			      const char *options)
{
	arc_cleanup(arc_freep) uint8_t *binary = NULL;
	const unsigned char *p;
	cl_program program;
	size_t n = 0;
	cl_int err;
	int got;

	got = ocl_cache_get(dir, key, &binary, &n);
	if (got < 0) {
		if (got != -ENOENT)
			arc_say(dev->diag, ARC_DEBUG, "%s: a cached kernel: %s",
				dir, arc_error_text(got));
		return NULL;
	}
	p = binary;
	program = clCreateProgramWithBinary(dev->context, 1, &dev->id, &n, &p,
					    NULL, &err);
	if (!program) {
		ocl_fail(dev, "clCreateProgramWithBinary", err);
		return NULL;
	}
	err = clBuildProgram(program, 1, &dev->id, options, NULL, NULL);
	if (err) {
		ocl_fail(dev, "clBuildProgram of a cached binary", err);
		clReleaseProgram(program);
		return NULL;
	}
	return program;
}

static cl_int store_binary(struct arc_ocl_device *dev, cl_program program,
			   const char *dir, const struct arc_digest128 *key)
{
	arc_cleanup(arc_freep) unsigned char *binary = NULL;
	size_t n = 0;
	cl_int err;
	int put;

	err = clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, sizeof(n), &n,
			       NULL);
	if (err || n == 0)
		return err;
	binary = malloc(n);
	if (!binary)
		return CL_OUT_OF_HOST_MEMORY;
	err = clGetProgramInfo(program, CL_PROGRAM_BINARIES, sizeof(binary),
			       &binary, NULL);
	if (err)
		return err;
	put = ocl_cache_put(dir, key, binary, n);
	if (put < 0)
		arc_say(dev->diag, ARC_DEBUG, "%s: kernels are not kept: %s",
			dir, arc_error_text(put));
	return CL_SUCCESS;
}

static int build_sources(struct arc_ocl_device *dev, const char **sources,
			 unsigned n, const char *options, cl_program *ret)
{
	cl_program program;
	cl_int err;

	program =
		clCreateProgramWithSource(dev->context, n, sources, NULL, &err);
	if (!program)
		return ocl_fail(dev, "clCreateProgramWithSource", err);
	err = clBuildProgram(program, 1, &dev->id, options, NULL, NULL);
	say_log(dev, program, err ? ARC_WARN : ARC_DEBUG);
	if (err) {
		clReleaseProgram(program);
		return ocl_fail(dev, "clBuildProgram", err);
	}
	*ret = program;
	return 0;
}

/* The program without the cache, which then gets its binary. */
static int build_anew(struct arc_ocl_device *dev, const char *const *sources,
		      unsigned n, const char *options, const char *dir,
		      const struct arc_digest128 *key, cl_program *ret)
{
	arc_cleanup(arc_freep) const char **texts = NULL;
	cl_int kept;
	int err;

	texts = calloc(n, sizeof(*texts)); /* the call wants it this way */
	if (!texts)
		return -ENOMEM;
	memcpy(texts, sources, n * sizeof(*texts));
	err = build_sources(dev, texts, n, options, ret);
	if (err < 0 || !dir)
		return err;
	kept = store_binary(dev, *ret, dir, key);
	if (kept)
		ocl_fail(dev, "clGetProgramInfo", kept);
	return 0;
}

int arc_ocl_build(struct arc_ocl_device *dev, const char *const *sources,
		  unsigned n, const char *options, const char *cache_dir,
		  struct arc_ocl_program **ret)
{
	arc_cleanup(arc_freep) struct arc_ocl_program *program = NULL;
	struct arc_digest128 key;
	int err = ocl_alive(dev);

	if (err < 0)
		return err;
	if (!options)
		options = "";
	program = calloc(1, sizeof(*program));
	if (!program)
		return -ENOMEM;
	program->dev = dev;
	err = make_key(dev, sources, n, options, &key);
	if (err < 0)
		return err;
	if (cache_dir)
		program->program = load_binary(dev, cache_dir, &key, options);
	program->cached = program->program != NULL;
	if (!program->cached)
		err = build_anew(dev, sources, n, options, cache_dir, &key,
				 &program->program);
	if (err < 0)
		return err;
	*ret = arc_steal(program);
	return 0;
}

void arc_ocl_program_free(struct arc_ocl_program *program)
{
	if (!program || ocl_alive(program->dev) < 0)
		return;
	clReleaseProgram(program->program);
	free(program);
}

bool arc_ocl_program_was_cached(const struct arc_ocl_program *program)
{
	return program->cached;
}

int arc_ocl_kernel_new(const struct arc_ocl_program *program, const char *name,
		       struct arc_ocl_kernel **ret)
{
	arc_cleanup(arc_freep) struct arc_ocl_kernel *kernel = NULL;
	struct arc_ocl_device *dev = program->dev;
	int dead = ocl_alive(dev);
	char call[128];
	cl_int err;

	if (dead < 0)
		return dead;
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return -ENOMEM;
	kernel->dev = dev;
	snprintf(kernel->name, sizeof(kernel->name), "%s", name);
	kernel->kernel = clCreateKernel(program->program, name, &err);
	if (!kernel->kernel) {
		snprintf(call, sizeof(call), "clCreateKernel (%s)",
			 kernel->name);
		return ocl_fail(dev, call, err);
	}
	*ret = arc_steal(kernel);
	return 0;
}

void arc_ocl_kernel_free(struct arc_ocl_kernel *kernel)
{
	if (!kernel || ocl_alive(kernel->dev) < 0)
		return;
	clReleaseKernel(kernel->kernel);
	free(kernel);
}
