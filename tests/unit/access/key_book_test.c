/*
 * key_book_test.c: a hundred thousand keys take little, and one of them is found as soon as one of a thousand.
 */
#include "access/key_book.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/many_keys.h"

enum { MANY = 100 * 1000, FEW = 1000 };

/* The mean of what look-ups go over, and the most. */
static double steps_of(unsigned n, unsigned *most)
{
	uint64_t sum = 0;
	*most = 0;
	for (unsigned i = 0; i < n; i++) {
		uint8_t digest[DIGEST_SIZE];
		key_digest(i, digest);
		unsigned steps = key_book_steps(digest);
		sum += steps;
		*most = steps > *most ? steps : *most;
	}
	return (double)sum / n;
}

static void many_keys_take_little_and_are_found_at_once(void **state)
{
	unsigned most;
	(void)state;
	size_t before = mallinfo2().uordblks;
	for (unsigned i = 0; i < FEW; i++)
		assert_true(key_put(i));
	assert_true(steps_of(FEW, &most) < 1.6 && most < 16);
	for (unsigned i = FEW; i < MANY; i++)
		assert_true(key_put(i));
	assert_true(steps_of(MANY, &most) < 1.6 && most < 16);
	assert_int_equal(key_book_count(), MANY);
	assert_true(mallinfo2().uordblks - before < (size_t)64 << 20);
	key_book_clear();
}

static void one_is_found_by_its_whole_digest(void **state)
{
	uint8_t digest[DIGEST_SIZE];
	(void)state;
	assert_true(key_put(7));
	key_digest(7, digest);
	struct key_record *r = key_book_find(digest);
	assert_non_null(r);
	key_record_release(r);
	digest[31] ^= 1;
	assert_null(key_book_find(digest));
	key_book_clear();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(many_keys_take_little_and_are_found_at_once),
		cmocka_unit_test(one_is_found_by_its_whole_digest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
