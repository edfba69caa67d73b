/*
 * admin_token.c: the admin token, as a program or a browser sends it.
 */
#include "admin/admin_token.h"

#include "base/digest.h"

enum { BASIC_MAX = 1024 };

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Up to BASIC_MAX bytes, padding ignored; what is no base64 ends it. */
static struct str base64_decode(struct str text, char *out)
{
	size_t n = 0;
	unsigned bits = 0, have = 0;
	for (size_t i = 0; i < text.n && n < BASIC_MAX; i++) {
		int v = base64_value(text.p[i]);
		if (v < 0)
			break;
		bits = (bits << 6 | (unsigned)v) & 0xffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			out[n++] = (char)(bits >> have & 0xff);
		}
	}
	return str_of(out, n);
}

static bool same(struct str a, struct str b)
{
	uint8_t x[DIGEST_SIZE], y[DIGEST_SIZE];
	digest_sha256(a, x);
	digest_sha256(b, y);
	return digest_equal(x, y);
}

bool admin_token_matches(struct str token, struct str authorization)
{
	char decoded[BASIC_MAX];
	if (str_empty(token))
		return false;
	if (str_istarts(authorization, STR("bearer ")))
		return same(token, str_trim(str_skip(authorization, 7)));
	if (!str_istarts(authorization, STR("basic ")))
		return false;
	struct str pair = base64_decode(str_trim(str_skip(authorization, 6)), decoded);
	ptrdiff_t colon = str_chr(pair, ':');
	bool good = colon >= 0 && same(token, str_skip(pair, (size_t)colon + 1));
	secret_wipe(decoded, sizeof decoded);
	return good;
}
