/*
 * aws_eventstream_test.c: the published vectors, cut anywhere; what is damaged is refused; what
 * is written is read again.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <zlib.h>

#include "base/digest.h"
#include "tests/unit/wire/vectors.h"
#include "wire/aws_eventstream.h"

enum { TEXT = 8192 };

/* What a stream said: messages one behind the other, written down in a canonical way. */
struct heard {
	struct buf said;
	unsigned messages;
	const char *error;
};

static void say_header(struct buf *said, const struct eventstream_header *h)
{
	char text[TEXT];
	buf_addf(said, "%.*s/%d=", STR_FMT(h->name), h->type);
	if (h->bytes.p)
		buf_add(said, str_of(text, base64_encode(h->bytes, text)));
	else
		buf_addf(said, "%lld", (long long)h->number);
	buf_addc(said, ';');
}

static void say_payload(struct buf *said, struct str payload)
{
	char text[TEXT];
	buf_addf(said, "[%.*s]", (int)base64_encode(payload, text), text);
}

static void hear(struct heard *h, const struct eventstream_message *m)
{
	struct eventstream_header header;
	struct str rest = m->headers;
	while (eventstream_header_next(&rest, &header))
		say_header(&h->said, &header);
	assert_int_equal(rest.n, 0);
	say_payload(&h->said, m->payload);
	h->messages++;
}

static enum eventstream_result feed(struct eventstream *s, struct heard *h, struct str bytes)
{
	char *copy = malloc(bytes.n + 1);	/* of its own, so that a read beyond it is seen */
	memcpy(copy, bytes.p, bytes.n);
	char *alone = realloc(copy, bytes.n ? bytes.n : 1);
	struct str in = str_of(alone, bytes.n);
	struct eventstream_message m;
	enum eventstream_result r;
	while ((r = eventstream_feed(s, &in, &m)) == EVENTSTREAM_MESSAGE)
		hear(h, &m);
	assert_true(r == EVENTSTREAM_BAD || in.n == 0);
	free(alone);
	return r;
}

/* The first piece has `cut` bytes, the others `step`. */
static struct heard listen(struct str bytes, size_t cut, size_t step, size_t max)
{
	struct heard h = { .said = BUF_INIT(1 << 20) };
	struct eventstream s;
	eventstream_init(&s, max);
	for (size_t n = cut; bytes.n || n; n = bytes.n < step ? bytes.n : step) {
		if (feed(&s, &h, str_head(bytes, n)) == EVENTSTREAM_BAD)
			break;
		bytes = str_skip(bytes, n);
	}
	bool good = eventstream_end(&s);
	assert_int_equal(good, s.error == NULL);
	h.error = s.error;
	eventstream_free(&s);
	return h;
}

static void check_said(struct heard h, struct str said, const char *error)
{
	if (error)
		assert_string_equal(h.error ? h.error : "none", error);
	else
		assert_null(h.error);
	assert_str(buf_str(&h.said), said);
	buf_free(&h.said);
}

/* Cut in two everywhere, and byte by byte. */
static void check_cuts(struct str bytes, struct str said, const char *error)
{
	for (size_t cut = 0; cut <= bytes.n; cut++)
		check_said(listen(bytes, cut, bytes.n, EVENTSTREAM_MESSAGE_MAX), said, error);
	check_said(listen(bytes, 1, 1, EVENTSTREAM_MESSAGE_MAX), said, error);
}

/* --- the vectors --- */

static struct str from_hex(struct str hex, char *out)
{
	for (size_t i = 0; i < hex.n / 2; i++) {
		unsigned byte;
		assert_int_equal(sscanf(hex.p + 2 * i, "%2x", &byte), 1);
		out[i] = (char)byte;
	}
	return str_of(out, hex.n / 2);
}

