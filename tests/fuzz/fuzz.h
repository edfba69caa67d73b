/*
 * fuzz.h: what every fuzz target needs.
 */
#ifndef WEIR_TESTS_FUZZ_H
#define WEIR_TESTS_FUZZ_H

#include <stdlib.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void must(bool holds)
{
	if (!holds)
		abort();
}

static inline bool lies_in(struct str s, struct str in)
{
	return !s.p || (s.p >= in.p && s.p + s.n <= in.p + in.n);
}

/* A copy of just these bytes, so that a read beyond them is seen; ends with free(). */
static inline char *alone(struct str s)
{
	char *p = malloc(s.n ? s.n : 1);
	must(p != NULL);
	if (s.n)
		memcpy(p, s.p, s.n);
	return p;
}

#endif
