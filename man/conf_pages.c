/* SPDX-License-Identifier: MIT */
/*
 * conf_pages TEMPLATE PAGE SAMPLE - writes what the table of the configuration
 * says: arcfs.conf(5), which is TEMPLATE with the keys in the place of the line
 * @KEYS@, and the sample file.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"

#define WIDTH 78

static const struct {
	unsigned bit;
	const char *name;
} programs[] = {
	{ ARC_CONFIG_MKARCHIVE, "mkarchive" },
	{ ARC_CONFIG_ARCFS, "arcfs" },
	{ ARC_CONFIG_ARCTOOL, "arctool" },
};

/* "mkarchive, arctool" */
static void put_programs(FILE *f, unsigned bits)
{
	const char *comma = "";

	for (size_t i = 0; i < ARC_COUNT(programs); i++) {
		if (!(bits & programs[i].bit))
			continue;
		fprintf(f, "%s%s", comma, programs[i].name);
		comma = ", ";
	}
}

/* ---- the manual ---------------------------------------------------------- */

/* Text for troff: a hyphen in it is a minus sign, as options have it. */
static void put_text(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '-')
			fputc('\\', f);
		fputc(*text, f);
		if (text[0] == '.' && text[1] == ' ') {
			fputc('\n', f);
			text++;
		}
	}
}

static void put_key(FILE *f, enum arc_config_id id)
{
	const struct arc_config_key *key = &arc_config_keys[id];
	char allowed[ARC_CONFIG_TEXT], fallback[ARC_CONFIG_TEXT];

	arc_config_allowed(id, allowed, sizeof(allowed));
	arc_config_fallback(id, fallback, sizeof(fallback));
	fprintf(f, ".TP\n.B %s\n", key->name);
	put_text(f, key->about);
	fprintf(f, "\n.br\nValue: %s%s%s.\n", allowed, key->unit ? ", " : "",
		key->unit ? key->unit : "");
	fputs("Default: ", f);
	fprintf(f, "%s.\n", fallback);
	fputs("Read by ", f);
	put_programs(f, key->programs);
	fputs(key->environment ? "; also from the environment.\n" : ".\n", f);
	if (!key->options)
		return;
	fputs("On the command line: ", f);
	put_text(f, key->options);
	fputs(".\n", f);
}

static int write_page(FILE *in, FILE *out)
{
	char line[1024];

	while (fgets(line, sizeof(line), in)) {
		if (strcmp(line, "@KEYS@\n") != 0) {
			fputs(line, out);
			continue;
		}
		for (int i = 0; i < ARC_CONFIG_KEYS; i++)
			put_key(out, (enum arc_config_id)i);
	}
	return ferror(in);
}

/* ---- the sample ---------------------------------------------------------- */

/* Words as lines of a comment. */
static void put_comment(FILE *f, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t n = strcspn(text, " ");

		if (column && column + 1 + n > WIDTH) {
			fputc('\n', f);
			column = 0;
		}
		fputs(column ? " " : "# ", f);
		fprintf(f, "%.*s", (int)n, text);
		column += n + (column ? 1 : 2);
		text += n + (text[n] == ' ');
	}
	fputc('\n', f);
}

static void write_sample(FILE *f)
{
	fputs("# Configuration of mkarchive, arcfs and arctool: see "
	      "arcfs.conf(5).\n"
	      "# As $XDG_CONFIG_HOME/arcfs/config it is read for one user, as "
	      "/etc/arcfs.conf\n"
	      "# for all others. Nothing is set here: take away a # to do "
	      "so.\n",
	      f);
	for (int i = 0; i < ARC_CONFIG_KEYS; i++) {
		enum arc_config_id id = (enum arc_config_id)i;
		const struct arc_config_key *key = &arc_config_keys[i];
		char text[ARC_CONFIG_TEXT];

		fputc('\n', f);
		put_comment(f, key->about);
		arc_config_allowed(id, text, sizeof(text));
		fprintf(f, "# Value: %s%s%s\n", text, key->unit ? ", " : "",
			key->unit ? key->unit : "");
		arc_config_fallback(id, text, sizeof(text));
		fprintf(f, "# Default: %s\n# Read by ", text);
		put_programs(f, key->programs);
		arc_config_example(id, text, sizeof(text));
		fprintf(f, "\n#%s = %s\n", key->name, text);
	}
}

int main(int argc, char **argv)
{
	FILE *in = argc == 4 ? fopen(argv[1], "re") : NULL;
	FILE *page = in ? fopen(argv[2], "we") : NULL;
	FILE *sample = page ? fopen(argv[3], "we") : NULL;
	int failed;

	if (!sample) {
		perror("conf_pages TEMPLATE PAGE SAMPLE");
		return 1;
	}
	failed = write_page(in, page);
	write_sample(sample);
	fclose(in);
	failed |= fclose(page);
	failed |= fclose(sample);
	return failed != 0;
}
