/*
 * sse.c: server-sent events out of bytes cut anywhere.
 *
 * An event ends at an empty line. An event that ends in CR is handed out at once, without
 * waiting to see whether an LF belongs to it; that LF then counts as a blank line ahead of
 * the next event, so that no byte is lost.
 */
#include "wire/sse.h"

void sse_init(struct sse *s)
{
	*s = (struct sse){ .tail = BUF_INIT(SSE_EVENT_MAX), .joined = BUF_INIT(SSE_EVENT_MAX) };
}

void sse_free(struct sse *s)
{
	buf_free(&s->tail);
	buf_free(&s->joined);
}

/* Next CR or LF at or behind p, or end. */
static const char *line_end(const char *p, const char *end)
{
	const char *lf = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
	const char *stop = lf ? lf : end;
	const char *cr = p < stop ? memchr(p, '\r', (size_t)(stop - p)) : NULL;
	return cr ? cr : stop;
}

static const char *behind_line_end(const char *p, const char *end)
{
	if (*p == '\r' && p + 1 < end && p[1] == '\n')
		return p + 2;
	return p + 1;
}

/*
 * Length of the first whole event in `s`, 0 when there is none. Goes on from `*l` and moves it
 * to the end, so that no byte is looked at twice. Blank lines before an event belong to it.
 */
static size_t event_length(struct str s, struct sse_place *l)
{
	const char *end = s.p + s.n, *p = s.p + l->at;
	while (p < end) {
		if (*p == '\n' && !l->in_line && p > s.p && p[-1] == '\r') {
			p++;	/* the second half of a CRLF that came in two pieces */
			continue;
		}
		const char *stop = line_end(p, end);
		l->in_line |= stop != p;
		p = stop < end ? behind_line_end(stop, end) : end;
		if (stop == end)
			break;
		if (!l->in_line && l->any)
			return (size_t)(p - s.p);
		l->any |= l->in_line;
		l->in_line = false;
	}
	l->at = (size_t)(p - s.p);
	return 0;
}

static bool field(struct str line, struct str name, struct str *value)
{
	if (!str_starts(line, name) || (line.n > name.n && line.p[name.n] != ':'))
		return false;
	*value = str_skip(line, name.n + 1);
	if (value->n && value->p[0] == ' ')
		*value = str_skip(*value, 1);
	return true;
}

static void join(struct sse *s, struct sse_event *out, unsigned lines, struct str value)
{
	if (lines == 0) {
		out->data = value;
		return;
	}
	if (lines == 1) {
		buf_clear(&s->joined);
		buf_add(&s->joined, out->data);
	}
	buf_addc(&s->joined, '\n');
	buf_add(&s->joined, value);
	out->data = buf_str(&s->joined);
}

static void read_event(struct sse *s, struct str raw, struct sse_event *out)
{
	static const char mark[] = "\xEF\xBB\xBF";
	const char *p = raw.p, *end = raw.p + raw.n;
	unsigned lines = 0;
	*out = (struct sse_event){ .raw = raw };
	if (!s->begun && str_starts(raw, str_of(mark, 3)))
		p += 3;
	s->begun = true;
	while (p < end) {
		const char *stop = line_end(p, end);
		struct str line = str_of(p, (size_t)(stop - p)), value;
		if (field(line, STR("data"), &value))
			join(s, out, lines++, value);
		else if (field(line, STR("event"), &value))
			out->name = value;
		p = stop < end ? behind_line_end(stop, end) : end;
	}
	out->comment = lines == 0;
}

static void begin(struct sse *s)
{
	if (s->used) {
		s->used = false;
		buf_free(&s->tail);
	}
}

/* The tail and the new bytes together; what lies behind the event stays in `*in`. */
static enum sse_result feed_tail(struct sse *s, struct str *in, struct sse_event *out)
{
	size_t had = s->tail.n;
	size_t room = SSE_EVENT_MAX - had, taken = in->n < room ? in->n : room;
	if (!buf_add(&s->tail, str_head(*in, taken)))
		return SSE_BAD;
	size_t n = event_length(buf_str(&s->tail), &s->place);
	if (n == 0) {
		*in = str_skip(*in, taken);
		return in->n ? SSE_BAD : SSE_MORE;
	}
	*in = str_skip(*in, n - had);
	s->tail.n = n;
	s->used = true;
	read_event(s, buf_str(&s->tail), out);
	return SSE_EVENT;
}

enum sse_result sse_feed(struct sse *s, struct str *in, struct sse_event *out)
{
	begin(s);
	if (in->n == 0)
		return SSE_MORE;
	if (s->tail.n)
		return feed_tail(s, in, out);
	s->place = (struct sse_place){ 0 };
	size_t n = event_length(str_head(*in, SSE_EVENT_MAX), &s->place);
	struct str raw = str_head(*in, n ? n : in->n);
	*in = str_skip(*in, raw.n);
	if (n == 0)
		return buf_add(&s->tail, raw) ? SSE_MORE : SSE_BAD;
	read_event(s, raw, out);
	return SSE_EVENT;
}

enum sse_result sse_end(struct sse *s, struct sse_event *out)
{
	begin(s);
	if (s->tail.n == 0)
		return SSE_MORE;
	s->used = true;
	read_event(s, buf_str(&s->tail), out);
	return SSE_EVENT;
}
