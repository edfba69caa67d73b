/*
 * aws_eventstream.c: messages of the AWS binary event stream, read and written.
 *
 * The reader trusts no length before the prelude's sum is right, and keeps no more of a
 * message than has come: a length that lies costs nothing.
 */
#include "wire/aws_eventstream.h"

#include <zlib.h>

enum { LENGTHS = 8, PRELUDE = 12, SUM = 4, OVERHEAD = PRELUDE + SUM, UUID = 16 };

void eventstream_init(struct eventstream *s, size_t message_max)
{
	*s = (struct eventstream){ .tail = BUF_INIT(message_max) };
}

void eventstream_free(struct eventstream *s)
{
	buf_free(&s->tail);
}

static uint64_t get_number(const char *p, size_t n)
{
	uint64_t v = 0;
	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return v;
}

static uint32_t sum_of(const char *p, size_t n)
{
	return (uint32_t)crc32_z(0, (const unsigned char *)p, n);
}

static bool sum_stands_at(struct str message, size_t at)
{
	return get_number(message.p + at, SUM) == sum_of(message.p, at);
}

static enum eventstream_result fail(struct eventstream *s, const char *why)
{
	s->error = why;
	return EVENTSTREAM_BAD;
}

/* --- headers --- */

/* Bytes of a value; 0 for one that tells its own length, -1 for a type that is none. */
static int value_size(unsigned type)
{
	static const int sizes[] = {
		[EVENTSTREAM_BYTE] = 1, [EVENTSTREAM_INT16] = 2, [EVENTSTREAM_INT32] = 4,
		[EVENTSTREAM_INT64] = 8, [EVENTSTREAM_TIMESTAMP] = 8, [EVENTSTREAM_UUID] = UUID
	};
	return type < array_len(sizes) ? sizes[type] : -1;
}

static bool take(struct str *in, size_t n, struct str *out)
{
	if (in->n < n)
		return false;
	*out = str_head(*in, n);
	*in = str_skip(*in, n);
	return true;
}

/* A number of `width` bytes says how long the part behind it is. */
static bool take_counted(struct str *in, size_t width, struct str *out)
{
	struct str length;
	return take(in, width, &length) && take(in, (size_t)get_number(length.p, width), out);
}

static int64_t get_signed(struct str s)
{
	uint64_t sign = (uint64_t)1 << (8 * s.n - 1);
	return (int64_t)((get_number(s.p, s.n) ^ sign) - sign);
}

static bool read_value(struct str *in, struct eventstream_header *h)
{
	switch (h->type) {
	case EVENTSTREAM_TRUE:
	case EVENTSTREAM_FALSE:
		h->number = h->type == EVENTSTREAM_TRUE;
		return true;
	case EVENTSTREAM_BYTES:
	case EVENTSTREAM_STRING:
		return take_counted(in, 2, &h->bytes);
	case EVENTSTREAM_UUID:
		return take(in, UUID, &h->bytes);
	default:
		break;
	}
	struct str digits;
	if (!take(in, (size_t)value_size(h->type), &digits))
		return false;
	h->number = get_signed(digits);
	return true;
}

bool eventstream_header_next(struct str *headers, struct eventstream_header *out)
{
	struct str in = *headers, type;
	*out = (struct eventstream_header){ .number = 0 };
	if (!take_counted(&in, 1, &out->name) || out->name.n == 0 || !take(&in, 1, &type))
		return false;
	unsigned t = (unsigned char)type.p[0];
	if (value_size(t) < 0)
		return false;
	out->type = (enum eventstream_type)t;
	if (!read_value(&in, out))
		return false;
	*headers = in;
	return true;
}

struct str eventstream_text(const struct eventstream_message *m, struct str name)
{
	struct str rest = m->headers;
	struct eventstream_header h;
	while (eventstream_header_next(&rest, &h))
		if (str_eq(h.name, name))
			return h.type == EVENTSTREAM_STRING ? h.bytes : STR_NONE;
	return STR_NONE;
}

/* --- reading --- */

/* Length of the message that begins with these bytes; 0 when they are too few, or bad. */
static size_t message_length(struct eventstream *s, struct str in)
{
	if (in.n < PRELUDE)
		return 0;
	size_t total = (size_t)get_number(in.p, 4), headers = (size_t)get_number(in.p + 4, 4);
	if (!sum_stands_at(in, LENGTHS))
		fail(s, "prelude checksum mismatch");
	else if (total < OVERHEAD || headers > total - OVERHEAD)
		fail(s, "lengths that contradict each other");
	else if (headers > EVENTSTREAM_HEADERS_MAX)
		fail(s, "headers larger than the format allows");
	else if (total > s->tail.max)
		fail(s, "message larger than its ceiling");
	return s->error ? 0 : total;
}

static enum eventstream_result read_message(struct eventstream *s, struct str raw,
					    struct eventstream_message *out)
{
	struct eventstream_header h;
	size_t headers = (size_t)get_number(raw.p + 4, 4);
	if (!sum_stands_at(raw, raw.n - SUM))
		return fail(s, "message checksum mismatch");
	out->headers = str_of(raw.p + PRELUDE, headers);
	out->payload = str_of(raw.p + PRELUDE + headers, raw.n - OVERHEAD - headers);
	struct str rest = out->headers;
	while (rest.n)
		if (!eventstream_header_next(&rest, &h))
			return fail(s, "malformed header");
	return EVENTSTREAM_MESSAGE;
}

