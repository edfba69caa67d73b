/*
 * names.c: placeholders for values, the same for the same throughout a request, and back again.
 *
 * They are numbered as they come, so a conversation that grows keeps those it had: a vendor's cache
 * of the prompt is good for as long as it would be without.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "redact/redact.h"

struct names *names_open(const struct finder *f)
{
	struct names *s = calloc(1, sizeof(*s));
	if (s)
		s->finder = f;
	return s;
}

void names_close(struct names *s)
{
	for (unsigned i = 0; s && i < s->n; i++) {
		explicit_bzero(s->list[i].value, s->list[i].n);
		free(s->list[i].value);
	}
	if (s) {
		free(s->list);
		free(s->tails);
	}
	free(s);
}

/* --- hiding --- */

static uint64_t hash_of(struct weir_text v)
{
	uint64_t h = UINT64_C(14695981039346656037);
	for (size_t i = 0; i < v.n; i++)
		h = (h ^ (unsigned char)v.p[i]) * UINT64_C(1099511628211);
	return h;
}

static const struct name *add(struct names *s, unsigned kind, struct weir_text v, uint64_t hash, bool json)
{
	if (s->n == s->room) {
		unsigned room = s->room ? 2 * s->room : 16;
		struct name *more = s->n < NAMES_MAX ? realloc(s->list, room * sizeof(*more)) : NULL;
		s->full |= !more;
		if (!more)
			return NULL;
		s->list = more;
		s->room = room;
	}
	struct name *x = &s->list[s->n];
	*x = (struct name){ .value = malloc(v.n + 1), .n = v.n, .hash = hash, .kind = kind, .json = json && memchr(v.p, '\\', v.n) };
	s->full |= !x->value;
	if (!x->value)
		return NULL;
	memcpy(x->value, v.p, v.n);
	x->number = ++s->numbers[kind];
	s->n++;
	return x;
}

static const struct name *name_of(struct names *s, unsigned kind, struct weir_text v, bool json)
{
	uint64_t hash = hash_of(v);
	for (unsigned i = 0; i < s->n; i++)
		if (s->list[i].hash == hash && s->list[i].kind == kind && s->list[i].n == v.n && memcmp(s->list[i].value, v.p, v.n) == 0)
			return &s->list[i];
	return add(s, kind, v, hash, json);
}

static bool is_ours(const struct names *s, struct weir_text mark)
{
	for (unsigned i = 0; i < s->finder->n; i++) {
		size_t n = strlen(s->finder->kinds[i].label);
		if (mark.n > n + 2 && memcmp(mark.p + 1, s->finder->kinds[i].label, n) == 0 && mark.p[n + 1] == '_' &&
		    strspn(mark.p + n + 2, "0123456789") == mark.n - n - 3)
			return true;
	}
	return false;
}

static bool hide(struct names *s, struct weir_text text, bool json, FILE *out)
{
	struct search search;
	struct found f;
	size_t from = 0;
	bool any = false;
	search_open(&search, s->finder, text);
	while (search.data && (f = search_next(&search)).n) {
		struct weir_text value = { text.p + f.at, f.n };
		const struct name *x = f.kind || is_ours(s, value) ? name_of(s, f.kind, value, json) : NULL;
		if (!x)
			continue;	/* brackets of somebody else's, or too many: `full` */
		fwrite(text.p + from, 1, f.at - from, out);
		fprintf(out, "[%s_%u]", s->finder->kinds[x->kind].label, x->number);
		from = f.at + f.n;
		any = true;
	}
	s->cut_off |= search.cut_off || !search.data;
	search_close(&search);
	if (any)
		fwrite(text.p + from, 1, text.n - from, out);
	return any;
}

bool names_hide(struct names *s, struct weir_text text, FILE *out)
{
	return hide(s, text, false, out);
}

/* The string, or the number or word, that begins at `at`: where it ends. */
static size_t token_end(struct weir_text json, size_t at)
{
	size_t i = at + 1;
	if (json.p[at] != '"') {
		while (i < json.n && (isalnum((unsigned char)json.p[i]) || strchr("+-.", json.p[i])))
			i++;
		return i;
	}
	while (i < json.n && json.p[i] != '"')
		i += json.p[i] == '\\' ? 2 : 1;
	return i < json.n ? i + 1 : json.n;
}

/* A number that as a whole is a find becomes a string. */
static bool hide_number(struct names *s, struct weir_text token, FILE *out)
{
	struct search search;
	search_open(&search, s->finder, token);
	struct found f = search.data ? search_next(&search) : (struct found){ .n = 0 };
	search_close(&search);
	if (f.n != token.n)
		return false;
	fputc('"', out);
	hide(s, token, true, out);
	fputc('"', out);
	return true;
}

