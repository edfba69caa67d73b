/*
 * aws_eventstream_fuzz.c: any bytes as an AWS event stream, as they are and with their sums put
 * right; whole, cut in two, and byte by byte: the same messages and the same verdict, and each
 * message written again is the bytes it came from.
 */
#include <zlib.h>

#include "tests/fuzz/fuzz.h"
#include "wire/aws_eventstream.h"

enum { HEARD_MAX = 1 << 22, MESSAGE_MAX = 1 << 20, EVERY_CUT = 200 };
enum { HEADERS = EVENTSTREAM_HEADERS_MAX / 3 + 1 };

struct heard {
	struct buf raw;		/* what was understood, written again */
	const char *error;
};

static void hear(struct heard *h, const struct eventstream_message *m)
{
	static struct eventstream_header headers[HEADERS];
	struct str rest = m->headers;
	size_t n = 0;
	while (n < HEADERS && eventstream_header_next(&rest, &headers[n])) {
		must(lies_in(headers[n].name, m->headers) && lies_in(headers[n].bytes, m->headers));
		n++;
	}
	must(rest.n == 0 && eventstream_write(&h->raw, headers, n, m->payload));
}

static enum eventstream_result feed(struct eventstream *s, struct heard *h, struct str bytes)
{
	char *copy = alone(bytes);
	struct str in = str_of(copy, bytes.n);
	struct eventstream_message m;
	enum eventstream_result r;
	while ((r = eventstream_feed(s, &in, &m)) == EVENTSTREAM_MESSAGE) {
		must(lies_in(m.payload, str_of(copy, bytes.n)) || lies_in(m.payload, buf_str(&s->tail)));
		hear(h, &m);
	}
	must(r == EVENTSTREAM_BAD ? s->error != NULL : in.n == 0);
	free(copy);
	return r;
}

static struct heard listen(struct str in, size_t cut, size_t step)
{
	struct heard h = { BUF_INIT(HEARD_MAX), NULL };
	struct eventstream s;
	eventstream_init(&s, MESSAGE_MAX);
	for (size_t n = cut; in.n || n; n = in.n < step ? in.n : step) {
		if (feed(&s, &h, str_head(in, n)) == EVENTSTREAM_BAD)
			break;
		in = str_skip(in, n);
	}
	must(eventstream_end(&s) != (s.error != NULL));
	h.error = s.error;
	eventstream_free(&s);
	return h;
}

static void check_cut(struct str in, size_t cut, size_t step, const struct heard *whole)
{
	struct heard h = listen(in, cut, step);
	must(h.error == whole->error && str_eq(buf_str(&h.raw), buf_str(&whole->raw)));
	buf_free(&h.raw);
}

static void check(struct str in)
{
	struct heard whole = listen(in, in.n, 1);
	must(str_eq(buf_str(&whole.raw), str_head(in, whole.raw.n)) && (whole.error || whole.raw.n == in.n));
	check_cut(in, in.n ? 1 : 0, 1, &whole);
	check_cut(in, (size_t)(str_hash(in) % (in.n + 1)), in.n, &whole);
	for (size_t cut = 0; cut < in.n && in.n < EVERY_CUT; cut++)
		check_cut(in, cut, in.n, &whole);
	buf_free(&whole.raw);
}

static void put_sum(unsigned char *message, size_t at)
{
	uint32_t v = (uint32_t)crc32(0, message, (unsigned)at);
	for (size_t i = 0; i < 4; i++)
		message[at + i] = (unsigned char)(v >> (24 - 8 * i));
}

/* Sums of as many messages as the lengths make out. */
static void put_right(unsigned char *p, size_t n)
{
	while (n >= 16) {
		size_t total = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		put_sum(p, 8);
		if (total < 16 || total > n)
			return;
		put_sum(p, total - 4);
		p += total;
		n -= total;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	check(in);
	char *copy = alone(in);
	put_right((unsigned char *)copy, size);
	check(str_of(copy, size));
	free(copy);
	return 0;
}
