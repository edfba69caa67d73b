/*
 * find.c: where personal data stands in a text.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "redact/redact.h"

/* Steps and depth a pattern may take in one text. */
static const uint32_t MATCH_LIMIT = 1000000, DEPTH_LIMIT = 10000;

#define OCTET "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"

static const struct builtin {
	const char *name, *label, *pattern;
	check_fn *check;
} builtins[] = {
	{ "email", "EMAIL", "(?<![\\w.%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])", NULL },
	{ "iban", "IBAN", "(?<![A-Za-z0-9])[A-Z]{2}\\d{2}(?: ?[A-Z0-9]){11,30}", check_iban },
	{ "card", "CARD", "(?<![\\d.-])\\d(?:[ -]?\\d){12,18}(?![\\d-])", check_card },
	{ "id", "ID",
	  "(?<![\\w-])(?:(?!000|666|9)\\d{3}-(?!00)\\d{2}-(?!0000)\\d{4}"			/* United States */
	  "|[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]"		/* United Kingdom */
	  "|[1-9]\\d{5}(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])\\d{3}[\\dXx]"	/* China */
	  "|\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}"						/* Brazil */
	  "|\\d{8}[A-Z]"								/* Spain */
	  "|[A-Z]{6}\\d{2}[A-EHLMPR-T]\\d{2}[A-Z]\\d{3}[A-Z])(?![\\w-])", check_id },	/* Italy */
	{ "ip", "IP", "(?<![\\w.:])(?:(?:" OCTET "\\.){3}" OCTET "(?!\\d|\\.\\d)|(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\\w:]))",
	  check_ip },
	{ "phone", "PHONE",
	  "(?<![\\w.+/-])(?:(?:\\+|00)[1-9]\\d{0,2}(?:[ .\\-/]?\\(?\\d{1,5}\\)?){2,6}"
	  "|\\(\\d{3}\\) ?\\d{3}[ .-]\\d{4}|\\d{3}[.-]\\d{3}[.-]\\d{4}|0\\d{2,5}[ /-]\\d{4,10}(?:-\\d{1,5})?)(?![\\w-])", check_phone },
};

enum { BUILTINS = sizeof(builtins) / sizeof(builtins[0]) };

/* What a caller writes that looks like a placeholder of ours is kept apart from these. */
static const char LITERAL[] = "TEXT", LITERAL_PATTERN[] = "\\[[A-Z][A-Z0-9_]{0,23}_[1-9]\\d{0,5}\\]";

static pcre2_code *compile(const char *pattern, size_t n, char why[160], size_t *at)
{
	int error;
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, n, PCRE2_UTF | PCRE2_MATCH_INVALID_UTF, &error, at, NULL);
	if (code)
		pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	else if (pcre2_get_error_message(error, (PCRE2_UCHAR *)why, 160) < 0)
		why[0] = 0;
	return code;
}

static bool add(struct finder *f, const char *label, size_t label_n, struct weir_text pattern, check_fn *check, char why[160], size_t *at)
{
	struct kind *k = &f->kinds[f->n];
	if (f->n == KINDS_MAX || label_n > LABEL_MAX) {
		snprintf(why, 160, "at most %d kinds, names of at most %d bytes", KINDS_MAX - 1, LABEL_MAX);
		return false;
	}
	k->code = compile(pattern.p, pattern.n, why, at);
	k->check = check;
	memcpy(k->label, label, label_n);
	k->label[label_n] = 0;
	f->n += k->code != NULL;
	return k->code != NULL;
}

struct finder *finder_open(void)
{
	char why[160];
	size_t at;
	struct finder *f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	f->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(f->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(f->limits, DEPTH_LIMIT);
	add(f, LITERAL, sizeof(LITERAL) - 1, (struct weir_text){ LITERAL_PATTERN, sizeof(LITERAL_PATTERN) - 1 }, NULL, why, &at);
	return f;
}

void finder_close(struct finder *f)
{
	for (unsigned i = 0; f && i < f->n; i++)
		pcre2_code_free(f->kinds[i].code);
	if (f)
		pcre2_match_context_free(f->limits);
	free(f);
}

const char *builtin_kind(unsigned i)
{
	return i < BUILTINS ? builtins[i].name : NULL;
}

bool finder_add_builtin(struct finder *f, unsigned i)
{
	char why[160];
	size_t at;
	const struct builtin *b = &builtins[i];
	return add(f, b->label, strlen(b->label), (struct weir_text){ b->pattern, strlen(b->pattern) }, b->check, why, &at);
}

bool finder_add(struct finder *f, struct weir_text label, struct weir_text pattern, char why[160], size_t *at)
{
	char upper[LABEL_MAX + 1];
	*at = 0;
	for (size_t i = 0; i < label.n && i < LABEL_MAX; i++) {
		upper[i] = (char)toupper((unsigned char)label.p[i]);
		if (!(isupper((unsigned char)upper[i]) || (i && (isdigit((unsigned char)upper[i]) || upper[i] == '_')))) {
			snprintf(why, 160, "its name must be letters, digits and `_`");
			return false;
		}
	}
	return add(f, upper, label.n, pattern, NULL, why, at);
}

/* --- looking through one text --- */

static void advance(struct search *s, unsigned kind, size_t from)
{
	const struct kind *k = &s->finder->kinds[kind];
	struct found *next = &s->next[kind];
	for (;;) {
		int n = pcre2_match(k->code, (PCRE2_SPTR)s->text.p, s->text.n, from, 0, s->data, s->finder->limits);
		const PCRE2_SIZE *at = pcre2_get_ovector_pointer(s->data);
		s->cut_off |= n == PCRE2_ERROR_MATCHLIMIT || n == PCRE2_ERROR_DEPTHLIMIT || n == PCRE2_ERROR_JIT_STACKLIMIT;
		*next = (struct found){ .n = 0 };
		if (n < 0)
			return;
		size_t length = at[1] > at[0] ? at[1] - at[0] : 0;
		if (length && k->check)
			length = k->check(s->text.p + at[0], length);
		*next = (struct found){ at[0], length, kind };
		if (length)
			return;
		from = at[0] + 1;	/* it was something else */
		if (from > s->text.n)
			return;
	}
}

void search_open(struct search *s, const struct finder *f, struct weir_text text)
{
	s->finder = f;
	s->text = text;
	s->cut_off = false;
	s->data = pcre2_match_data_create(1, NULL);
	memset(s->next, 0, sizeof(s->next));
	for (unsigned i = 0; s->data && i < f->n; i++)
		advance(s, i, 0);
}

struct found search_next(struct search *s)
{
	struct found best = { .n = 0 };
	for (unsigned i = 0; i < s->finder->n; i++)
		if (s->next[i].n && (!best.n || s->next[i].at < best.at))
			best = s->next[i];
	for (unsigned i = 0; best.n && i < s->finder->n; i++)
		if (s->next[i].n && s->next[i].at < best.at + best.n)
			advance(s, i, best.at + best.n);
	return best;
}

void search_close(struct search *s)
{
	pcre2_match_data_free(s->data);
}
