/*
 * http_response_fuzz.c: any bytes as an answer; the first one says what was asked.
 */
#include "tests/fuzz/http_fuzz.h"

static enum http_result parse_cut(struct str in, size_t cut, enum http_method m, struct http_head *h)
{
	struct http_parser p = { 0, 0 };
	enum http_result r = http_response_parse(&p, str_head(in, cut), &http_response_limits, m, h);
	if (r == HTTP_MORE)
		r = http_response_parse(&p, in, &http_response_limits, m, h);
	must(r == HTTP_MORE || (p.line == 0 && p.count == 0));
	return r;
}

/* A reason phrase is not kept, and the rest must not change. */
static void check_rewritten(const struct http_head *h)
{
	static struct http_head again;
	struct buf b = BUF_INIT(1 << 20);
	struct http_parser p = { 0, 0 };
	must(http_put_status(&b, h->status));
	put_headers(&b, h);
	must(!b.failed);
	enum http_result r = http_response_parse(&p, buf_str(&b), &http_response_limits, h->method, &again);
	if (r != HTTP_BAD || again.error != 431) {
		again.reason = h->reason;
		must(r == HTTP_DONE && again.size == b.n && same_head(h, &again));
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head whole, cut;
	if (size == 0)
		return 0;
	enum http_method m = data[0] == 'H' ? HTTP_POST : HTTP_HEAD;
	struct str in = str_of((const char *)data, size);
	if (m == HTTP_HEAD)
		in = str_skip(in, 1);
	enum http_result r = parse_cut(in, in.n, m, &whole);
	enum http_result s = parse_cut(in, (size_t)(str_hash(in) % (in.n + 1)), m, &cut);
	must(same_outcome(r, &whole, s, &cut));
	for (size_t at = 0; at < in.n && in.n < 200; at++) {
		s = parse_cut(in, at, m, &cut);
		must(same_outcome(r, &whole, s, &cut));
	}
	if (r != HTTP_DONE)
		return 0;
	check_spans(&whole, in);
	if (whole.minor == 1)
		check_rewritten(&whole);
	return 0;
}
