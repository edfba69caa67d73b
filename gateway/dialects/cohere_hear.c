/*
 * cohere_hear.c: an answer of Cohere's v2 chat, plain or as a stream (API reference and cohere-python, read 2026-08).
 *
 * The plan ahead of tool calls is text. Indexes count blocks of all kinds, so calls are counted here; a call may come without
 * arguments. Citations point into the text that came before them.
 */
#include "dialects/cohere_parts.h"

#include "dialects/spelled.h"
#include "wire/json_cursor.h"

enum { ARGUMENTS_MAX = 4 << 20 };

struct hearing {
	struct chat_reader r;
	bool begun, in_call, any_json;
	int calls;
};

const size_t cohere_reader_size = sizeof(struct hearing);

static void give(struct hearing *h, struct chat_event e)
{
	chat_give(h->r.out, &e);
}

static void give_text(struct hearing *h, enum chat_event_kind kind, struct str value)
{
	struct str text = json_raw(value);
	if (text.n)
		give(h, (struct chat_event){ .kind = kind, .call = -1, .text = text });
}

static void hear_begin(struct hearing *h, struct str root)
{
	if (!h->begun)
		give(h, (struct chat_event){ .kind = CHAT_BEGIN, .call = -1, .id = json_raw(json_get(root, STR("id"))) });
	h->begun = true;
}

/* --- tool calls --- */

static void give_arguments(struct hearing *h, struct str spelled)
{
	h->any_json = true;
	give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .call = h->calls - 1, .text = spelled });
}

static void begin_call(struct hearing *h, struct str call)
{
	char made[64];
	struct str id = json_raw(json_get(call, STR("id"))), function = json_get(call, STR("function"));
	if (str_empty(id))
		id = spelled_made_id(made, h->r.request_id, 0, h->calls);
	h->in_call = true;
	h->any_json = false;
	give(h, (struct chat_event){ .kind = CHAT_CALL, .call = h->calls++, .id = id, .name = json_raw(json_get(function, STR("name"))) });
}

/* A string that holds JSON; some versions give the object itself. */
static void hear_arguments(struct hearing *h, struct str call)
{
	struct str value = json_get(json_get(call, STR("function")), STR("arguments")), text = json_raw(value);
	struct buf spelled = BUF_INIT(ARGUMENTS_MAX);
	if (json_type(value) == JSON_OBJECT && buf_add_json(&spelled, value))
		text = str_of(spelled.p + 1, spelled.n - 2);
	if (text.n)
		give_arguments(h, text);
	buf_free(&spelled);
}

static void end_call(struct hearing *h)
{
	if (h->in_call && !h->any_json)
		give_arguments(h, STR("{}"));
	h->in_call = false;
}

/* --- the rest --- */

static void hear_content(struct hearing *h, struct str block)
{
	give_text(h, CHAT_REASONING, json_get(block, STR("thinking")));
	give_text(h, CHAT_TEXT, json_get(block, STR("text")));
}

/* As OpenAI's annotation, where its source is a page; others have no such shape. */
static void hear_citation(struct hearing *h, struct str citation)
{
	struct json_cursor c;
	int64_t start = json_count(citation, STR("start")), end = json_count(citation, STR("end"));
	if (!json_cursor_open(&c, json_get(citation, STR("sources"))))
		return;
	while (json_cursor_next(&c)) {
		struct str document = json_get(c.value, STR("document"));
		spelled_cite(h->r.out, 0, json_raw(json_get(document, STR("url"))), json_raw(json_get(document, STR("title"))), start, end);
	}
}

static void hear_list(struct hearing *h, struct str list, void (*hear)(struct hearing *, struct str))
{
	struct json_cursor c;
	if (json_type(list) == JSON_ARRAY && json_cursor_open(&c, list))
		while (json_cursor_next(&c))
			hear(h, c.value);
}

static void hear_call(struct hearing *h, struct str call)
{
	begin_call(h, call);
	hear_arguments(h, call);
	end_call(h);
}

static void hear_usage(struct hearing *h, struct str usage)
{
	struct usage u = { 0 };
	if (cohere_usage(usage, STR_NONE, &u))
		give(h, (struct chat_event){ .kind = CHAT_USAGE, .call = -1, .usage = &u });
}

static void hear_finish(struct hearing *h, struct str holder)
{
	static const struct { struct str word; enum chat_finish finish; } words[] = {
		{ STR_INIT("COMPLETE"), FINISH_STOP }, { STR_INIT("STOP_SEQUENCE"), FINISH_SEQUENCE }, { STR_INIT("MAX_TOKENS"), FINISH_LENGTH },
		{ STR_INIT("TOOL_CALL"), FINISH_TOOLS }, { STR_INIT("ERROR_TOXIC"), FINISH_FILTER }, { STR_INIT("ERROR_LIMIT"), FINISH_LENGTH },
	};
	struct str word = json_raw(json_get(holder, STR("finish_reason")));
	struct chat_event e = { .kind = CHAT_FINISH, .call = -1, .finish = FINISH_OTHER, .native = word };
	for (size_t i = 0; i < array_len(words); i++)
		if (str_eq(words[i].word, word))
			e.finish = words[i].finish;
	if (h->calls && (e.finish == FINISH_STOP || e.finish == FINISH_OTHER))
		e.finish = FINISH_TOOLS;
	if (word.n)
		give(h, e);
}

bool cohere_read_answer(struct str body, const struct chat_reader *r)
{
	struct hearing h = { .r = *r };
	struct str root = json_whole(body), message = json_get(root, STR("message")), finish = json_get(root, STR("finish_reason"));
	if (json_type(message) != JSON_OBJECT || json_is(finish, STR("ERROR")) || json_is(finish, STR("TIMEOUT")))
		return false;
	hear_begin(&h, root);
	give_text(&h, CHAT_TEXT, json_get(message, STR("tool_plan")));
	hear_list(&h, json_get(message, STR("content")), hear_content);
	hear_list(&h, json_get(message, STR("tool_calls")), hear_call);
	hear_list(&h, json_get(message, STR("citations")), hear_citation);
	hear_usage(&h, json_get(root, STR("usage")));
	hear_finish(&h, root);
	give(&h, (struct chat_event){ .kind = CHAT_END, .call = -1 });
	return true;
}

void cohere_read_event(struct chat_reader *r, struct str name, struct str data)
{
	struct hearing *h = container_of(r, struct hearing, r);
	struct str root = json_whole(data), type = json_get(root, STR("type")), delta = json_get(root, STR("delta"));
	struct str message = json_get(delta, STR("message")), call = json_get(message, STR("tool_calls"));
	(void)name;
	if (json_type(root) != JSON_OBJECT)
		return;
	hear_begin(h, root);
	if (json_is(type, STR("tool-plan-delta"))) {
		give_text(h, CHAT_TEXT, json_get(message, STR("tool_plan")));
	} else if (json_is(type, STR("content-start")) || json_is(type, STR("content-delta"))) {
		hear_content(h, json_get(message, STR("content")));
	} else if (json_is(type, STR("tool-call-start"))) {
		begin_call(h, call);
		hear_arguments(h, call);
	} else if (json_is(type, STR("tool-call-delta")) && h->in_call) {
		hear_arguments(h, call);
	} else if (json_is(type, STR("tool-call-end"))) {
		end_call(h);
	} else if (json_is(type, STR("citation-start"))) {
		hear_citation(h, json_get(message, STR("citations")));
	} else if (json_is(type, STR("message-end"))) {
		end_call(h);
		hear_usage(h, json_get(delta, STR("usage")));
		hear_finish(h, delta);
	}
}
