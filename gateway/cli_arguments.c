/*
 * cli_arguments.c: the table of options.
 */
#include "cli_arguments.h"

#include <getopt.h>
#include <stddef.h>
#include <string.h>

#include "base/attr.h"

/* A letter in upper case has no short form: it only names the row. */
static const struct row {
	char letter;
	const char *name, *value;	/* without a value it is a flag */
	const char *help;
	size_t at;
} rows[] = {
	{ 'c', "config", "FILE", "the configuration; otherwise WEIR_CONFIG, ./weir.yaml, /etc/weir/weir.yaml", offsetof(struct arguments, config) },
	{ 'U', "upstreams", NULL, "try the credential of each provider, too", offsetof(struct arguments, upstreams) },
	{ 'm', "model", "MODEL", "which model; otherwise the configuration's first", offsetof(struct arguments, model) },
	{ 'u', "url", "URL", "where weir is; otherwise WEIR_URL, WEIR_LISTEN_ADDRESS, http://127.0.0.1:8080", offsetof(struct arguments, url) },
	{ 'T', "to", "FILE", "where the table is installed; otherwise the configuration's prices_file", offsetof(struct arguments, to) },
	{ 'B', "by", "COLUMNS", "of key, team, tags, model, target, endpoint, status, day: up to four (key,model)", offsetof(struct arguments, by) },
	{ 'S', "since", "TIME", "how far back: 12h, 7d, 4w (30d)", offsetof(struct arguments, since) },
	{ 'G', "team", "TEAM", "the key's team", offsetof(struct arguments, team) },
	{ 'M', "models", "M,M", "the models it may ask for; gpt-* and the like", offsetof(struct arguments, models) },
	{ 'D', "usd", "50/month", "its budget: an amount, and hour, day, week, month, year or total", offsetof(struct arguments, usd) },
	{ 'E', "expires", "TIME", "when it ends: 30d, or 2027-01-01T00:00:00Z", offsetof(struct arguments, expires) },
	{ 'C', "csv", NULL, "as CSV", offsetof(struct arguments, csv) },
	{ 'J', "json", NULL, "as JSON", offsetof(struct arguments, json) },
	{ 'h', "help", NULL, "this text", offsetof(struct arguments, help) },
};

static bool is_short(const struct row *r)
{
	return r->letter >= 'a' && r->letter <= 'z';
}

static bool is_taken(const struct row *r, const char *letters)
{
	return r->letter == 'h' || strchr(letters, r->letter);
}

static void set(const struct row *r, struct arguments *a, const char *value)
{
	if (r->value)
		memcpy((char *)a + r->at, &value, sizeof(value));
	else
		*(bool *)((char *)a + r->at) = true;
}

/* For getopt: a leading colon asks it to keep quiet, and to tell a missing value apart. */
static void list(const char *letters, struct option *longs, char *shorts)
{
	*shorts++ = ':';
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row *r = &rows[i];
		if (!is_taken(r, letters))
			continue;
		*longs++ = (struct option){ r->name, r->value ? required_argument : no_argument, NULL, r->letter };
		if (is_short(r))
			*shorts++ = r->letter;
		if (is_short(r) && r->value)
			*shorts++ = ':';
	}
	*longs = (struct option){ 0 };
	*shorts = '\0';
}

static bool complain(int c, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[] = { '-', (char)optopt, '\0' };
	if (c == '?' && word[0] == '-' && word[1] != '-')
		word = letter;
	fprintf(stderr, c == ':' ? "weir %s: %s needs a value\n" : "weir %s: there is no option %s here\n", argv[0], word);
	return false;
}

bool arguments_read(const char *letters, int words, int argc, char **argv, struct arguments *to)
{
	struct option longs[array_len(rows) + 1];
	char shorts[2 * array_len(rows) + 2];
	list(letters, longs, shorts);
	for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) >= 0;) {
		if (c == '?' || c == ':')
			return complain(c, argv);
		for (size_t i = 0; i < array_len(rows); i++)
			if (rows[i].letter == c)
				set(&rows[i], to, optarg);
	}
	to->rest = argv + optind;
	to->n_rest = argc - optind;
	if (to->help || to->n_rest <= words)
		return true;
	fprintf(stderr, "weir %s: what is `%s` for?\n", argv[0], to->rest[words]);
	return false;
}

void arguments_print(const char *letters, FILE *to)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct row *r = &rows[i];
		char name[64];
		snprintf(name, sizeof(name), "--%s%s%s", r->name, r->value ? " " : "", r->value ? r->value : "");
		if (is_taken(r, letters))
			fprintf(to, "  %c%c%c %-20s %s\n", is_short(r) ? '-' : ' ', is_short(r) ? r->letter : ' ', is_short(r) ? ',' : ' ', name, r->help);
	}
}
