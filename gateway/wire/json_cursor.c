/*
 * json_cursor.c: reading single values in place.
 *
 * Skipping a container counts brackets outside strings; that is right for valid bytes and
 * harmless for others, since every step is bounded by the span's end.
 */
#include "wire/json_cursor.h"

static bool blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && blank(*p))
		p++;
	return p;
}

/* Behind the closing quote of the string that begins at p, or NULL. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		const char *quote = memchr(p, '"', (size_t)(end - p));
		if (!quote)
			return NULL;
		unsigned slashes = 0;
		for (const char *b = quote; b > p && b[-1] == '\\'; b--)
			slashes++;
		if (slashes % 2 == 0)
			return quote + 1;
		p = quote;
	}
	return NULL;
}

static const char *skip_container(const char *p, const char *end)
{
	size_t depth = 0;
	while (p && p < end) {
		switch (*p) {
		case '"':
			p = skip_string(p, end);
			continue;
		case '{':
		case '[':
			depth++;
			break;
		case '}':
		case ']':
			if (--depth == 0)
				return p + 1;
			break;
		default:
			break;
		}
		p++;
	}
	return NULL;
}

static const char *skip_value(const char *p, const char *end)
{
	if (p >= end)
		return NULL;
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '{' || *p == '[')
		return skip_container(p, end);
	const char *from = p;
	while (p < end && *p != ',' && *p != '}' && *p != ']' && *p != ':' && !blank(*p))
		p++;
	return p > from ? p : NULL;
}

struct str json_value(struct str text)
{
	const char *end = text.p + text.n;
	const char *p = text.n ? skip_blank(text.p, end) : end;
	const char *behind = p ? skip_value(p, end) : NULL;
	return behind ? str_of(p, (size_t)(behind - p)) : STR_NONE;
}

struct str json_whole(struct str text)
{
	while (text.n && blank(text.p[text.n - 1]))
		text.n--;
	while (text.n && blank(text.p[0]))
		text = str_skip(text, 1);
	return text;
}

enum json_type json_type(struct str value)
{
	switch (value.n ? value.p[0] : '\0') {
	case '{': return JSON_OBJECT;
	case '[': return JSON_ARRAY;
	case '"': return JSON_STRING;
	case 't': return str_eq(value, STR("true")) ? JSON_TRUE : JSON_NONE;
	case 'f': return str_eq(value, STR("false")) ? JSON_FALSE : JSON_NONE;
	case 'n': return str_eq(value, STR("null")) ? JSON_NULL : JSON_NONE;
	case '\0': return JSON_NONE;
	default: return value.p[0] == '-' || (value.p[0] >= '0' && value.p[0] <= '9') ? JSON_NUMBER : JSON_NONE;
	}
}

bool json_cursor_open(struct json_cursor *c, struct str container)
{
	enum json_type type = json_type(container);
	if (type != JSON_OBJECT && type != JSON_ARRAY)
		return false;
	*c = (struct json_cursor){ .p = container.p + 1, .end = container.p + container.n, .object = type == JSON_OBJECT };
	return true;
}

char json_first(struct str container)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, container))
		return 0;
	const char *p = skip_blank(c.p, c.end);
	return p < c.end && *p != ']' && *p != '}' ? *p : 0;
}

static bool next_key(struct json_cursor *c)
{
	if (c->p >= c->end || *c->p != '"')
		return false;
	const char *behind = skip_string(c->p, c->end);
	if (!behind)
		return false;
	c->key = str_of(c->p + 1, (size_t)(behind - c->p) - 2);
	c->p = skip_blank(behind, c->end);
	if (c->p >= c->end || *c->p != ':')
		return false;
	c->p = skip_blank(c->p + 1, c->end);
	return true;
}

bool json_cursor_step(struct json_cursor *c)
{
	c->p = skip_blank(c->p, c->end);
	if (c->p < c->end && *c->p == ',')
		c->p = skip_blank(c->p + 1, c->end);
	return c->object ? next_key(c) : c->p < c->end && *c->p != ']';
}

bool json_cursor_cross(struct json_cursor *c)
{
	const char *behind = skip_value(c->p, c->end);
	if (!behind) {
		c->p = c->end;	/* nonsense ends here */
		return false;
	}
	c->value = str_of(c->p, (size_t)(behind - c->p));
	c->p = behind;
	return true;
}

bool json_cursor_next(struct json_cursor *c)
{
	return json_cursor_step(c) && json_cursor_cross(c);
}

bool json_list_of(struct str value, enum json_type type)
{
	struct json_cursor c;
	unsigned n = 0;
	if (json_type(value) != JSON_ARRAY || !json_cursor_open(&c, value))
		return false;
	for (; json_cursor_next(&c); n++)
		if (json_type(c.value) != type)
			return false;
	return n > 0;
}

bool json_cursor_into(const struct json_cursor *c, struct json_cursor *inner)
{
	if (c->p >= c->end || (*c->p != '{' && *c->p != '['))
		return false;
	*inner = (struct json_cursor){ .p = c->p + 1, .end = c->end, .object = *c->p == '{' };
	return true;
}

void json_cursor_out(struct json_cursor *c, const struct json_cursor *inner)
{
	c->p = inner->p < c->end ? inner->p + 1 : c->end;
}

/* --- strings --- */

struct str json_raw(struct str value)
{
	if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"')
		return STR_NONE;
	return str_of(value.p + 1, value.n - 2);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four hex digits behind "\u" at p, or -1. */
static int32_t unit(const char *p, const char *end)
{
	int32_t v = 0;
	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int d = hex_digit(p[i]);
		if (d < 0)
			return -1;
		v = v * 16 + d;
	}
	return v;
}

