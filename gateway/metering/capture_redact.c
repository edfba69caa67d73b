/*
 * capture_redact.c: string by string, unescaped, blanked and escaped again.
 */
#include "base/arena.h"
#include "base/log.h"
#include "metering/capture_file.h"
#include "wire/json_cursor.h"

enum { NUMBER_LEAST = 7 };	/* digits: telephone and card numbers have more, years and prices fewer */

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_address(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-' || c == '+' || c == '%' ||
	       (unsigned char)c >= 0x80;
}

/* "name@host.tld" at the start of s, or 0. */
static size_t address_at(struct str s)
{
	size_t name = 0, end;
	while (name < s.n && is_address(s.p[name]))
		name++;
	if (name == 0 || name == s.n || s.p[name] != '@')
		return 0;
	for (end = name + 1; end < s.n && is_address(s.p[end]); end++)
		;
	return str_chr(str_of(s.p + name + 1, end - name - 1), '.') > 0 ? end : 0;
}

/* Digits with blanks, dots, dashes and brackets between them. */
static size_t number_at(struct str s)
{
	size_t digits = 0, end = 0;
	for (size_t i = 0; i < s.n; i++) {
		if (is_digit(s.p[i])) {
			digits++;
			end = i + 1;
		} else if (str_chr(STR(" -./()"), s.p[i]) < 0 || i - end > 2) {
			break;
		}
	}
	return digits >= NUMBER_LEAST ? end : 0;
}

static void blank_personal(struct str text, struct buf *out)
{
	while (text.n) {
		size_t n = address_at(text);
		if (n) {
			buf_add(out, STR("[email]"));
		} else if (is_digit(text.p[0]) && (n = number_at(text)) > 0) {
			buf_add(out, STR("[number]"));
		} else {
			/* A whole word: its tail is no address of its own. */
			for (n = 0; n < text.n && is_address(text.p[n]); n++)
				;
			n = n && text.p[0] != '+' ? n : 1;
			buf_add(out, str_head(text, n));
		}
		text = str_skip(text, n);
	}
}

static bool tells_secret(struct str key)
{
	static const struct str names[] = {
		STR_INIT("password"), STR_INIT("secret"), STR_INIT("api_key"), STR_INIT("apikey"), STR_INIT("api-key"), STR_INIT("token"),
		STR_INIT("authorization"), STR_INIT("credential"),
	};
	for (size_t i = 0; i < array_len(names); i++)
		if (str_ieq(key, names[i]) || (key.n > names[i].n && str_ieq(str_skip(key, key.n - names[i].n), names[i])))
			return true;
	return false;
}

static void add_string(struct str value, bool blank, bool personal, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct str plain = json_text(&a, value);
	struct buf known = BUF_INIT(2 * value.n + 4096), kept = BUF_INIT(2 * value.n + 4096);
	log_redact(&known, plain);
	if (personal)
		blank_personal(buf_str(&known), &kept);
	buf_add_json(out, blank ? STR("...") : personal ? buf_str(&kept) : buf_str(&known));
	buf_free(&known);
	buf_free(&kept);
	arena_wipe(&a);
}

/* Of the string that begins with the quote at s: behind its end; 0: it does not end. */
static size_t string_end(struct str s)
{
	for (size_t i = 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++;
		else if (s.p[i] == '"')
			return i + 1;
	}
	return 0;
}

static bool names_what_follows(struct str rest)
{
	struct str t = str_trim(str_head(rest, 16));
	return t.n && t.p[0] == ':';
}

void capture_redact(struct str text, bool personal, bool one_line, struct buf *out)
{
	bool secret = false;	/* the last key was a telling one */
	while (text.n) {
		size_t n = text.p[0] == '"' ? string_end(text) : 0;
		if (n) {
			struct str inner = str_of(text.p + 1, n - 2);
			bool key = names_what_follows(str_skip(text, n));
			add_string(str_head(text, n), secret && !key, personal && !key, out);
			secret = key && tells_secret(inner);
		} else if (text.p[0] == '"') {
			log_redact(out, text);		/* cut within a string */
			return;
		} else {
			n = 1;
			bool end = text.p[0] == '\n' || text.p[0] == '\r';
			secret = secret && (text.p[0] == ':' || text.p[0] == ' ');
			buf_addc(out, end && one_line ? ' ' : text.p[0]);
		}
		text = str_skip(text, n);
	}
}
