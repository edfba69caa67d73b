/*
 * jwt_read.c: strict where it costs nobody anything: one spelling of base64url, names given once, algorithms from a list.
 */
#include "wire/jwt_read.h"

#include "wire/json_cursor.h"
#include "wire/json_scan.h"

enum { SET_MAX = 256 * 1024 };

static int digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Without padding, and no bits left over. */
static bool decode(struct str text, struct arena *a, struct str *out)
{
	char *to = arena_alloc(a, text.n / 4 * 3 + 3);
	size_t n = 0;
	uint32_t bits = 0;
	unsigned held = 0;
	for (size_t i = 0; i < text.n; i++) {
		int d = digit(text.p[i]);
		if (d < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		held += 6;
		if (held >= 8) {
			held -= 8;
			to[n++] = (char)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	*out = str_of(to, n);
	return held < 6 && bits == 0;
}

static bool is_object(struct str text, struct arena *a)
{
	struct json_scan s;
	json_scan_init(&s, a);
	return text.n && json_scan_feed(&s, text.p, text.n, true) == JSON_DONE;
}

static bool read_alg(struct str header, enum signature_kind *alg)
{
	static const struct { struct str name; enum signature_kind kind; } known[] = {
		{ STR_INIT("RS256"), SIGNATURE_RS256 }, { STR_INIT("ES256"), SIGNATURE_ES256 }, { STR_INIT("EdDSA"), SIGNATURE_EDDSA },
	};
	for (size_t i = 0; i < array_len(known); i++)
		if (json_is(json_get(header, STR("alg")), known[i].name)) {
			*alg = known[i].kind;
			return true;
		}
	return false;
}

static bool has_three_parts(struct str token)
{
	unsigned dots = 0;
	for (size_t i = 0; i < token.n; i++)
		dots += token.p[i] == '.';
	return dots == 2;
}

bool jwt_looks(struct str token)
{
	return str_starts(token, STR("eyJ")) && has_three_parts(token);
}

const char *jwt_read(struct str token, struct arena *a, struct jwt *out)
{
	struct str rest = token, header_part, claims_part, header;
	*out = (struct jwt){ .kid = STR_NONE };
	if (token.n > JWT_READ_MAX)
		return "it is longer than 8192 bytes";
	if (!has_three_parts(token) || !str_split(&rest, '.', &header_part) || !str_split(&rest, '.', &claims_part))
		return "it has not three parts";
	if (!decode(header_part, a, &header) || !is_object(header, a))
		return "its header cannot be read";
	if (!decode(claims_part, a, &out->claims) || !is_object(out->claims, a))
		return "its claims cannot be read";
	if (!decode(rest, a, &out->signature))
		return "its signature cannot be read";
	if (!read_alg(header, &out->alg))
		return "its algorithm is none of RS256, ES256, EdDSA";
	if (json_get(header, STR("crit")).p)
		return "it asks for an extension that is not known here";
	out->kid = json_text(a, json_get(header, STR("kid")));
	out->covered = str_head(token, header_part.n + 1 + claims_part.n);
	return NULL;
}

/* --- key sets --- */

static bool member(struct str jwk, const char *name, struct arena *a, struct str *out)
{
	struct str text = json_raw(json_get(jwk, str_c(name)));
	return !str_empty(text) && decode(text, a, out);
}

static bool read_key(struct str jwk, struct arena *a, struct jwk *k)
{
	struct str kty = json_get(jwk, STR("kty")), crv = json_get(jwk, STR("crv")), use = json_get(jwk, STR("use"));
	struct str alg = json_get(jwk, STR("alg"));
	enum signature_kind said;
	*k = (struct jwk){ .kid = json_text(a, json_get(jwk, STR("kid"))) };
	bool good = false;
	if (json_is(kty, STR("RSA"))) {
		k->alg = SIGNATURE_RS256;
		good = member(jwk, "n", a, &k->parts[0]) && member(jwk, "e", a, &k->parts[1]);
	} else if (json_is(kty, STR("EC")) && json_is(crv, STR("P-256"))) {
		k->alg = SIGNATURE_ES256;
		good = member(jwk, "x", a, &k->parts[0]) && member(jwk, "y", a, &k->parts[1]);
	} else if (json_is(kty, STR("OKP")) && json_is(crv, STR("Ed25519"))) {
		k->alg = SIGNATURE_EDDSA;
		good = member(jwk, "x", a, &k->parts[0]);
	}
	return good && (!use.p || json_is(use, STR("sig"))) && (!alg.p || (read_alg(jwk, &said) && said == k->alg));
}

int jwks_parse(struct str text, struct arena *a, struct jwk out[JWK_MAX])
{
	struct json_cursor c;
	int n = 0;
	if (text.n > SET_MAX || !is_object(text, a) || !json_cursor_open(&c, json_get(json_value(text), STR("keys"))) || c.object)
		return -1;
	while (json_cursor_next(&c) && n < JWK_MAX)
		n += json_type(c.value) == JSON_OBJECT && read_key(c.value, a, &out[n]);
	return n;
}
