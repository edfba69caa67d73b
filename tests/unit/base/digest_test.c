/*
 * digest_test.c: HMAC-SHA256 by the vectors of RFC 4231.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/digest.h"

static void check(struct str key, struct str bytes, const char *wanted)
{
	uint8_t out[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	digest_hmac_sha256(key, bytes, out);
	digest_to_hex(out, hex);
	assert_string_equal(hex, wanted);
}

static struct str run_of(char *p, char c, size_t n)
{
	memset(p, c, n);
	return str_of(p, n);
}

static void test_hmac(void **state)
{
	(void)state;
	char k[131], d[50];
	check(run_of(k, 0x0b, 20), STR("Hi There"),
	      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
	check(STR("Jefe"), STR("what do ya want for nothing?"),
	      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	check(run_of(k, (char)0xaa, 20), run_of(d, (char)0xdd, 50),
	      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
	check(run_of(k, (char)0xaa, 131), STR("Test Using Larger Than Block-Size Key - Hash Key First"),
	      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
	check(STR_NONE, STR_NONE, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hmac),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
