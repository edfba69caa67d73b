/*
 * batch_answer_fuzz.c: any bytes as a provider's embeddings, taken apart and put together in another order. Of JSON comes JSON
 * with the same vectors.
 */
#include <stdlib.h>

#include "cache/batch_answer.h"
#include "tests/fuzz/fuzz.h"
#include "wire/json_scan.h"

enum { MOST = 16, OUT_MAX = 1 << 22 };

static void turned_round(const struct batch_frame *f, const struct batch_vector *v, unsigned n, bool json)
{
	const struct batch_vector *order[MOST];
	struct batch_vector again[MOST];
	struct batch_frame frame;
	struct usage u = { .known = true, .input = 7, .total = 9 };
	struct buf out = BUF_INIT(OUT_MAX);
	for (unsigned i = 0; i < n; i++)
		order[i] = &v[n - 1 - i];
	batch_answer_write(f, order, n, &u, &out);
	must(!json || out.failed || json_scan_is_object(buf_str(&out)));
	must(!json || out.failed || batch_answer_read(buf_str(&out), &frame, again, n));
	for (unsigned i = 0; i < n && json && !out.failed; i++)
		must(again[i].size == v[n - 1 - i].size);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct batch_vector v[MOST];
	struct batch_frame f;
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	in.p = copy;
	for (unsigned n = 1; n <= 3; n++)
		if (batch_answer_read(in, &f, v, n))
			turned_round(&f, v, n, json_scan_is_object(in));
	free(copy);
	return 0;
}
