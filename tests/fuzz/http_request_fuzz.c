/*
 * http_request_fuzz.c: any bytes as a request.
 */
#include "tests/fuzz/http_fuzz.h"

static enum http_result parse_cut(struct str in, size_t cut, struct http_head *h)
{
	struct http_parser p = { 0, 0 };
	enum http_result r = http_request_parse(&p, str_head(in, cut), &http_request_limits, h);
	if (r == HTTP_MORE)
		r = http_request_parse(&p, in, &http_request_limits, h);
	must(r == HTTP_MORE || (p.line == 0 && p.count == 0));
	return r;
}

static void check_rewritten(const struct http_head *h)
{
	static struct http_head again;
	struct buf b = BUF_INIT(1 << 20);
	struct http_parser p = { 0, 0 };
	if (!http_put_request(&b, h->method, STR(""), h->path, h->query))
		return;
	put_headers(&b, h);
	must(!b.failed);
	enum http_result r = http_request_parse(&p, buf_str(&b), &http_request_limits, &again);
	bool too_large = r == HTTP_BAD && (again.error == 431 || again.error == 414);
	if (!too_large) {
		again.query = again.query.n ? again.query : h->query;	/* a bare `?` is not written */
		must(r == HTTP_DONE && again.size == b.n && same_head(h, &again));
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_head whole, cut;
	struct str in = str_of((const char *)data, size);
	enum http_result r = parse_cut(in, size, &whole);
	enum http_result s = parse_cut(in, (size_t)(str_hash(in) % (size + 1)), &cut);
	must(same_outcome(r, &whole, s, &cut));
	for (size_t at = 0; at < size && size < 200; at++) {
		s = parse_cut(in, at, &cut);
		must(same_outcome(r, &whole, s, &cut));
	}
	if (r != HTTP_DONE)
		return 0;
	check_spans(&whole, in);
	if (whole.minor == 1 && whole.path.p[0] == '/')
		check_rewritten(&whole);
	return 0;
}
