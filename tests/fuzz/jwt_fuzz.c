/*
 * jwt_fuzz.c: any bytes as a token, and as a key set. What is read as a token has an algorithm of the list and claims that are
 * one JSON object; what is covered by the signature is the token's beginning.
 */
#include "tests/fuzz/fuzz.h"
#include "wire/json_cursor.h"
#include "wire/jwt_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct jwk keys[JWK_MAX];
	struct arena a = ARENA_INIT;
	struct str in = str_of((const char *)data, size);
	struct jwt j;
	const char *why = jwt_read(in, &a, &j);
	if (!why) {
		must(j.covered.p == in.p && j.covered.n < in.n && in.n <= JWT_READ_MAX);
		must(json_type(json_value(j.claims)) == JSON_OBJECT);
		must(j.alg == SIGNATURE_RS256 || j.alg == SIGNATURE_ES256 || j.alg == SIGNATURE_EDDSA);
	}
	int n = jwks_parse(in, &a, keys);
	must(n >= -1 && n <= JWK_MAX);
	for (int i = 0; i < n; i++) {
		struct public_key *k = keys[i].alg == SIGNATURE_RS256 ? public_key_rsa(keys[i].parts[0], keys[i].parts[1]) :
				       keys[i].alg == SIGNATURE_ES256 ? public_key_p256(keys[i].parts[0], keys[i].parts[1]) :
									 public_key_ed25519(keys[i].parts[0]);
		if (k)
			signature_verify(k, keys[i].alg, in, str_head(in, 64));
		public_key_free(k);
	}
	arena_clear(&a);
	return 0;
}
