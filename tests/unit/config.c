/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config.h"

struct world {
	struct arc_config config;
	struct arc_diag diag;
	char folder[64];
	char path[128];
	char said[4096]; /* all messages, a line each */
};

static void note(void *ctx, enum arc_level level, const char *text)
{
	struct world *w = ctx;
	size_t n = strlen(w->said);

	snprintf(w->said + n, sizeof(w->said) - n, "%s%s\n",
		 level == ARC_WARN ? "warning: " : "", text);
}

static int make_world(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	strcpy(w->folder, "/tmp/config-XXXXXX");
	if (!mkdtemp(w->folder))
		return -1;
	snprintf(w->path, sizeof(w->path), "%s/file", w->folder);
	arc_config_init(&w->config);
	arc_diag_init(&w->diag, note, w, ARC_DEBUG);
	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++)
		unsetenv(arc_config_keys[i].name);
	*state = w;
	return 0;
}

static int drop_world(void **state)
{
	struct world *w = *state;

	unlink(w->path);
	rmdir(w->folder);
	arc_diag_fini(&w->diag);
	arc_config_fini(&w->config);
	free(w);
	return 0;
}

static void write_text(const struct world *w, const char *text)
{
	FILE *f = fopen(w->path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

/* Reads a file of that text, after forgetting what was. */
static int load(struct world *w, const char *text)
{
	write_text(w, text);
	w->said[0] = '\0';
	arc_config_fini(&w->config);
	arc_config_init(&w->config);
	return arc_config_load(&w->config, w->path, &w->diag);
}

static uint64_t number(const struct world *w, enum arc_config_id id)
{
	return arc_config_number(&w->config, id);
}

static void lines_may_have_blanks_and_comments(void **state)
{
	struct world *w = *state;
	const struct arc_config_value *v = w->config.value;

	assert_int_equal(load(w, "# a comment\n"
				 "; another\n"
				 "\n"
				 "HASH_LOG=20\n"
				 "  \t HASH_CANDIDATES \t=   7   # why\n"
				 "GOOD_ENOUGH_MATCH = 1K ; and so on\n"
				 "   # indented\n"
				 "GPU_FALLBACK_ENABLED = No\r\n"
				 "NUM_IO_WORKERS = 3#\n"
				 "MAX_WORKER_THREADS = 5"),
			 -EINVAL);
	assert_non_null(strstr(w->said, "file:9: NUM_IO_WORKERS: '3#' is not "
					"a number from 1 to 4096\n"));
	assert_int_equal(number(w, ARC_CONFIG_HASH_LOG), 20);
	assert_int_equal(number(w, ARC_CONFIG_HASH_CANDIDATES), 7);
	assert_int_equal(number(w, ARC_CONFIG_GOOD_ENOUGH_MATCH), 1024);
	assert_false(number(w, ARC_CONFIG_GPU_FALLBACK_ENABLED));
	assert_int_equal(number(w, ARC_CONFIG_MAX_WORKER_THREADS), 5);
	assert_int_equal(v[ARC_CONFIG_HASH_LOG].line, 4);
	assert_int_equal(v[ARC_CONFIG_MAX_WORKER_THREADS].line, 10);
	assert_int_equal(v[ARC_CONFIG_HASH_LOG].source, ARC_CONFIG_FILE);
	assert_int_equal(v[ARC_CONFIG_GPU_TIMEOUT].source, ARC_CONFIG_DEFAULT);
}

static void the_last_line_of_a_key_counts(void **state)
{
	struct world *w = *state;

	assert_int_equal(load(w, "HASH_LOG = 20\nHASH_LOG = 16\n"), 0);
	assert_int_equal(number(w, ARC_CONFIG_HASH_LOG), 16);
	assert_int_equal(w->config.value[ARC_CONFIG_HASH_LOG].line, 2);
}

static void an_unknown_key_is_a_warning_with_its_line(void **state)
{
	struct world *w = *state;

	assert_int_equal(load(w, "\nHASHLOG = 20\nHASH_LOG = 16\nhash_log=1\n"),
			 0);
	assert_non_null(strstr(w->said, "warning: "));
	assert_non_null(strstr(w->said, "file:2: no such key: HASHLOG\n"));
	assert_non_null(strstr(w->said, "file:4: no such key: hash_log\n"));
	assert_int_equal(number(w, ARC_CONFIG_HASH_LOG), 16);
}

static void every_bad_value_is_named_with_its_line(void **state)
{
	static const char *const bad[] = {
		"HASH_LOG = 11",
		"HASH_LOG = 25",
		"HASH_LOG =",
		"HASH_LOG = -16",
		"HASH_LOG = 16 17",
		"HASH_LOG = 99999999999999999999",
		"FORCE_CPU_MODE = maybe",
		"FORCE_CPU_MODE = 2",
		"COMPRESSOR_BATCH_SIZE = 257",
		"COMPRESSOR_BATCH_SIZE = 4294967297",
		"GPU_TIMEOUT = 0",
		"GPU_TIMEOUT = 4s",
	};
	struct world *w = *state;
	char text[128];

	for (size_t i = 0; i < ARC_COUNT(bad); i++) {
		snprintf(text, sizeof(text), "\n%s\nNUM_IO_WORKERS = 0\n",
			 bad[i]);
		assert_int_equal(load(w, text), -EINVAL);
		assert_non_null(strstr(w->said, "file:2: "));
		assert_non_null(strstr(w->said, "file:3: NUM_IO_WORKERS: '0' "
						"is not a number from 1"));
	}
}

static void other_forms_are_refused(void **state)
{
	struct world *w = *state;
	char text[512];

	assert_int_equal(load(w, "HASH_LOG = 20\nHASH_LOG\n"), -EINVAL);
	assert_non_null(strstr(w->said, "file:2: not KEY = value\n"));
	assert_int_equal(load(w, "[all]\nHASH_LOG = 20\n"), -EINVAL);
	assert_non_null(strstr(w->said, "file:2: there are no [sections]\n"));
	snprintf(text, sizeof(text), "HASH_LOG = 20\nHASH_LOG = %0300d\n", 20);
	assert_int_equal(load(w, text), -EINVAL);
	assert_non_null(strstr(w->said, "file:2: the line is too long\n"));
	snprintf(text, sizeof(text), "#%0300d\nHASH_LOG = 2\n", 20);
	assert_int_equal(load(w, text), -EINVAL);
	assert_non_null(strstr(w->said, "file:2: HASH_LOG: "));
}

static void a_file_that_is_asked_for_must_be_there(void **state)
{
	struct world *w = *state;

	assert_int_equal(arc_config_load(&w->config, "/nowhere/file", &w->diag),
			 -ENOENT);
	assert_non_null(strstr(w->said, "/nowhere/file: No such file"));
	assert_int_equal(arc_config_load(&w->config, w->folder, &w->diag),
			 -EISDIR);
}

static void the_users_file_is_looked_for(void **state)
{
	struct world *w = *state;
	char folder[96];

	snprintf(folder, sizeof(folder), "%s/arcfs", w->folder);
	assert_int_equal(mkdir(folder, 0755), 0);
	snprintf(w->path, sizeof(w->path), "%s/config", folder);
	write_text(w, "HASH_LOG = 18\n");
	setenv("XDG_CONFIG_HOME", w->folder, 1);
	assert_int_equal(arc_config_load(&w->config, NULL, &w->diag), 0);
	assert_int_equal(number(w, ARC_CONFIG_HASH_LOG), 18);
	assert_string_equal(w->config.path, w->path);
	assert_int_equal(unlink(w->path), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void sources_come_in_their_order(void **state)
{
	struct world *w = *state;
	const struct arc_config_value *v;

	setenv("COMPRESSOR_BATCH_SIZE", "16", 1);
	setenv("GPU_TIMEOUT", "", 1); /* says nothing */
	setenv("HASH_LOG", "99", 1); /* is not asked */
	write_text(w, "COMPRESSOR_BATCH_SIZE = 8\nGPU_TIMEOUT = 7\n"
		      "HASH_LOG = 14\nHASH_CANDIDATES = 5\n");
	assert_int_equal(arc_config_assign(&w->config, "HASH_LOG=20"), 0);
	assert_int_equal(arc_config_load(&w->config, w->path, &w->diag), 0);
	v = w->config.value;
	assert_int_equal(v[ARC_CONFIG_COMPRESSOR_BATCH_SIZE].number, 16);
	assert_int_equal(v[ARC_CONFIG_COMPRESSOR_BATCH_SIZE].source,
			 ARC_CONFIG_ENVIRONMENT);
	assert_int_equal(v[ARC_CONFIG_GPU_TIMEOUT].number, 7);
	assert_int_equal(v[ARC_CONFIG_HASH_LOG].number, 20);
	assert_int_equal(v[ARC_CONFIG_HASH_LOG].source, ARC_CONFIG_COMMAND);
	assert_int_equal(v[ARC_CONFIG_HASH_CANDIDATES].number, 5);
	assert_int_equal(arc_config_assign(&w->config, "HASH_LOG=16"), 0);
	assert_int_equal(v[ARC_CONFIG_HASH_LOG].number, 16);
}

static void nonsense_in_the_environment_is_named(void **state)
{
	struct world *w = *state;

	write_text(w, "");
	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++) {
		const char *name = arc_config_keys[i].name;

		if (!arc_config_keys[i].environment)
			continue;
		w->said[0] = '\0';
		setenv(name, "nonsense", 1);
		assert_int_equal(arc_config_load(&w->config, w->path, &w->diag),
				 -EINVAL);
		assert_non_null(strstr(w->said, name));
		unsetenv(name);
	}
}

static void assignments_are_checked(void **state)
{
	struct world *w = *state;

	assert_int_equal(arc_config_assign(&w->config, "HASH_LOG"), -EINVAL);
	assert_int_equal(arc_config_assign(&w->config, "=20"), -EINVAL);
	assert_int_equal(arc_config_assign(&w->config, "HASH=20"), -EINVAL);
	assert_int_equal(arc_config_assign(&w->config, "HASH_LOG=11"), -EINVAL);
	assert_int_equal(number(w, ARC_CONFIG_HASH_LOG), 0);
}

static void what_is_shown_can_be_read_again(void **state)
{
	struct world *w = *state;
	struct arc_config other;
	FILE *f;

	assert_int_equal(load(w, "HASH_LOG = 20\nGPU_FALLBACK_ENABLED = off\n"),
			 0);
	assert_int_equal(arc_config_assign(&w->config, "NUM_IO_WORKERS=9"), 0);
	f = fopen(w->path, "we");
	assert_non_null(f);
	arc_config_print(&w->config, ARC_CONFIG_MKARCHIVE, f);
	assert_int_equal(fclose(f), 0);
	arc_config_init(&other);
	assert_int_equal(arc_config_load(&other, w->path, &w->diag), 0);
	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++)
		assert_int_equal(other.value[i].number,
				 w->config.value[i].number);
	assert_string_equal(w->said, "");
	arc_config_fini(&other);
}

static void the_table_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARC_CONFIG_KEYS; i++) {
		const struct arc_config_key *key = &arc_config_keys[i];
		uint64_t value = key->automatic ? key->example : key->fallback;

		assert_non_null(key->name);
		assert_non_null(key->about);
		assert_true(key->programs);
		assert_true(key->min <= key->max);
		assert_true(value >= key->min && value <= key->max);
		assert_true(!key->automatic || !key->fallback);
		assert_true(strlen(key->name) + 20 < ARC_CONFIG_TEXT);
	}
}

