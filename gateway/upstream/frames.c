/*
 * frames.c: a message's name is where its kind says: :event-type, :exception-type or :error-code.
 */
#include "upstream/frames.h"

#include <stdlib.h>

#include "base/mem.h"
#include "wire/json_scan.h"

struct eventstream *frames_new(void)
{
	struct eventstream *s = mem_alloc(sizeof(*s));
	eventstream_init(s, SSE_EVENT_MAX);
	return s;
}

void frames_free(struct eventstream *s)
{
	if (s)
		eventstream_free(s);
	free(s);
}

enum sse_result frames_feed(struct eventstream *s, struct str *in, struct sse_event *out)
{
	static const struct str names[] = { STR_INIT(":event-type"), STR_INIT(":exception-type"), STR_INIT(":error-code") };
	struct eventstream_message m;
	enum eventstream_result r = eventstream_feed(s, in, &m);
	if (r != EVENTSTREAM_MESSAGE)
		return r == EVENTSTREAM_BAD ? SSE_BAD : SSE_MORE;
	*out = (struct sse_event){ .data = m.payload };
	for (size_t i = 0; i < array_len(names) && str_empty(out->name); i++)
		out->name = eventstream_text(&m, names[i]);
	return SSE_EVENT;
}

bool frames_whole(const struct sse_event *ev)
{
	struct arena a = ARENA_INIT;
	struct json_scan scan;
	struct str data = str_trim(ev->data);
	if (ev->comment || str_eq(ev->data, STR("[DONE]")))
		return !ev->comment;
	if (data.n && data.p[0] == '{' && data.p[data.n - 1] != '}')
		return false;	/* seen without reading half of a long one */
	json_scan_init(&scan, &a);
	scan.any_root = true;
	bool whole = json_scan_feed(&scan, ev->data.p, ev->data.n, true) == JSON_DONE;
	arena_clear(&a);
	return whole;
}