static void say_vector(struct buf *said, json_t *decoded)
{
	json_t *h;
	size_t i;
	json_array_foreach(json_object_get(decoded, "headers"), i, h) {
		json_t *v = json_object_get(h, "value");
		buf_addf(said, "%s/%lld=", json_string_value(json_object_get(h, "name")),
			 (long long)json_integer_value(json_object_get(h, "type")));
		if (json_is_string(v))
			buf_addf(said, "%s;", json_string_value(v));
		else
			buf_addf(said, "%lld;", json_is_boolean(v) ? (long long)json_is_true(v)
								   : (long long)json_integer_value(v));
	}
	buf_addf(said, "[%s]", json_string_value(json_object_get(decoded, "payload")));
}

/* Reading and writing it again gives the same bytes. */
static void check_rewritten(struct str bytes)
{
	struct eventstream_header headers[16];
	struct eventstream_message m;
	struct eventstream s;
	struct str in = bytes;
	size_t n = 0;
	eventstream_init(&s, EVENTSTREAM_MESSAGE_MAX);
	assert_int_equal(eventstream_feed(&s, &in, &m), EVENTSTREAM_MESSAGE);
	while (eventstream_header_next(&m.headers, &headers[n]))
		n++;
	struct buf out = BUF_INIT(TEXT);
	assert_true(eventstream_write(&out, headers, n, m.payload));
	assert_int_equal(out.n, bytes.n);
	assert_memory_equal(out.p, bytes.p, bytes.n);
	buf_free(&out);
	eventstream_free(&s);
}

static void check_vector(json_t *v)
{
	char bytes[TEXT];
	struct buf said = BUF_INIT(1 << 20);
	struct str message = from_hex(vector_text(v, "encoded_hex"), bytes);
	struct str error = vector_text(v, "error");
	if (error.p) {
		check_cuts(message, STR(""), str_has(error, STR("Prelude")) ? "prelude checksum mismatch"
									    : "message checksum mismatch");
	} else {
		say_vector(&said, json_object_get(v, "decoded"));
		check_cuts(message, buf_str(&said), NULL);
		check_rewritten(message);
	}
	buf_free(&said);
}

static void test_vectors(void **state)
{
	(void)state;
	assert_int_equal(each_vector("tests/cases/vectors/eventstream/*.json", check_vector), 9);
}

/* --- streams of our own making --- */

static const struct eventstream_header headers[] = {
	{ STR_INIT(":message-type"), EVENTSTREAM_STRING, 0, STR_INIT("event") },
	{ STR_INIT(":event-type"), EVENTSTREAM_STRING, 0, STR_INIT("contentBlockDelta") },
	{ STR_INIT("small"), EVENTSTREAM_BYTE, INT8_MIN, { NULL, 0 } },
	{ STR_INIT("least"), EVENTSTREAM_INT64, INT64_MIN, { NULL, 0 } },
	{ STR_INIT("minus"), EVENTSTREAM_INT16, -2, { NULL, 0 } },
	{ STR_INIT("when"), EVENTSTREAM_TIMESTAMP, -1, { NULL, 0 } },
	{ STR_INIT("yes"), EVENTSTREAM_TRUE, 1, { NULL, 0 } },
};

static struct buf three_messages(struct buf *said)
{
	struct buf out = BUF_INIT(1 << 20);
	static char payload[600];
	memset(payload, 'p', sizeof(payload));
	for (size_t i = 0; i < 3; i++) {
		struct str text = str_of(payload, i * 300);
		assert_true(eventstream_write(&out, headers, i * 3, text));
		for (size_t k = 0; k < i * 3; k++)
			say_header(said, &headers[k]);
		say_payload(said, text);
	}
	return out;
}

static void test_messages_in_a_row(void **state)
{
	(void)state;
	struct buf said = BUF_INIT(1 << 20), out = three_messages(&said);
	check_cuts(buf_str(&out), buf_str(&said), NULL);
	for (size_t step = 2; step < 40; step++)
		check_said(listen(buf_str(&out), step, step, out.n), buf_str(&said), NULL);
	buf_free(&out);
	buf_free(&said);
}

static void test_a_stream_that_ends_early(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(1 << 20);
	assert_true(eventstream_write(&out, headers, 2, STR("{}")));
	for (size_t n = 1; n < out.n; n++)
		check_said(listen(str_head(buf_str(&out), n), n, 1, TEXT), STR(""), "the stream ends inside a message");
	buf_free(&out);
}

