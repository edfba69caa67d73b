/*
 * url.c: base URLs and percent-encoding.
 */
#include "wire/url.h"

#include "wire/http_lex.h"

/* True when every byte may stand in a URL and every `%` begins an escape. */
static bool escapes_good(struct str s, unsigned class)
{
	for (size_t i = 0; i < s.n; i++) {
		if (class ? !lex_is(s.p[i], class) : !lex_is_visible(s.p[i]))
			return false;
		if (s.p[i] == '%' &&
		    (s.n - i < 3 || !lex_is(s.p[i + 1], LEX_HEX) || !lex_is(s.p[i + 2], LEX_HEX)))
			return false;
	}
	return true;
}

static bool has_dot_segment(struct str path)
{
	struct str segment;
	while (str_split(&path, '/', &segment))
		if (str_eq(segment, STR(".")) || str_eq(segment, STR("..")))
			return true;
	return false;
}

/* What follows the authority. */
static const char *path_parse(struct str s, struct url *out)
{
	if (str_chr(s, '#') >= 0)
		return "has a fragment (#...)";
	ptrdiff_t mark = str_chr(s, '?');
	out->path = mark < 0 ? s : str_head(s, (size_t)mark);
	out->query = mark < 0 ? STR_NONE : str_skip(s, (size_t)mark + 1);
	while (str_ends(out->path, STR("/")))
		out->path.n--;
	if (!escapes_good(out->path, LEX_PATH) || !escapes_good(out->query, 0))
		return "has a byte in its path that must be percent-encoded, or a broken escape";
	return has_dot_segment(out->path) ? "has a `.` or `..` segment" : NULL;
}

static struct str authority_take(struct str *s)
{
	size_t n = 0;
	while (n < s->n && s->p[n] != '/' && s->p[n] != '?' && s->p[n] != '#')
		n++;
	struct str authority = str_head(*s, n);
	*s = str_skip(*s, n);
	return authority;
}

const char *url_parse(struct str text, struct url *out)
{
	*out = (struct url){ .tls = str_istarts(text, STR("https://")) };
	if (!out->tls && !str_istarts(text, STR("http://")))
		return "must begin with http:// or https://";
	struct str rest = str_skip(text, out->tls ? 8 : 7);
	out->authority = authority_take(&rest);
	if (str_chr(out->authority, '@') >= 0)
		return "has a user part (...@)";
	struct lex_authority a;
	if (!lex_authority(out->authority, &a))
		return "has no valid host or port";
	out->host = a.host;
	out->v6 = a.v6;
	out->port_written = a.port != 0;
	out->port = (uint16_t)(a.port ? a.port : out->tls ? 443 : 80);
	return path_parse(rest, out);
}

static bool needs_decoding(struct str s, bool plus_is_space)
{
	return str_chr(s, '%') >= 0 || (plus_is_space && str_chr(s, '+') >= 0);
}

bool url_decode(struct arena *a, struct str s, bool plus_is_space, struct str *out)
{
	*out = s;
	if (!needs_decoding(s, plus_is_space))
		return true;
	char *to = arena_alloc(a, s.n);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		if (c == '%') {
			if (s.n - i < 3 || !lex_is(s.p[i + 1], LEX_HEX) || !lex_is(s.p[i + 2], LEX_HEX))
				return false;
			c = (char)(lex_hex(s.p[i + 1]) << 4 | lex_hex(s.p[i + 2]));
			if (c == 0)
				return false;
			i += 2;
		} else if (c == '+' && plus_is_space) {
			c = ' ';
		}
		to[n++] = c;
	}
	*out = str_of(to, n);
	return true;
}

unsigned url_query_find(struct str query, struct str name, struct str *value)
{
	unsigned found = 0;
	struct str part;
	*value = STR_NONE;
	while (str_split(&query, '&', &part)) {
		struct str rest = part, key;
		if (!str_split(&rest, '=', &key) || !str_eq(key, name))
			continue;
		if (found++ == 0)
			*value = rest;
	}
	return found;
}
