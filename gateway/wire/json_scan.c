/*
 * json_scan.c: a strict JSON validator in one pass, resumable at any byte.
 *
 * A small state machine without recursion: what may come next is in `expect`, the kind of
 * each open container in one bit. Strings, which are nearly all of a prompt, are crossed by
 * json_run() and continue where they left off; numbers and words that are cut wait for
 * their end, which is why a number's length has a ceiling.
 */
#include "wire/json_scan.h"

#include "wire/json_cursor.h"
#include "wire/json_keys.h"
#include "wire/json_run.h"

enum expect { VALUE, FIRST_VALUE, FIRST_KEY, KEY, COLON, NEXT, NOTHING, START };

/* Where a step stands: the bytes, and what became of it. */
struct view {
	const char *base, *p, *end;
	bool final;
};

void json_scan_init(struct json_scan *s, struct arena *a)
{
	memset(s, 0, offsetof(struct json_scan, first_key));
	memset(&s->n_tables, 0, sizeof(*s) - offsetof(struct json_scan, n_tables));
	s->expect = START;
	s->arena = a;
}

static enum json_result bad(struct json_scan *s, const struct view *v, const char *at, const char *why)
{
	s->error = why;
	s->error_at = (size_t)(at - v->base);
	return JSON_BAD;
}

static enum json_result cut(struct json_scan *s, const struct view *v)
{
	s->at = (size_t)(v->p - v->base);
	return v->final ? bad(s, v, v->end, "unexpected end") : JSON_MORE;
}

/* --- strings --- */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Length of the escape at p; 0: invalid, -1: cut. */
static int escape_at(const char *p, const char *end)
{
	if (end - p < 2)
		return -1;
	switch (p[1]) {
	case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
		return 2;
	case 'u':
		break;
	default:
		return 0;
	}
	for (int i = 2; i < 6; i++) {
		if (end - p <= i)
			return -1;
		if (!is_hex(p[i]))
			return 0;
	}
	return 6;
}

/* Crosses the string at v->p (behind its opening quote) up to and with the closing one. */
static enum json_result cross_string(struct json_scan *s, struct view *v)
{
	for (;;) {
		int n;
		if (v->p < v->end && *v->p != '\\')	/* escapes come in groups */
			v->p = json_run(v->p, v->end);
		if (v->p == v->end)
			return cut(s, v);
		unsigned char c = (unsigned char)*v->p;
		if (c == '"') {
			v->p++;
			return JSON_DONE;
		}
		if (c == '\\') {
			n = escape_at(v->p, v->end);
			s->key_escaped = true;
		} else if (c < 0x20) {
			return bad(s, v, v->p, "a control character in a string");
		} else {
			n = json_utf8(v->p, v->end);
		}
		if (n == 0)
			return bad(s, v, v->p, c == '\\' ? "an unknown escape" : "invalid UTF-8");
		if (n < 0)
			return cut(s, v);
		v->p += n;
	}
}

/* --- the index of the root object --- */

static void index_key(struct json_scan *s, const struct view *v)
{
	if (s->depth != 1)
		return;
	if (s->n_members == s->cap_members) {
		unsigned cap = s->cap_members ? s->cap_members * 2 : 16;
		struct json_member *m = arena_array(s->arena, struct json_member, cap);
		if (s->n_members)
			memcpy(m, s->members, s->n_members * sizeof(*m));
		s->members = m;
		s->cap_members = cap;
	}
	s->members[s->n_members++] = (struct json_member){
		.key_at = s->token_at, .key_length = (size_t)(v->p - v->base) - s->token_at, .escaped = s->key_escaped,
	};
}

static struct json_member *open_member(struct json_scan *s)
{
	return s->depth == 1 && (s->objects & 1) && s->n_members ?
	       &s->members[s->n_members - 1] : NULL;
}

static void index_value_begin(struct json_scan *s, const struct view *v)
{
	struct json_member *m = open_member(s);
	if (m)
		m->value_at = (size_t)(v->p - v->base);
}

static void index_value_end(struct json_scan *s, const struct view *v)
{
	struct json_member *m = open_member(s);
	if (m)
		m->value_length = (size_t)(v->p - v->base) - m->value_at;
}