static size_t put_utf8(int32_t c, char *to)
{
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xC0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xE0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3F));
		to[2] = (char)(0x80 | (c & 0x3F));
		return 3;
	}
	to[0] = (char)(0xF0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3F));
	to[2] = (char)(0x80 | (c >> 6 & 0x3F));
	to[3] = (char)(0x80 | (c & 0x3F));
	return 4;
}

/* Undoes the escape at *p, writing at most 4 bytes; 0 for a broken one. */
static size_t undo_escape(const char **p, const char *end, char *to)
{
	static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
	if (end - *p < 2)
		return 0;
	const char *simple = memchr(from, (*p)[1], sizeof(from) - 1);
	if (simple) {
		to[0] = into[simple - from];
		*p += 2;
		return 1;
	}
	int32_t high = unit(*p, end);
	if (high < 0)
		return 0;
	*p += 6;
	if (high >= 0xD800 && high < 0xDC00) {
		int32_t low = unit(*p, end);
		if (low >= 0xDC00 && low < 0xE000) {
			*p += 6;
			return put_utf8(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), to);
		}
	}
	return put_utf8(high, to);
}

struct str json_text(struct arena *a, struct str value)
{
	struct str raw = json_raw(value);
	if (!raw.p || str_chr(raw, '\\') < 0)
		return raw;
	char *out = arena_alloc(a, raw.n + 4);
	size_t n = 0;
	for (const char *p = raw.p, *end = raw.p + raw.n; p < end;) {
		if (*p != '\\') {
			out[n++] = *p++;
			continue;
		}
		size_t wrote = undo_escape(&p, end, out + n);
		if (wrote == 0)
			return STR_NONE;
		n += wrote;
	}
	return str_of(out, n);
}

static bool raw_is(struct str raw, struct str text)
{
	char c[4];
	size_t at = 0;
	if (str_chr(raw, '\\') < 0)
		return str_eq(raw, text);
	for (const char *p = raw.p, *end = raw.p + raw.n; p < end;) {
		size_t n = 1;
		if (*p == '\\')
			n = undo_escape(&p, end, c);
		else
			c[0] = *p++;
		if (n == 0 || text.n - at < n || memcmp(text.p + at, c, n) != 0)
			return false;
		at += n;
	}
	return at == text.n;
}

bool json_is(struct str value, struct str text)
{
	struct str raw = json_raw(value);
	return raw.p && raw_is(raw, text);
}

struct str json_get(struct str object, struct str key)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, object) || !c.object)
		return STR_NONE;
	while (json_cursor_next(&c))
		if (raw_is(c.key, key))
			return c.value;
	return STR_NONE;
}

void json_get_all(struct str object, const struct str *keys, unsigned n, struct str *out)
{
	struct json_cursor c;
	bool open = json_cursor_open(&c, object) && c.object;
	for (unsigned i = 0; i < n; i++)
		out[i] = STR_NONE;
	while (open && json_cursor_next(&c)) {
		bool plain = str_chr(c.key, '\\') < 0;
		for (unsigned i = 0; i < n; i++)
			if (!out[i].p && (plain ? str_eq(c.key, keys[i]) : raw_is(c.key, keys[i])))
				out[i] = c.value;
	}
}

/* --- an object asked for many members --- */

void json_fields_open(struct json_fields *f, struct str object)
{
	f->n = 0;
	if (!json_cursor_open(&f->rest, object) || !f->rest.object)
		f->rest = (struct json_cursor){ .p = NULL, .end = NULL, .object = true };
}

static bool is_key(struct str key, bool escaped, struct str wanted)
{
	return escaped ? raw_is(key, wanted) : str_eq(key, wanted);
}

static struct str field_beyond(struct json_cursor rest, struct str key)
{
	while (json_cursor_next(&rest))
		if (raw_is(rest.key, key))
			return rest.value;
	return STR_NONE;
}

struct str json_field(struct json_fields *f, struct str key)
{
	for (unsigned i = 0; i < f->n; i++)
		if (is_key(f->at[i].key, f->at[i].escaped, key))
			return f->at[i].value;
	while (f->n < JSON_FIELDS) {
		if (!json_cursor_next(&f->rest)) {
			f->rest.p = f->rest.end;	/* nonsense makes no more sense the second time */
			return STR_NONE;
		}
		struct str passed = f->rest.key;
		bool escaped = memchr(passed.p, '\\', passed.n);
		f->at[f->n].key = passed;
		f->at[f->n].value = f->rest.value;
		f->at[f->n++].escaped = escaped;
		if (is_key(passed, escaped, key))
			return f->rest.value;
	}
	return field_beyond(f->rest, key);
}

/* --- numbers --- */

bool json_int(struct str value, int64_t *out)
{
	uint64_t magnitude;
	bool negative = value.n && value.p[0] == '-';
	if (json_type(value) != JSON_NUMBER || !str_u64(negative ? str_skip(value, 1) : value, &magnitude) ||
	    magnitude > INT64_MAX)
		return false;
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return true;
}

static int64_t count(struct str value)
{
	int64_t n;
	return json_int(value, &n) && n > 0 ? n : 0;
}

int64_t json_count(struct str object, struct str key)
{
	return count(json_get(object, key));
}

int64_t json_field_count(struct json_fields *f, struct str key)
{
	return count(json_field(f, key));
}
