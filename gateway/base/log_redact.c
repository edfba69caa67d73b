/*
 * log_redact.c: credentials blanked out of texts for people.
 *
 * Three ways of telling: a value after a telling name (`x-api-key: ...`, `key=...`), a
 * word after an authentication scheme (`Bearer ...`), and vendors' own forms (`sk-...`).
 * Blanking too much costs a word of a message, too little a secret: when in doubt it goes.
 */
#include "base/log.h"

enum { SECRET_LEAST = 8 };	/* shorter words after a vendor's prefix are words */

static const struct str schemes[] = { STR_INIT("bearer "), STR_INIT("basic ") };

static const struct str prefixes[] = {
	STR_INIT("sk-"), STR_INIT("sk_"), STR_INIT("rk_"), STR_INIT("AIza"), STR_INIT("AKIA"), STR_INIT("ASIA"),
	STR_INIT("gsk_"), STR_INIT("xai-"), STR_INIT("hf_"), STR_INIT("pplx-"), STR_INIT("nvapi-"), STR_INIT("csk-"),
	STR_INIT("r8_"), STR_INIT("fw_"), STR_INIT("tgp_"), STR_INIT("ya29."), STR_INIT("eyJ"), STR_INIT("ghp_"),
	STR_INIT("github_pat_"), STR_INIT("glpat-"), STR_INIT("xox"),
};

/* Names whose value goes after `=`; those whose value goes after `:` too; those whose whole line goes. */
static const struct str names[] = { STR_INIT("key"), STR_INIT("token"), STR_INIT("sig"), STR_INIT("signature") };
static const struct str strong_names[] = {
	STR_INIT("api-key"), STR_INIT("api_key"), STR_INIT("apikey"), STR_INIT("password"),
	STR_INIT("secret"), STR_INIT("access_token"), STR_INIT("access-token"), STR_INIT("credential"),
};
static const struct str line_names[] = { STR_INIT("authorization"), STR_INIT("cookie") };

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

static bool is_secret(char c)
{
	return is_word(c) || c == '.' || c == '~' || c == '+' || c == '/' || c == '=' || c == '%';
}

static size_t run_of(struct str s, bool (*belongs)(char))
{
	size_t n = 0;
	while (n < s.n && belongs(s.p[n]))
		n++;
	return n;
}

static bool is_value(char c)
{
	return c != ' ' && c != '\t' && c != '"' && c != '\'' && c != '&' && c != ',' && c != ';' && c != '\n' &&
	       c != '\r' && c != '}' && c != ')' && c != '<';
}

static bool is_line(char c)
{
	return c != '"' && c != '\'' && c != '\n' && c != '\r';
}

/* `Bearer abc`: how much of s is kept, and how much then goes. */
static bool after_scheme(struct str s, size_t *kept, size_t *blank)
{
	for (size_t i = 0; i < array_len(schemes); i++) {
		if (!str_istarts(s, schemes[i]))
			continue;
		*kept = schemes[i].n;
		*blank = run_of(str_skip(s, *kept), is_secret);
		return *blank > 0;
	}
	return false;
}

static bool vendor_form(struct str s, size_t *kept, size_t *blank)
{
	for (size_t i = 0; i < array_len(prefixes); i++) {
		if (!str_starts(s, prefixes[i]))
			continue;
		*kept = prefixes[i].n;
		*blank = run_of(str_skip(s, *kept), is_secret);
		if (*blank >= SECRET_LEAST)
			return true;
	}
	return false;
}

static bool ends_with_one(struct str word, const struct str *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (word.n >= list[i].n && str_ieq(str_skip(word, word.n - list[i].n), list[i]))
			return true;
	return false;
}

static size_t skip_quotes(struct str s, size_t at)
{
	while (at < s.n && (s.p[at] == '"' || s.p[at] == '\'' || s.p[at] == ' '))
		at++;
	return at;
}

/* `word` bytes at the start of s are a word: `key=abc`, `"x-api-key": "abc"`. */
static bool named_value(struct str s, size_t word, size_t *kept, size_t *blank)
{
	struct str name = str_head(s, word);
	size_t at = skip_quotes(s, word);
	if (at == s.n || (s.p[at] != '=' && s.p[at] != ':'))
		return false;
	bool line = ends_with_one(name, line_names, array_len(line_names));
	if (!line && !ends_with_one(name, strong_names, array_len(strong_names)) &&
	    (s.p[at] != '=' || !ends_with_one(name, names, array_len(names))))
		return false;
	*kept = skip_quotes(s, at + 1);
	*blank = run_of(str_skip(s, *kept), line ? is_line : is_value);
	return *blank > 0;
}

/* `://user:password@`. */
static bool user_in_url(struct str s, size_t *kept, size_t *blank)
{
	if (!str_starts(s, STR("://")))
		return false;
	*kept = 3;
	*blank = 0;
	for (size_t i = 3; i < s.n && is_value(s.p[i]) && s.p[i] != '/'; i++)
		if (s.p[i] == '@')
			*blank = i - 3;
	return *blank > 0;
}

static bool secret_at(struct str s, size_t word, size_t *kept, size_t *blank)
{
	if (word == 0)
		return user_in_url(s, kept, blank);
	return named_value(s, word, kept, blank) || after_scheme(s, kept, blank) || vendor_form(s, kept, blank);
}

bool log_redact(struct buf *out, struct str text)
{
	while (text.n) {
		size_t word = run_of(text, is_word), kept = 0, blank = 0;
		if (secret_at(text, word, &kept, &blank)) {
			buf_add(out, str_head(text, kept));
			buf_add(out, STR("..."));
			text = str_skip(text, kept + blank);
		} else {
			buf_add(out, str_head(text, word ? word : 1));
			text = str_skip(text, word ? word : 1);
		}
	}
	return !out->failed;
}