/* --- values --- */

static void value_done(struct json_scan *s, const struct view *v)
{
	index_value_end(s, v);
	s->expect = s->depth ? NEXT : NOTHING;
}

static enum json_result open_container(struct json_scan *s, struct view *v, bool object)
{
	if (s->depth >= JSON_DEPTH_MAX)
		return bad(s, v, v->p, "nesting deeper than 64");
	uint64_t bit = UINT64_C(1) << s->depth;
	s->objects = object ? s->objects | bit : s->objects & ~bit;
	s->depth++;
	v->p++;
	if (object)
		json_keys_open(s);
	s->expect = object ? FIRST_KEY : FIRST_VALUE;
	return JSON_DONE;
}

static enum json_result close_container(struct json_scan *s, struct view *v)
{
	bool object = s->objects >> (s->depth - 1) & 1;
	if (*v->p != (object ? '}' : ']'))
		return bad(s, v, v->p, object ? "expected `,` or `}`" : "expected `,` or `]`");
	if (object)
		json_keys_close(s);
	s->depth--;
	v->p++;
	value_done(s, v);
	return JSON_DONE;
}

static enum json_result word(struct json_scan *s, struct view *v, const char *text, size_t n)
{
	size_t have = (size_t)(v->end - v->p);
	if (memcmp(v->p, text, have < n ? have : n) != 0)
		return bad(s, v, v->p, "expected a value");
	if (have < n)
		return cut(s, v);
	v->p += n;
	value_done(s, v);
	return JSON_DONE;
}

static const char *digits(const char *p, const char *end)
{
	while (p < end && *p >= '0' && *p <= '9')
		p++;
	return p;
}

/* Behind the number at p; NULL when it is none. `*open`: it could go on at `end`. */
static const char *number_end(const char *p, const char *end, bool *open)
{
	const char *from;
	*open = true;
	if (p < end && *p == '-')
		p++;
	if (p == end)
		return p;
	from = p;
	p = digits(p, end);
	if (p == from || (*from == '0' && p - from > 1))
		return NULL;
	if (p < end && *p == '.') {
		from = ++p;
		p = digits(p, end);
		if (p == from)
			return p == end ? p : NULL;
	}
	if (p < end && (*p == 'e' || *p == 'E')) {
		p++;
		if (p < end && (*p == '+' || *p == '-'))
			p++;
		from = p;
		p = digits(p, end);
		if (p == from)
			return p == end ? p : NULL;
	}
	*open = p == end;
	return p;
}

static bool number_complete(const char *p, const char *end)
{
	return end > p && end[-1] >= '0' && end[-1] <= '9';
}

static enum json_result number(struct json_scan *s, struct view *v)
{
	bool open;
	const char *from = v->p, *to = number_end(from, v->end, &open);
	if (!to)
		return bad(s, v, from, "a malformed number");
	if (to - from > JSON_NUMBER_MAX)
		return bad(s, v, from, "a number longer than 1024 characters");
	if (open && !(v->final && number_complete(from, to)))
		return cut(s, v);
	v->p = to;
	value_done(s, v);
	return JSON_DONE;
}

static enum json_result begin_string(struct json_scan *s, struct view *v, bool key)
{
	s->token_at = (size_t)(v->p - v->base);
	s->in_string = true;
	s->is_key = key;
	s->key_escaped = false;
	v->p++;
	return JSON_DONE;
}

static enum json_result value(struct json_scan *s, struct view *v)
{
	index_value_begin(s, v);
	switch (*v->p) {
	case '"': return begin_string(s, v, false);
	case '{': return open_container(s, v, true);
	case '[': return open_container(s, v, false);
	case 't': return word(s, v, "true", 4);
	case 'f': return word(s, v, "false", 5);
	case 'n': return word(s, v, "null", 4);
	default: break;
	}
	if (*v->p == '-' || (*v->p >= '0' && *v->p <= '9'))
		return number(s, v);
	return bad(s, v, v->p, "expected a value");
}