static void test_each_damaged_bit_is_seen(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(1 << 20);
	assert_true(eventstream_write(&out, headers, array_len(headers), STR("{}")));
	for (size_t bit = 0; bit < out.n * 8; bit++) {
		out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
		check_said(listen(buf_str(&out), out.n, 1, TEXT), STR(""),
			   bit / 8 < 12 ? "prelude checksum mismatch" : "message checksum mismatch");
		out.p[bit / 8] = (char)(out.p[bit / 8] ^ 1 << bit % 8);
	}
	buf_free(&out);
}

static void test_an_error_is_final(void **state)
{
	(void)state;
	struct buf good = BUF_INIT(TEXT);
	assert_true(eventstream_write(&good, NULL, 0, STR("x")));
	struct eventstream s;
	struct eventstream_message m;
	struct str in = STR("no event stream at all");
	eventstream_init(&s, TEXT);
	assert_int_equal(eventstream_feed(&s, &in, &m), EVENTSTREAM_BAD);
	in = buf_str(&good);
	assert_int_equal(eventstream_feed(&s, &in, &m), EVENTSTREAM_BAD);
	assert_false(eventstream_end(&s));
	eventstream_free(&s);
	buf_free(&good);
}

/* --- messages whose sums are right and whose contents are not --- */

static void put32(char *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (char)(v >> (24 - 8 * i) & 0xff);
}

static uint32_t sum(const char *p, size_t n)
{
	return (uint32_t)crc32(0, (const unsigned char *)p, (unsigned)n);
}

static void check_made(uint32_t total, uint32_t headers_size, struct str content, const char *error)
{
	char m[TEXT] = { 0 };
	put32(m, total);
	put32(m + 4, headers_size);
	put32(m + 8, sum(m, 8));
	memcpy(m + 12, content.p, content.n);
	put32(m + 12 + content.n, sum(m, 12 + content.n));
	check_cuts(str_of(m, 16 + content.n), STR(""), error);
}

static void test_lengths(void **state)
{
	(void)state;
	check_made(0, 0, STR(""), "lengths that contradict each other");
	check_made(15, 0, STR(""), "lengths that contradict each other");
	check_made(16, 1, STR(""), "lengths that contradict each other");
	check_made(20, UINT32_MAX, STR("abcd"), "lengths that contradict each other");
	check_made(UINT32_MAX, EVENTSTREAM_HEADERS_MAX + 1, STR(""), "headers larger than the format allows");
	check_made(EVENTSTREAM_MESSAGE_MAX + 1, 0, STR(""), "message larger than its ceiling");
}

static void check_headers(struct str content)
{
	check_made((uint32_t)(16 + content.n), (uint32_t)content.n, content, "malformed header");
}

static void test_malformed_headers(void **state)
{
	(void)state;
	check_headers(STR("\x01"));			/* no name */
	check_headers(STR("\x00\x00"));			/* an empty one */
	check_headers(STR("\x05" "ab"));		/* a short one */
	check_headers(STR("\x01" "a"));			/* no type */
	check_headers(STR("\x01" "a\x0a"));		/* none of the ten */
	check_headers(STR("\x01" "a\xff"));
	check_headers(STR("\x01" "a\x02"));		/* no value */
	check_headers(STR("\x01" "a\x05" "1234567"));	/* a short one */
	check_headers(STR("\x01" "a\x09" "123456789012345"));
	check_headers(STR("\x01" "a\x07\x00"));		/* half a length */
	check_headers(STR("\x01" "a\x07\x00\x03" "ab"));
	check_headers(STR("\x01" "a\x00\x01"));		/* a good one, then a bad one */
}

static void test_ceiling(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(TEXT), said = BUF_INIT(TEXT);
	assert_true(eventstream_write(&out, headers, 1, STR("payload")));
	say_header(&said, &headers[0]);
	say_payload(&said, STR("payload"));
	for (size_t cut = 0; cut <= out.n; cut++) {
		check_said(listen(buf_str(&out), cut, 7, out.n), buf_str(&said), NULL);
		check_said(listen(buf_str(&out), cut, 7, out.n - 1), STR(""), "message larger than its ceiling");
	}
	buf_free(&out);
	buf_free(&said);
}

