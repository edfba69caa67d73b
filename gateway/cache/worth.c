/*
 * worth.c: the ends of all choices, and calls of tools, found by the dialect's own reader.
 */
#include "cache/worth.h"

#include <stdlib.h>

#include "base/mem.h"
#include "core/chat_format.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"
#include "wire/sse.h"

enum { CHOICES = 128 };

struct judge {
	struct chat_out out;
	const struct worth *w;
	bool begun[CHOICES], ended[CHOICES], bad;
};

/* --- what the reader says --- */

static bool is_one_of(struct str word, const struct str *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(word, words[i]))
			return true;
	return false;
}

static bool is_good_end(struct str word, bool limited)
{
	static const struct str good[] = {
		STR_INIT("stop"), STR_INIT("eos"), STR_INIT("end_turn"), STR_INIT("stop_sequence"), STR_INIT("STOP"), STR_INIT("completed"),
		STR_INIT("tool_calls"), STR_INIT("function_call"), STR_INIT("tool_use"),
	};
	static const struct str at_limit[] = { STR_INIT("length"), STR_INIT("max_tokens"), STR_INIT("max_output_tokens"), STR_INIT("MAX_TOKENS") };
	return is_one_of(word, good, array_len(good)) || (limited && is_one_of(word, at_limit, array_len(at_limit)));
}

static void take(struct chat_out *out, const struct chat_event *e)
{
	struct judge *j = container_of(out, struct judge, out);
	if (e->choice < 0 || e->choice >= CHOICES)
		j->bad = true;
	else if (e->kind == CHAT_FINISH)
		j->ended[e->choice] = true;
	else if (e->kind != CHAT_BEGIN && e->kind != CHAT_USAGE && e->kind != CHAT_END)
		j->begun[e->choice] = true;
	j->bad |= e->kind == CHAT_REFUSAL || (e->kind == CHAT_CALL && !j->w->tools) ||
		  (e->kind == CHAT_FINISH && !is_good_end(e->native, j->w->limited));
}

/* --- tools that the reader has no noun for: the vendor's own, freeform ones --- */

static bool is_call(struct str item)
{
	static const struct str others[] = {
		STR_INIT("message"), STR_INIT("reasoning"), STR_INIT("text"), STR_INIT("thinking"), STR_INIT("redacted_thinking"),
	};
	struct str type = json_raw(json_get(item, STR("type")));
	return type.n && !is_one_of(type, others, array_len(others));
}

static bool any_call(struct str list)
{
	struct json_cursor c;
	if (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list))
		return false;
	while (json_cursor_next(&c))
		if (is_call(c.value) || json_get(c.value, STR("executableCode")).p)
			return true;
	return false;
}

/* An answer or an event of Responses, Messages or generateContent. */
static bool has_calls(struct str root)
{
	struct json_cursor c;
	if (is_call(json_get(root, STR("item"))) || is_call(json_get(root, STR("content_block"))) || any_call(json_get(root, STR("output"))) ||
	    any_call(json_get(root, STR("content"))) || any_call(json_get(json_get(root, STR("response")), STR("output"))) ||
	    any_call(json_get(json_get(root, STR("message")), STR("content"))))
		return true;
	if (json_cursor_open(&c, json_get(root, STR("candidates"))))
		while (json_cursor_next(&c))
			if (any_call(json_get(json_get(c.value, STR("content")), STR("parts"))))
				return true;
	return false;
}

static void look(struct judge *j, struct str json)
{
	j->bad |= !j->w->tools && has_calls(json_value(json));
}

/* --- plain answers and streams --- */

static void read_plain(struct judge *j, const struct chat_format *f, struct str body)
{
	struct chat_reader r = { .out = &j->out };
	(void)f->read_answer(body, &r);		/* of text completions it hears the ends alone */
	look(j, body);
}

static void read_events(struct judge *j, const struct chat_format *f, struct str in)
{
	struct chat_reader *r = mem_alloc(*f->reader_size);
	struct sse sse;
	struct sse_event e;
	enum sse_result got;
	r->out = &j->out;
	sse_init(&sse);
	while ((got = sse_feed(&sse, &in, &e)) == SSE_EVENT || (got == SSE_MORE && sse_end(&sse, &e) == SSE_EVENT)) {
		f->read_event(r, e.name, e.data);
		look(j, e.data);
	}
	j->bad |= got == SSE_BAD;
	sse_free(&sse);
	if (f->reader_free)
		f->reader_free(r);
	free(r);
}

static bool is_whole(const struct judge *j)
{
	bool any = false;
	for (int i = 0; i < CHOICES; i++) {
		any |= j->ended[i];
		if (j->begun[i] && !j->ended[i])
			return false;
	}
	return any && !j->bad;
}

/* What is no text has no end of its own: an object that tells of no error. */
static bool is_sound(struct str body)
{
	struct arena a = ARENA_INIT;
	struct json_scan scan;
	json_scan_init(&scan, &a);
	bool sound = json_scan_feed(&scan, body.p, body.n, true) == JSON_DONE;
	const struct json_member *error = sound ? json_scan_find(&scan, body, STR("error")) : NULL;
	sound &= !error || json_type(str_of(body.p + error->value_at, error->value_length)) == JSON_NULL;
	arena_clear(&a);
	return sound;
}

bool worth_keeping(const struct worth *w, struct str body)
{
	const struct chat_format *f = w->endpoint->dialect ? w->endpoint->dialect->chat : NULL;
	struct judge j = { .out = { .take = take }, .w = w };
	if (!body.n || w->endpoint->good != ANSWER_TEXT || !f)
		return body.n && is_sound(body);
	if (w->stream)
		read_events(&j, f, body);
	else
		read_plain(&j, f, body);
	return is_whole(&j);
}