static void sizes_are_read(void **state)
{
	uint64_t n;

	(void)state;
	assert_int_equal(arc_size_parse("0", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(arc_size_parse("512k", &n), 0);
	assert_int_equal(n, 512 << 10);
	assert_int_equal(arc_size_parse("98M", &n), 0);
	assert_int_equal(n, 98 << 20);
	assert_int_equal(arc_size_parse("3T", &n), 0);
	assert_true(n == UINT64_C(3) << 40);
	assert_int_equal(arc_size_parse("18446744073709551615", &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(arc_size_parse("18446744073709551616", &n),
			 -EOVERFLOW);
	assert_int_equal(arc_size_parse("99999999T", &n), -EOVERFLOW);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = { "",	"x",  "1X",
						   "-", "-1", "1KB" };

		assert_int_equal(arc_size_parse(bad[i], &n), -EINVAL);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, drop_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_may_have_blanks_and_comments),
		TEST(the_last_line_of_a_key_counts),
		TEST(an_unknown_key_is_a_warning_with_its_line),
		TEST(every_bad_value_is_named_with_its_line),
		TEST(other_forms_are_refused),
		TEST(a_file_that_is_asked_for_must_be_there),
		TEST(the_users_file_is_looked_for),
		TEST(sources_come_in_their_order),
		TEST(nonsense_in_the_environment_is_named),
		TEST(assignments_are_checked),
		TEST(what_is_shown_can_be_read_again),
		TEST(the_table_is_sound),
		cmocka_unit_test(sizes_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