/* Moves bytes to the tail until it has n of them. */
static bool gather(struct eventstream *s, struct str *in, size_t n)
{
	struct str piece = str_head(*in, n > s->tail.n ? n - s->tail.n : 0);
	if (!buf_add(&s->tail, piece)) {
		fail(s, "no memory for a message");
		return false;
	}
	*in = str_skip(*in, piece.n);
	return s->tail.n >= n;
}

static enum eventstream_result feed_tail(struct eventstream *s, struct str *in,
					 struct eventstream_message *out)
{
	if (s->need == 0 && gather(s, in, PRELUDE))
		s->need = message_length(s, buf_str(&s->tail));
	if (s->need && gather(s, in, s->need)) {
		s->used = true;
		return read_message(s, buf_str(&s->tail), out);
	}
	return s->error ? EVENTSTREAM_BAD : EVENTSTREAM_MORE;
}

static void begin(struct eventstream *s)
{
	if (s->used) {
		s->used = false;
		s->need = 0;
		buf_free(&s->tail);
	}
}

enum eventstream_result eventstream_feed(struct eventstream *s, struct str *in,
					 struct eventstream_message *out)
{
	if (s->error)
		return EVENTSTREAM_BAD;
	begin(s);
	if (in->n == 0)
		return EVENTSTREAM_MORE;
	size_t whole = s->tail.n ? 0 : message_length(s, *in);
	if (s->error)
		return EVENTSTREAM_BAD;
	if (whole == 0 || whole > in->n)
		return feed_tail(s, in, out);
	struct str raw = str_head(*in, whole);
	*in = str_skip(*in, whole);
	return read_message(s, raw, out);
}

bool eventstream_end(struct eventstream *s)
{
	begin(s);
	if (!s->error && s->tail.n)
		fail(s, "the stream ends inside a message");
	return !s->error;
}

/* --- writing --- */

static void put_number(char *p, uint64_t v, size_t n)
{
	for (size_t i = n; i-- > 0; v >>= 8)
		p[i] = (char)(v & 0xff);
}

static void add_number(struct buf *out, uint64_t v, size_t n)
{
	char bytes[8];
	put_number(bytes, v, n);
	buf_add(out, str_of(bytes, n));
}

static bool fits(int64_t v, size_t size)
{
	return size == 8 || (v >= -((int64_t)1 << (8 * size - 1)) && v < (int64_t)1 << (8 * size - 1));
}

static bool add_value(struct buf *out, const struct eventstream_header *h)
{
	size_t size = (size_t)value_size(h->type);
	switch (h->type) {
	case EVENTSTREAM_TRUE:
	case EVENTSTREAM_FALSE:
		return true;
	case EVENTSTREAM_BYTES:
	case EVENTSTREAM_STRING:
		add_number(out, h->bytes.n, 2);
		return h->bytes.n <= UINT16_MAX && buf_add(out, h->bytes);
	case EVENTSTREAM_UUID:
		return h->bytes.n == UUID && buf_add(out, h->bytes);
	default:
		add_number(out, (uint64_t)h->number, size);
		return fits(h->number, size);
	}
}

static bool add_header(struct buf *out, const struct eventstream_header *h)
{
	if (h->name.n == 0 || h->name.n > UINT8_MAX || value_size(h->type) < 0)
		return false;
	add_number(out, h->name.n, 1);
	buf_add(out, h->name);
	add_number(out, h->type, 1);
	return add_value(out, h) && !out->failed;
}

static bool add_headers(struct buf *out, const struct eventstream_header *headers, size_t count)
{
	size_t start = out->n;
	for (size_t i = 0; i < count; i++)
		if (!add_header(out, &headers[i]) || out->n - start > EVENTSTREAM_HEADERS_MAX)
			return false;
	return true;
}

static bool add_message(struct buf *out, const struct eventstream_header *headers, size_t count,
			struct str payload)
{
	static const char blank[PRELUDE];
	size_t start = out->n;
	if (!buf_add(out, str_of(blank, PRELUDE)) || !add_headers(out, headers, count))
		return false;
	size_t headers_size = out->n - start - PRELUDE, total;
	if (__builtin_add_overflow(OVERHEAD + headers_size, payload.n, &total) || total > UINT32_MAX ||
	    !buf_add(out, payload))
		return false;
	char *p = out->p + start;
	put_number(p, total, 4);
	put_number(p + 4, headers_size, 4);
	put_number(p + LENGTHS, sum_of(p, LENGTHS), SUM);
	add_number(out, sum_of(p, total - SUM), SUM);
	return !out->failed;
}

bool eventstream_write(struct buf *out, const struct eventstream_header *headers, size_t count,
		       struct str payload)
{
	size_t start = out->n;
	if (!out->failed && add_message(out, headers, count, payload))
		return true;
	out->n = start;
	return false;
}
