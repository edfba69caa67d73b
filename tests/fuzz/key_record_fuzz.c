/*
 * key_record_fuzz.c: any bytes as the record of a key, out of Redis or a file. What is taken is found by its name, and by its
 * digest unless it is revoked.
 */
#include "access/key_book.h"
#include "tests/fuzz/fuzz.h"

static void check(struct key_record *r, void *arg)
{
	unsigned *n = arg;
	struct key_record *named = key_book_named(r->name), *found = key_book_find(r->digest);
	must(named == r && found == (r->revoked ? NULL : r));
	must(r->name.n > 0 && r->name.n <= KEY_NAME_MAX && lies_in(r->name, r->text));
	key_record_release(named);
	key_record_release(found);
	++*n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = alone(str_of((const char *)data, size));
	bool taken = key_book_put(str_of(copy, size), 1);
	unsigned n = 0;
	free(copy);		/* it has its own */
	key_book_each(check, &n);
	must(n == taken && key_book_count() == n);
	key_book_clear();
	return 0;
}
