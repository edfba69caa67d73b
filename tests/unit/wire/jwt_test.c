/*
 * jwt_test.c: an assertion against one that the openssl command signed, with a key made for this test alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "wire/jwt.h"

static const char key[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC9TPnKS0AuNTel\n"
	"9pupB1OOr8m++gNmg7JI1lDb1SVp5WmEISWTPRiqCYI3EyV59/BllBuNwtX8frUP\n"
	"a65P9g+eBpFBoPMFbDWjThPDO/HIJ25YONI1t4PQjZfHDvQd8UUre6D5MKwEUwhd\n"
	"jc2LdEuvt3lLZ0Fp1vsU4R+deCDg0F5KN5a3pfXsYzKIl4MuzHSp+d4x6nK12tmd\n"
	"fW5tBp7+wwoa+CtVoaOdlMSHWrDS+0McG0+/osdM7sVsUqUrtcQZ8gRtBHT75WTT\n"
	"0KR56RZZyBim2/YGcfvX9ZvMa75uMN8XjSniZnU2QxDOxHeMSQucuE4FaxkvdBML\n"
	"AmoOsaurAgMBAAECggEARzcBNfBvWbLdl4sZ7lH6RlCtljIaO2PKG4q86qbaJ2eN\n"
	"9Y4+w5CVicp/+VYzoBn9j0lTwFYPCKlmVkHNVvmb0HhqBwWUx3J5D1GdL7KKeCEV\n"
	"aw0dT+YVKc1KzzE591XADua4nWaJICtYl1F0hUUgACAG+q4Ctt2Qob87lJMP02MK\n"
	"o00VJs1yH1O//oBUpfZRHxaM8eZESv5Ho4yMCkn0HJh2+ibJbLY2G1ErzOshZWin\n"
	"atqLiQZ1mKae/AZFuiNrtOM7zE5Elb5UdDDLb5HSWFJyIu0ujaBCjaiE0O43Ogq2\n"
	"/EuXe/4uflqDjEjfKspWcUOQ5CmAXvkNcgrOPcFteQKBgQDcqb1xmy+zX322kXhW\n"
	"fx4ZWGmHZvSRAylhGm6uXHR6ghUswndCl+sFRLRaRovNQGZ/12Z43o3ZPBGxLUd1\n"
	"va75uEtG9RTI4xjDQ5UYLrBVUxCtQEAFeO+dBQSfo/RD9MqX2dIU5m5as00tXzhl\n"
	"X47pN610qzepGEZTVLm80dzvDQKBgQDbnYKqOeRyvdg2CABq7lg3UMcxkGWCqDXn\n"
	"LccZdMeyBBTnBuSya8BezmxG2F+uP7DXSt/dGnBpIKIwWN1AjtYQOgTY3UltMd2Q\n"
	"b5sRWhaAG8FUsE5xtmaNPPbgtdsKyfQlFyP3Qt6mKUerESNPLheqI7s9Hikh0P5g\n"
	"P0H0reCXlwKBgCuCJGJUEPGzMFxhDnMvmUWyEwyplitJjk0hIxWqESVepMIwjcdJ\n"
	"oQNm6pCqPEJ6IjuuwvuuFhXxLCPdI6vpfKisV9tj03dQn79QggNEoWwRdsZSVs09\n"
	"bTFundzEPRNxHskWH8ATN0sW826wybPjRZBidAb/A3iJ2sPvfrfmQUO5AoGBAMLy\n"
	"z0rMmT5Bx+wurjA945E245vb0kBpkW/l8xdl0t7zQJrUQ68ed2WxV+yLpmPHpfN3\n"
	"Q8HB9odbsJ26RK1KHjvJRQQ9azDDUysj50M/9TlDahsDZp8Ki35U39IZnJe3LkK+\n"
	"h+62LW7Stgvk6rMe92LQ1SUr4Ndj7msBvEq3DueBAoGAc/5vzlxs7mO7gbAhAgbG\n"
	"XIXQt9D+8XEhBosequWZaZXqjUD+U5mB79j+F7krTPnPpV+GxBx1KD6g5KjGv895\n"
	"L2e2dinIozyCFLdtMMtKaXIJB6i18byr2sZSa6f+em6LneHXMtSGYx+HEQXZrXWd\n"
	"FMilqXyDVdD5uJCI5O63yis=\n"
	"-----END PRIVATE KEY-----\n";

static const char wanted[] =
	"eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCIsImtpZCI6ImtleSBcIjFcIiJ9.eyJpc3MiOiJhQGIuZXhhbXBsZSIsImV4cCI6MX0"
	".mmYWxtFRlD2xbznHwGfbQNxrX6HFoA9MG_qZb0KZYulu1W-U4JjZRqfvaAV5X4eL7EAPHFc9yX5r41QEqFgQ4MguJ2a24Pxv6OD"
	"QfBx3TowlyJBYllrZLKbl1jtKslJmEay4TB_FKqttdSjE2DyRJ-hl2nGhGT2Wi7UI3xG3OuzDcKWhWWsvBXS3haB-b44CAnonnPc"
	"-pZ4Zv-t0lRyON1LAI7GCQ33iXiYGZzJ5ToJLmzM0V1iwqSAkfDT1e9Twp0RCYXni_3d8XaK-yMnHSnyfy90yO0B1WS5OFy01aX4"
	"_ZhsRkpzf33gOqkLd46xddLz_oCJuP-aVhMhTc-mcVQ";

/* A key, but none of RSA. */
static const char curve[] =
	"-----BEGIN PRIVATE KEY-----\n"
	"MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n"
	"-----END PRIVATE KEY-----\n";

static void signed_as_others_do(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	struct str token = jwt_sign(&a, STR("key \"1\""), STR("{\"iss\":\"a@b.example\",\"exp\":1}"), str_c(key));
	assert_int_equal(token.n, strlen(wanted));
	assert_memory_equal(token.p, wanted, token.n);
	struct str bare = jwt_sign(&a, STR_NONE, STR("{}"), str_c(key));
	assert_true(str_starts(bare, STR("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.")));
	arena_clear(&a);
}

static void what_is_no_rsa_key(void **state)
{
	struct arena a = ARENA_INIT;
	(void)state;
	assert_true(str_empty(jwt_sign(&a, STR_NONE, STR("{}"), STR_NONE)));
	assert_true(str_empty(jwt_sign(&a, STR_NONE, STR("{}"), STR("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))));
	assert_true(str_empty(jwt_sign(&a, STR_NONE, STR("{}"), str_c(curve))));
	assert_true(str_empty(jwt_sign(&a, STR_NONE, STR("{}"), str_head(str_c(key), 900))));
	arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signed_as_others_do),
		cmocka_unit_test(what_is_no_rsa_key),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
