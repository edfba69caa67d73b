/*
 * csv.c: values with commas between, as RFC 4180 has them; line ends of either kind, a byte order mark is passed over.
 */
#include <string.h>

#include "rules/text.h"

/* A field in quotes from `*at`, unfolded into `room`. */
static bool quoted(struct csv *c, char *room, size_t *used, struct weir_text *out)
{
	size_t i = c->at + 1, began = *used;
	for (; i < c->text.n; i++) {
		if (c->text.p[i] == '"' && (i + 1 == c->text.n || c->text.p[i + 1] != '"'))
			break;
		if (c->text.p[i] == '"')
			i++;
		if (c->text.p[i] == '\n')
			c->next_line++;
		room[(*used)++] = c->text.p[i];
	}
	if (i >= c->text.n) {
		c->error = "a quote is not closed";
		return false;
	}
	*out = (struct weir_text){ room + began, *used - began };
	c->at = i + 1;
	return true;
}

static void plain(struct csv *c, struct weir_text *out)
{
	size_t from = c->at;
	while (c->at < c->text.n && c->text.p[c->at] != ',' && c->text.p[c->at] != '\n')
		c->at++;
	size_t end = c->at;
	if (end > from && c->text.p[end - 1] == '\r')
		end--;
	*out = (struct weir_text){ c->text.p + from, end - from };
}

/* What may stand behind a field; *more: another one follows. */
static bool separator(struct csv *c, bool *more)
{
	*more = false;
	if (c->at < c->text.n && c->text.p[c->at] == '\r')
		c->at++;
	if (c->at >= c->text.n)
		return true;
	char s = c->text.p[c->at++];
	*more = s == ',';
	c->next_line += s == '\n';
	if (s != ',' && s != '\n')
		c->error = "something stands behind a closed quote";
	return !c->error;
}

int csv_row(struct csv *c, char *room, size_t *used, struct weir_text fields[CSV_FIELDS_MAX])
{
	int n = 0;
	bool more = true;
	if (c->at == 0) {
		c->next_line = 1;
		if (c->text.n >= 3 && memcmp(c->text.p, "\xef\xbb\xbf", 3) == 0)
			c->at = 3;
	}
	if (c->at >= c->text.n || c->error)
		return -1;
	c->line = c->next_line;
	while (more) {
		if (n == CSV_FIELDS_MAX) {
			c->error = "a row has more than 64 fields";
			return -1;
		}
		bool quote = c->at < c->text.n && c->text.p[c->at] == '"';
		if (quote && !quoted(c, room, used, &fields[n]))
			return -1;
		if (!quote)
			plain(c, &fields[n]);
		n++;
		if (!separator(c, &more))
			return -1;
	}
	return n;
}

int csv_column(const struct weir_text *fields, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (fields[i].n == strlen(name) && memcmp(fields[i].p, name, fields[i].n) == 0)
			return i;
	return -1;
}