bool names_hide_json(struct names *s, struct weir_text json, FILE *out)
{
	bool any = false;
	for (size_t i = 0; i < json.n;) {
		bool string = json.p[i] == '"';
		if (!string && !isdigit((unsigned char)json.p[i])) {
			fputc(json.p[i++], out);
			continue;
		}
		size_t end = token_end(json, i);
		struct weir_text token = { json.p + i, end - i };
		bool hidden = string ? hide(s, token, true, out) : hide_number(s, token, out);
		if (!hidden)
			fwrite(token.p, 1, token.n, out);
		any |= hidden;
		i = end;
	}
	return any;
}

/* --- showing --- */

static void write_json(struct weir_text v, FILE *out)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];
		if (c < 0x20)
			fprintf(out, "\\u%04x", c);
		else if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else
			fputc(c, out);
	}
}

/* What `[LABEL_n]` stands for; NULL: nothing. */
static const struct name *named(const struct names *s, struct weir_text mark)
{
	char text[MARK_MAX + 1], *number;
	if (mark.n > MARK_MAX || mark.n < 5)
		return NULL;
	memcpy(text, mark.p + 1, mark.n - 2);
	text[mark.n - 2] = 0;
	number = strrchr(text, '_');
	if (!number)
		return NULL;
	*number++ = 0;
	for (unsigned i = 0; i < s->n; i++) {
		char want[16];
		if (strcmp(s->finder->kinds[s->list[i].kind].label, text) != 0)
			continue;
		snprintf(want, sizeof(want), "%u", s->list[i].number);
		if (strcmp(want, number) == 0)
			return &s->list[i];
	}
	return NULL;
}

/* The end of what may be a placeholder from `at`; where it is cut: the text's end, with *cut. */
static size_t mark_end(struct weir_text t, size_t at, bool *cut)
{
	size_t i = at + 1;
	while (i < t.n && i - at < MARK_MAX && (isupper((unsigned char)t.p[i]) || isdigit((unsigned char)t.p[i]) || t.p[i] == '_'))
		i++;
	*cut = i == t.n && i - at < MARK_MAX;
	return i < t.n && t.p[i] == ']' ? i + 1 : i;
}

/* Up to what may go on in the next piece; where that begins. */
static size_t show(const struct names *s, struct weir_text t, bool json, bool last, FILE *out)
{
	size_t from = 0;
	while (from < t.n) {
		const char *p = memchr(t.p + from, '[', t.n - from);
		size_t at = p ? (size_t)(p - t.p) : t.n;
		bool cut;
		fwrite(t.p + from, 1, at - from, out);
		if (!p)
			return t.n;
		size_t end = mark_end(t, at, &cut);
		if (cut && !last)
			return at;
		const struct name *x = named(s, (struct weir_text){ t.p + at, end - at });
		if (x && json && !x->json)
			write_json((struct weir_text){ x->value, x->n }, out);
		else if (x)
			fwrite(x->value, 1, x->n, out);
		else
			fwrite(t.p + at, 1, end - at, out);
		from = end;
	}
	return t.n;
}

void names_show(const struct names *s, struct weir_text text, bool json, FILE *out)
{
	show(s, text, json, true, out);
}

static struct tail *tail_of(struct names *s, unsigned text, bool arguments)
{
	for (unsigned i = 0; i < s->n_tails; i++)
		if (s->tails[i].text == text && s->tails[i].arguments == arguments)
			return &s->tails[i];
	for (unsigned i = 0; i < s->n_tails; i++)
		if (!s->tails[i].n) {
			s->tails[i] = (struct tail){ .text = text, .arguments = arguments };
			return &s->tails[i];
		}
	struct tail *more = s->n_tails < TAILS_MAX ? realloc(s->tails, (s->n_tails + 1) * sizeof(*more)) : NULL;
	if (!more)
		return NULL;
	s->tails = more;
	s->tails[s->n_tails] = (struct tail){ .text = text, .arguments = arguments };
	return &s->tails[s->n_tails++];
}

void names_show_piece(struct names *s, const struct weir_delta *d, bool arguments, FILE *out)
{
	struct tail *tail = tail_of(s, d->choice, arguments);
	size_t before = tail ? tail->n : 0, n = before + d->text.n;
	char *joined = before ? malloc(n) : NULL;
	struct weir_text t = d->text;
	if (joined) {
		memcpy(joined, tail->p, before);
		if (d->text.n)
			memcpy(joined + before, d->text.p, d->text.n);
		t = (struct weir_text){ joined, n };
	}
	size_t done = show(s, t, arguments, d->last || !tail, out);
	if (tail) {
		tail->n = t.n - done;
		memcpy(tail->p, t.p + done, tail->n);
	}
	free(joined);
}
