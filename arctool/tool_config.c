/* SPDX-License-Identifier: MIT */
#include <argp.h>
#include <stdio.h>

#include "pool.h"
#include "tool.h"

enum { KEY_CONFIG = 0x200, KEY_SET, KEY_SHOW_CONFIG };

static const struct argp_option options[] = {
	{ 0, 0, 0, 0, "Configuration, see arcfs.conf(5):", 1 },
	{ "config", KEY_CONFIG, "FILE", 0,
	  "Read this file, and no other configuration", 0 },
	{ "set", KEY_SET, "KEY=VALUE", 0, "As a line of that file says it", 0 },
	{ "show-config", KEY_SHOW_CONFIG, 0, 0,
	  "Print what is in force and where it comes from", 0 },
	{ 0 }
};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
	struct tool_request *req = state->input;

	switch (key) {
	case KEY_CONFIG:
		req->config_file = arg;
		return 0;
	case KEY_SET:
		if (arc_config_assign(&req->config, arg) < 0)
			argp_error(state,
				   "--set: '%s' is not KEY=VALUE as "
				   "arcfs.conf(5) has it",
				   arg);
		return 0;
	case KEY_SHOW_CONFIG:
		req->show_config = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp tool_config_argp = { .options = options,
				       .parser = parse_option };

int tool_config_settle(struct tool_request *req)
{
	static char program[] = "arctool";
	struct arc_diag diag;
	int err;

	arc_diag_init(&diag, arc_sink_stderr, program, ARC_WARN);
	err = arc_config_load(&req->config, req->config_file, &diag);
	arc_diag_fini(&diag);
	if (err)
		return TOOL_EXIT_USAGE;
	if (req->show_config) {
		arc_config_print(&req->config, ARC_CONFIG_ARCTOOL, stdout);
		return TOOL_EXIT_OK;
	}
	req->threads = (unsigned)arc_config_number(
		&req->config, ARC_CONFIG_MAX_WORKER_THREADS);
	if (!req->threads)
		req->threads = arc_cpu_count();
	arc_gpu_configure(&req->gpu, &req->config);
	return -1;
}
