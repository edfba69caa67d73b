/*
 * jwt_read_test.c: the example of RFC 7515 A.3 (ES256) and of RFC 8037 A.4 (EdDSA), and what is no token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wire/jwt_read.h"

#define ES256_TOKEN \
	"eyJhbGciOiJFUzI1NiJ9" \
	".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ" \
	".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"

static const char set[] =
	"{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"a\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
	"\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"},"
	"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"},"
	"{\"kty\":\"oct\",\"k\":\"AAAA\"},{\"kty\":\"RSA\",\"n\":\"AQ\",\"e\":\"AQAB\",\"use\":\"enc\"}]}";

static void a_token_is_read_and_verified(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct jwk keys[JWK_MAX];
	struct jwt j;
	assert_int_equal(jwks_parse(str_c(set), &a, keys), 2);
	assert_null(jwt_read(STR(ES256_TOKEN), &a, &j));
	assert_int_equal(j.alg, SIGNATURE_ES256);
	assert_true(str_has(j.claims, STR("\"iss\":\"joe\"")));
	struct public_key *k = public_key_p256(keys[0].parts[0], keys[0].parts[1]);
	assert_non_null(k);
	assert_true(signature_verify(k, j.alg, j.covered, j.signature));
	assert_false(signature_verify(k, SIGNATURE_RS256, j.covered, j.signature));
	assert_false(signature_verify(k, j.alg, str_skip(j.covered, 1), j.signature));
	assert_false(signature_verify(k, j.alg, j.covered, str_head(j.signature, 63)));
	public_key_free(k);
	arena_clear(&a);
}

static void edwards_curves_too(void **state)
{
	(void)state;
	struct arena a = ARENA_INIT;
	struct jwk keys[JWK_MAX];
	struct jwt j;
	/* Its claims are no object: the signature is looked at alone. */
	static const char covered[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
	assert_non_null(jwt_read(STR("eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.AA"), &a, &j));
	assert_null(jwt_read(STR("eyJhbGciOiJFZERTQSJ9.e30.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_"
				 "MuM0KAg"), &a, &j));
	assert_int_equal(jwks_parse(str_c(set), &a, keys), 2);
	struct public_key *k = public_key_ed25519(keys[1].parts[0]);
	assert_true(signature_verify(k, SIGNATURE_EDDSA, str_c(covered), j.signature));
	assert_false(signature_verify(k, SIGNATURE_EDDSA, STR("x"), j.signature));
	public_key_free(k);
	arena_clear(&a);
}

static void what_is_none_is_refused(void **state)
{
	static const char *const bad[] = {
		"", ".", "..", "a.b", "a.b.c.d", "eyJhbGciOiJFUzI1NiJ9.e30.=", "eyJhbGciOiJFUzI1NiJ9.e30.A", "eyJhbGciOiJFUzI1NiJ9.e31.AA",
		"eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJFUzI1NiIsImNyaXQiOltdfQ.e30.AA", "W10.e30.AA", "eyJhbGciOiJFUzI1NiJ9.W10.AA",
		"eyJhbGciOiJFUzI1NiJ9 .e30.AA", "eyJhbGciOiJFUzI1NiJ9.e30.AB",
	};
	struct arena a = ARENA_INIT;
	struct jwt j;
	(void)state;
	for (size_t i = 0; i < array_len(bad); i++)
		if (!jwt_read(str_c(bad[i]), &a, &j))
			fail_msg("%s is taken", bad[i]);
	assert_int_equal(jwks_parse(STR("[]"), &a, NULL), -1);
	assert_int_equal(jwks_parse(STR("{\"keys\":{}}"), &a, NULL), -1);
	assert_null(public_key_rsa(STR("\x01"), STR("\x01\x00\x01")));
	arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_read_and_verified), cmocka_unit_test(edwards_curves_too), cmocka_unit_test(what_is_none_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
