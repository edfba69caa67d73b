/*
 * cache_entry_fuzz.c: any bytes as what a store gives back; the second time with a checksum that holds, as of somebody who
 * may write there.
 */
#include <stdlib.h>

#include "cache/entry.h"
#include "tests/fuzz/fuzz.h"

enum { CHECKSUM_AT = 16, COVERED_FROM = 24, FORMAT = 0x35635757, MOST = 1 << 16 };

static void inside(struct str value)
{
	struct entry e;
	if (!entry_read(value, &e))
		return;
	struct buf whole = BUF_INIT(MOST);
	must(e.type.p >= value.p && e.body.p + e.body.n <= value.p + value.n && e.type.n + e.body.n < value.n && e.age_us >= 0);
	must(!entry_unpack(&e, MOST, &whole) || (e.body.n <= MOST || e.body.n < value.n));
	buf_free(&whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	in.p = copy;
	inside(in);
	if (size > COVERED_FROM) {
		uint64_t sum = str_hash(str_skip(in, COVERED_FROM));
		uint32_t format = FORMAT;
		memcpy(copy, &format, sizeof(format));
		memcpy(copy + CHECKSUM_AT, &sum, sizeof(sum));
		inside(in);
	}
	free(copy);
	return 0;
}