static enum json_result string_done(struct json_scan *s, struct view *v)
{
	s->in_string = false;
	if (!s->is_key) {
		value_done(s, v);
		return JSON_DONE;
	}
	struct str text = str_of(v->base + s->token_at + 1, (size_t)(v->p - v->base) - s->token_at - 2);
	switch (json_keys_add(s, v->base, text, s->key_escaped)) {
	case JSON_KEY_TWICE:    return bad(s, v, v->base + s->token_at, "a key given twice in one object");
	case JSON_KEY_TOO_MANY: return bad(s, v, v->base + s->token_at, "more than 10000 keys in one object");
	case JSON_KEY_NUL:      return bad(s, v, v->base + s->token_at, "a NUL character in a key");
	case JSON_KEY_NEW:      break;
	}
	index_key(s, v);
	s->expect = COLON;
	return JSON_DONE;
}

/* --- one token --- */

static enum json_result start(struct json_scan *s, struct view *v)
{
	static const char mark[] = "\xEF\xBB\xBF";
	size_t have = (size_t)(v->end - v->p);
	if (v->p == v->base && memcmp(v->p, mark, have < 3 ? have : 3) == 0) {
		if (have < 3)
			return cut(s, v);
		v->p += 3;
		return JSON_DONE;
	}
	if (*v->p != '{' && !s->any_root)
		return bad(s, v, v->p, "the body must be an object");
	return value(s, v);
}

static enum json_result next(struct json_scan *s, struct view *v)
{
	if (*v->p != ',')
		return close_container(s, v);
	v->p++;
	s->expect = s->objects >> (s->depth - 1) & 1 ? KEY : VALUE;
	return JSON_DONE;
}

static enum json_result key(struct json_scan *s, struct view *v)
{
	if (*v->p == '}' && s->expect == FIRST_KEY)
		return close_container(s, v);
	if (*v->p != '"')
		return bad(s, v, v->p, "expected a key in double quotes");
	return begin_string(s, v, true);
}

static enum json_result token(struct json_scan *s, struct view *v)
{
	switch ((enum expect)s->expect) {
	case START:       return start(s, v);
	case FIRST_VALUE: return *v->p == ']' ? close_container(s, v) : value(s, v);
	case VALUE:       return value(s, v);
	case FIRST_KEY:
	case KEY:         return key(s, v);
	case NEXT:        return next(s, v);
	case NOTHING:     return bad(s, v, v->p, "something follows the document");
	case COLON:       break;
	}
	if (*v->p != ':')
		return bad(s, v, v->p, "expected `:`");
	v->p++;
	s->expect = VALUE;
	return JSON_DONE;
}

static const char *skip_blank(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
		p++;
	return p;
}

enum json_result json_scan_feed(struct json_scan *s, const char *base, size_t have, bool final)
{
	struct view v = { base, base + s->at, base + have, final };
	enum json_result r;
	if (s->error)
		return JSON_BAD;
	if (have > UINT32_MAX)
		return bad(s, &v, v.p, "more than 4 GiB");
	for (;;) {
		if (s->in_string) {
			r = cross_string(s, &v);
			if (r == JSON_DONE)
				r = string_done(s, &v);
			if (r != JSON_DONE)
				return r;
		}
		v.p = skip_blank(v.p, v.end);
		if (v.p == v.end)
			break;
		r = token(s, &v);
		if (r != JSON_DONE)
			return r;
	}
	s->at = have;
	if (s->expect == NOTHING && !s->in_string)
		return JSON_DONE;
	return cut(s, &v);
}

bool json_scan_is_object(struct str text)
{
	struct arena a = ARENA_INIT;
	struct json_scan unset scan;
	json_scan_init(&scan, &a);
	bool good = json_scan_feed(&scan, text.p, text.n, true) == JSON_DONE;
	arena_clear(&a);
	return good;
}

const struct json_member *json_scan_find(const struct json_scan *s, struct str body, struct str wanted)
{
	for (unsigned i = 0; i < s->n_members; i++) {
		const struct json_member *m = &s->members[i];
		struct str spelled = str_of(body.p + m->key_at, m->key_length);
		if (m->escaped ? json_is(spelled, wanted) :
		    str_eq(str_of(spelled.p + 1, spelled.n - 2), wanted))
			return m;
	}
	return NULL;
}