static void test_text_by_name(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(TEXT);
	struct eventstream s;
	struct eventstream_message m;
	assert_true(eventstream_write(&out, headers, array_len(headers), STR("")));
	struct str in = buf_str(&out);
	eventstream_init(&s, TEXT);
	assert_int_equal(eventstream_feed(&s, &in, &m), EVENTSTREAM_MESSAGE);
	assert_str(eventstream_text(&m, STR(":event-type")), STR("contentBlockDelta"));
	assert_null(eventstream_text(&m, STR("small")).p);	/* no string */
	assert_null(eventstream_text(&m, STR("absent")).p);
	eventstream_free(&s);
	buf_free(&out);
}

static void check_unwritten(struct eventstream_header h)
{
	struct buf out = BUF_INIT(1 << 20);
	buf_add(&out, STR("before"));
	assert_false(eventstream_write(&out, &h, 1, STR("payload")));
	assert_str(buf_str(&out), STR("before"));
	buf_free(&out);
}

static void test_what_does_not_fit_is_not_written(void **state)
{
	(void)state;
	static char big[UINT16_MAX + 1];
	struct str name = STR("a"), large = str_of(big, sizeof(big));
	check_unwritten((struct eventstream_header){ STR(""), EVENTSTREAM_TRUE, 0, STR_NONE });
	check_unwritten((struct eventstream_header){ str_of(big, 256), EVENTSTREAM_TRUE, 0, STR_NONE });
	check_unwritten((struct eventstream_header){ name, (enum eventstream_type)10, 0, STR_NONE });
	check_unwritten((struct eventstream_header){ name, EVENTSTREAM_BYTE, 128, STR_NONE });
	check_unwritten((struct eventstream_header){ name, EVENTSTREAM_BYTE, -129, STR_NONE });
	check_unwritten((struct eventstream_header){ name, EVENTSTREAM_INT16, 32768, STR_NONE });
	check_unwritten((struct eventstream_header){ name, EVENTSTREAM_INT32, INT64_MIN, STR_NONE });
	check_unwritten((struct eventstream_header){ name, EVENTSTREAM_UUID, 0, STR("short") });
	check_unwritten((struct eventstream_header){ name, EVENTSTREAM_BYTES, 0, large });
	check_unwritten((struct eventstream_header){ name, EVENTSTREAM_STRING, 0, large });
	struct eventstream_header h = { name, EVENTSTREAM_STRING, 0, str_of(big, UINT16_MAX) };
	struct eventstream_header many[] = { h, h, h };
	struct buf out = BUF_INIT(1 << 20);
	assert_true(eventstream_write(&out, many, 1, STR("")));
	size_t n = out.n;
	assert_false(eventstream_write(&out, many, 3, STR("")));	/* headers beyond 128 KiB */
	assert_int_equal(out.n, n);
	buf_free(&out);
}

static void test_a_full_buffer_is_told(void **state)
{
	(void)state;
	struct buf out = BUF_INIT(TEXT);
	assert_true(eventstream_write(&out, headers, array_len(headers), STR("payload")));
	for (size_t max = 0; max < out.n; max++) {
		struct buf small = BUF_INIT(max);
		assert_false(eventstream_write(&small, headers, array_len(headers), STR("payload")));
		assert_int_equal(small.n, 0);
		buf_free(&small);
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_messages_in_a_row),
		cmocka_unit_test(test_a_stream_that_ends_early),
		cmocka_unit_test(test_each_damaged_bit_is_seen),
		cmocka_unit_test(test_an_error_is_final),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_malformed_headers),
		cmocka_unit_test(test_ceiling),
		cmocka_unit_test(test_text_by_name),
		cmocka_unit_test(test_what_does_not_fit_is_not_written),
		cmocka_unit_test(test_a_full_buffer_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
