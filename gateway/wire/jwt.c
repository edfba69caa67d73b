/*
 * jwt.c: base64url without padding, joined by dots.
 */
#include "wire/jwt.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/signature.h"

enum { JWT_MAX = 64 * 1024 };

static void add_base64url(struct buf *b, struct str s)
{
	if (!buf_reserve(b, 4 * (s.n / 3 + 1)))
		return;
	size_t n = base64_encode(s, b->p + b->n);
	char *p = b->p + b->n;
	while (n && p[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++)
		p[i] = p[i] == '+' ? '-' : p[i] == '/' ? '_' : p[i];
	b->n += n;
}

struct str jwt_sign(struct arena *a, struct str key_id, struct str claims, struct str pem)
{
	struct buf header = BUF_INIT(4096), out = BUF_INIT(JWT_MAX);
	uint8_t signature[SIGNATURE_MAX];
	buf_add(&header, STR("{\"alg\":\"RS256\",\"typ\":\"JWT\""));
	if (!str_empty(key_id)) {
		buf_add(&header, STR(",\"kid\":"));
		buf_add_json(&header, key_id);
	}
	buf_addc(&header, '}');
	add_base64url(&out, buf_str(&header));
	buf_addc(&out, '.');
	add_base64url(&out, claims);
	size_t n = signature_rs256(pem, buf_str(&out), signature);
	buf_addc(&out, '.');
	add_base64url(&out, str_of((const char *)signature, n));
	struct str token = n && !header.failed && !out.failed ? arena_copy(a, buf_str(&out)) : STR_NONE;
	buf_free(&header);
	buf_free(&out);
	return token;
}
