/* SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "device_kernel.h"
#include "kernels.h"

static const char *text_of(const char *file)
{
	const struct arc_kernel_source *k = arc_kernel_sources;

	while (k->name && strcmp(k->name, file) != 0)
		k++;
	assert(k->name);
	return k->text;
}

int arc_device_program_new(struct arc_ocl_device *dev, const char *const *files,
			   unsigned n, const char *options,
			   const char *cache_dir, struct arc_ocl_program **ret)
{
	const char *texts[ARC_KERNEL_FILES_MAX];

	assert(n <= ARC_KERNEL_FILES_MAX);
	for (unsigned i = 0; i < n; i++)
		texts[i] = text_of(files[i]);
	return arc_ocl_build(dev, texts, n, options, cache_dir, ret);
}

int arc_device_kernel_new(struct arc_ocl_device *dev, const char *const *files,
			  unsigned n, const char *options,
			  const char *cache_dir, const char *name,
			  struct arc_ocl_kernel **ret)
{
	arc_cleanup(arc_ocl_program_freep) struct arc_ocl_program *program =
		NULL;
	int err = arc_device_program_new(dev, files, n, options, cache_dir,
					 &program);

	if (err < 0)
		return err;
	return arc_ocl_kernel_new(program, name, ret);
}
