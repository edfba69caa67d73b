/*
 * sse_fuzz.c: any bytes as an event stream, whole, cut in two anywhere, and byte by byte: the
 * same events, which a plain reading of the standard finds too, and every byte relayed.
 */
#include "base/buf.h"
#include "tests/fuzz/fuzz.h"
#include "wire/sse.h"

enum { HEARD_MAX = 1 << 22, EVERY_CUT = 200 };

/* What was relayed, and name and data of each event that has data. */
struct heard {
	struct buf raw, said;
};

static void say(struct buf *said, struct str name, struct str data)
{
	must(buf_addf(said, "%zu ", name.n) && buf_add(said, name));
	must(buf_addf(said, " %zu ", data.n) && buf_add(said, data));
}

static void hear(struct heard *h, const struct sse *s, const struct sse_event *e)
{
	must(e->raw.n > 0 && buf_add(&h->raw, e->raw));
	must(lies_in(e->name, e->raw));
	must(lies_in(e->data, e->raw) || lies_in(e->data, buf_str(&s->joined)));
	must(!e->comment || e->data.n == 0);
	if (!e->comment)
		say(&h->said, e->name, e->data);
}

static void feed(struct sse *s, struct heard *h, struct str bytes)
{
	char *copy = alone(bytes);
	struct str in = str_of(copy, bytes.n);
	struct sse_event e;
	enum sse_result r;
	while ((r = sse_feed(s, &in, &e)) == SSE_EVENT) {
		must(lies_in(e.raw, str_of(copy, bytes.n)) || lies_in(e.raw, buf_str(&s->tail)));
		hear(h, s, &e);
	}
	must(r == SSE_MORE && in.n == 0);
	free(copy);
}

/* Pieces: the first of `cut` bytes, then `step` each. */
static struct heard listen(struct str in, size_t cut, size_t step)
{
	struct heard h = { BUF_INIT(HEARD_MAX), BUF_INIT(HEARD_MAX) };
	struct sse_event e;
	struct sse s;
	sse_init(&s);
	for (size_t n = cut; in.n || n; n = in.n < step ? in.n : step) {
		feed(&s, &h, str_head(in, n));
		in = str_skip(in, n);
	}
	if (sse_end(&s, &e) == SSE_EVENT)
		hear(&h, &s, &e);
	must(sse_end(&s, &e) == SSE_MORE);
	sse_free(&s);
	return h;
}

static void forget(struct heard *h)
{
	buf_free(&h->raw);
	buf_free(&h->said);
}

static void check_cut(struct str in, size_t cut, size_t step, const struct heard *whole)
{
	struct heard h = listen(in, cut, step);
	must(str_eq(buf_str(&h.raw), in) && str_eq(buf_str(&h.said), buf_str(&whole->said)));
	forget(&h);
}

/* --- the standard's own words, over all the bytes at once --- */

static struct str take_line(struct str *in)
{
	size_t n = 0;
	while (n < in->n && in->p[n] != '\r' && in->p[n] != '\n')
		n++;
	struct str line = str_head(*in, n);
	n += n + 1 < in->n && in->p[n] == '\r' && in->p[n + 1] == '\n';
	*in = str_skip(*in, n + 1);
	return line;
}

static struct str value_of(struct str line, ptrdiff_t colon)
{
	struct str value = colon < 0 ? STR("") : str_skip(line, (size_t)colon + 1);
	return str_starts(value, STR(" ")) ? str_skip(value, 1) : value;
}

static void read_plainly(struct str in, struct buf *said)
{
	struct buf data = BUF_INIT(HEARD_MAX);
	struct str name = STR("");
	bool any = false;
	in = str_skip(in, str_starts(in, STR("\xEF\xBB\xBF")) ? 3 : 0);
	while (in.n) {
		struct str line = take_line(&in);
		ptrdiff_t colon = str_chr(line, ':');
		struct str field = colon < 0 ? line : str_head(line, (size_t)colon);
		if (str_eq(field, STR("event"))) {
			name = value_of(line, colon);
		} else if (str_eq(field, STR("data"))) {
			must(!any || buf_addc(&data, '\n'));
			must(buf_add(&data, value_of(line, colon)));
			any = true;
		}
		if (any && (line.n == 0 || in.n == 0))
			say(said, name, buf_str(&data));
		if (line.n == 0) {
			buf_clear(&data);
			name = STR("");
			any = false;
		}
	}
	buf_free(&data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	struct buf plain = BUF_INIT(HEARD_MAX);
	struct heard whole = listen(in, size, 1);
	read_plainly(in, &plain);
	must(str_eq(buf_str(&whole.raw), in) && str_eq(buf_str(&whole.said), buf_str(&plain)));
	check_cut(in, size ? 1 : 0, 1, &whole);
	check_cut(in, (size_t)(str_hash(in) % (size + 1)), size, &whole);
	for (size_t cut = 0; cut < size && size < EVERY_CUT; cut++)
		check_cut(in, cut, size, &whole);
	buf_free(&plain);
	forget(&whole);
	return 0;
}
