/*
 * http_lex.c: the table of byte classes, and the syntax of host and port.
 *
 * `"<>\^`{|}` are left out of paths although some clients send them raw: RFC 3986 has
 * them encoded, and a backslash is where two readers of a path part ways.
 */
#include "wire/http_lex.h"

enum {
	T = LEX_TOKEN,
	P = LEX_PATH,
	TP = LEX_TOKEN | LEX_PATH,
	TPH = LEX_TOKEN | LEX_PATH | LEX_HOST,
	DG = LEX_TOKEN | LEX_PATH | LEX_HOST | LEX_DIGIT | LEX_HEX | LEX_V6,
	HX = LEX_TOKEN | LEX_PATH | LEX_HOST | LEX_HEX | LEX_V6,
	DOT = LEX_TOKEN | LEX_PATH | LEX_HOST | LEX_V6,
	CLN = LEX_PATH | LEX_V6
};

const unsigned char http_lex[256] = {
	['!'] = TP, ['#'] = T, ['$'] = TP, ['%'] = TP, ['&'] = TP, ['\''] = TP, ['*'] = TP, ['+'] = TP,
	['-'] = TPH, ['.'] = DOT, ['^'] = T, ['_'] = TPH, ['`'] = T, ['|'] = T, ['~'] = TPH,
	['('] = P, [')'] = P, [','] = P, ['/'] = P, [':'] = CLN, [';'] = P, ['='] = P, ['@'] = P,
	['0' ... '9'] = DG,
	['A' ... 'F'] = HX, ['G' ... 'Z'] = TPH,
	['a' ... 'f'] = HX, ['g' ... 'z'] = TPH
};

/* ":port" or nothing; an empty port is refused. */
static bool port_parse(struct str s, unsigned *port)
{
	*port = 0;
	if (str_empty(s))
		return true;
	uint64_t n;
	if (s.p[0] != ':' || s.n > 6 || !str_u64(str_skip(s, 1), &n) || n == 0 || n > 65535)
		return false;
	*port = (unsigned)n;
	return true;
}

bool lex_authority(struct str s, struct lex_authority *out)
{
	out->v6 = s.n && s.p[0] == '[';
	unsigned class = LEX_HOST;
	ptrdiff_t at;
	struct str rest;
	if (out->v6) {
		at = str_chr(s, ']');
		if (at < 0)
			return false;
		class = LEX_V6;
		out->host = str_of(s.p + 1, (size_t)at - 1);
		rest = str_skip(s, (size_t)at + 1);
	} else {
		at = str_chr(s, ':');
		out->host = at < 0 ? s : str_head(s, (size_t)at);
		rest = str_skip(s, out->host.n);
	}
	return out->host.n && out->host.n <= 255 && lex_all(out->host, class) && port_parse(rest, &out->port);
}
