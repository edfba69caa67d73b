/*
 * chunked_fuzz.c: any bytes as a chunked body, whole, cut in two, and byte by byte; and
 * a payload written in chunks is read back.
 */
#include "tests/fuzz/http_fuzz.h"

#include "wire/chunked.h"

static enum http_result feed(struct chunked *c, struct str *in, struct buf *out)
{
	struct str payload;
	enum http_result r;
	do {
		struct str before = *in;
		r = chunked_next(c, in, &payload);
		must(lies_in(payload, before) && in->n + payload.n <= before.n);
		buf_add(out, payload);
	} while (r == HTTP_MORE && payload.n);
	must(r != HTTP_MORE || in->n == 0);
	return r;
}

/* Slices: the first of `cut` bytes, then `step` each. `*behind`: bytes behind the body's end. */
static enum http_result decode(struct str in, size_t cut, size_t step, struct buf *out, size_t *behind)
{
	struct chunked c = { 0, 0, 0, 0 };
	enum http_result r = HTTP_MORE;
	size_t at = 0, n = cut;
	buf_clear(out);
	while (r == HTTP_MORE && at < in.n) {
		struct str slice = str_head(str_skip(in, at), n);
		at += slice.n;
		r = feed(&c, &slice, out);
		*behind = in.n - at + slice.n;
		n = step;
	}
	return r;
}

static void check_written(struct str payload, size_t cut)
{
	char prefix[HTTP_CHUNK_PREFIX_MAX];
	struct buf b = BUF_INIT(1 << 22), out = BUF_INIT(1 << 22);
	struct str parts[2] = { str_head(payload, cut), str_skip(payload, cut) };
	for (unsigned i = 0; i < 2; i++) {
		if (parts[i].n == 0)
			continue;
		buf_add(&b, str_of(prefix, http_chunk_prefix(prefix, parts[i].n)));
		buf_add(&b, parts[i]);
		buf_add(&b, STR("\r\n"));
	}
	buf_add(&b, HTTP_CHUNK_LAST);
	size_t behind = 0;
	must(decode(buf_str(&b), cut + 1, b.n, &out, &behind) == HTTP_DONE);
	must(behind == 0 && str_eq(buf_str(&out), payload));
	buf_free(&b);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(1 << 22), cut = BUF_INIT(1 << 22);
	struct str in = str_of((const char *)data, size);
	size_t at = (size_t)(str_hash(in) % (size + 1)), behind = 0, behind_cut = 0;
	enum http_result r = decode(in, size, size, &whole, &behind);
	must(decode(in, at ? at : 1, size, &cut, &behind_cut) == r && behind == behind_cut);
	must(str_eq(buf_str(&whole), buf_str(&cut)));
	must(decode(in, 1, 1, &cut, &behind_cut) == r && behind == behind_cut);
	must(str_eq(buf_str(&whole), buf_str(&cut)));
	check_written(in, at);
	buf_free(&whole);
	buf_free(&cut);
	return 0;
}
