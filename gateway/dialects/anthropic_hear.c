/*
 * anthropic_hear.c: a target's Messages answer, plain or as a stream (API of 2023-06-01, read 2026-11).
 *
 * Blocks follow each other, so the open one is all there is to remember.
 */
#include "dialects/anthropic_parts.h"

#include "dialects/members.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"
#include "wire/json_write.h"

struct hearing {
	struct chat_reader r;
	bool begun, in_call, any_json;
	int calls;
};

const size_t anthropic_reader_size = sizeof(struct hearing);

static void give(struct hearing *h, struct chat_event e)
{
	chat_give(h->r.out, &e);
}

static void give_text(struct hearing *h, enum chat_event_kind kind, struct str text)
{
	if (text.n)
		give(h, (struct chat_event){ .kind = kind, .call = -1, .text = text });
}

/* --- what both have in common --- */

static void hear_begin(struct hearing *h, struct json_fields *message)
{
	if (h->begun)
		return;
	h->begun = true;
	give(h, (struct chat_event){ .kind = CHAT_BEGIN, .call = -1, .id = json_raw(json_field(message, STR("id"))),
				     .model = json_raw(json_field(message, STR("model"))) });
}

static void hear_usage(struct hearing *h, struct str object)
{
	struct usage u = { 0 };
	if (anthropic_usage(object, &u))
		give(h, (struct chat_event){ .kind = CHAT_USAGE, .call = -1, .usage = &u });
}

static void hear_finish(struct hearing *h, struct json_fields *holder)
{
	static const struct { struct str word; enum chat_finish finish; } words[] = {
		{ STR_INIT("end_turn"), FINISH_STOP }, { STR_INIT("stop_sequence"), FINISH_SEQUENCE }, { STR_INIT("max_tokens"), FINISH_LENGTH },
		{ STR_INIT("model_context_window_exceeded"), FINISH_LENGTH }, { STR_INIT("tool_use"), FINISH_TOOLS },
		{ STR_INIT("refusal"), FINISH_FILTER }, { STR_INIT("pause_turn"), FINISH_PAUSE },
	};
	struct str word = json_raw(json_field(holder, STR("stop_reason")));
	struct chat_event e = { .kind = CHAT_FINISH, .call = -1, .finish = FINISH_OTHER, .native = word,
				.stop_sequence = json_raw(json_field(holder, STR("stop_sequence"))) };
	for (size_t i = 0; i < array_len(words); i++)
		if (str_eq(words[i].word, word))
			e.finish = words[i].finish;
	if (h->calls && e.finish == FINISH_STOP)
		e.finish = FINISH_TOOLS;
	if (word.n)
		give(h, e);
}

static void hear_proof(struct hearing *h, struct str signature)
{
	if (signature.n)
		give(h, (struct chat_event){ .kind = CHAT_SIGNATURE, .call = -1, .signature = signature, .signer = STR(SIGNED_ANTHROPIC) });
}

static void hear_redacted(struct hearing *h, struct str data)
{
	if (data.n)
		give(h, (struct chat_event){ .kind = CHAT_REDACTED, .call = -1, .text = data, .signer = STR(SIGNED_ANTHROPIC) });
}

/* Those that lead to a page have a shape in chat completions. */
static void hear_citation(struct hearing *h, struct str citation)
{
	spelled_cite(h->r.out, 0, json_raw(json_get(citation, STR("url"))), json_raw(json_get(citation, STR("title"))), -1, -1);
}

/* --- a plain answer --- */

static void begin_call(struct hearing *h, struct str block)
{
	char made[64];
	struct str id = json_raw(json_get(block, STR("id")));
	if (str_empty(id))
		id = spelled_made_id(made, h->r.request_id, 0, h->calls);
	give(h, (struct chat_event){ .kind = CHAT_CALL, .call = h->calls++, .id = id, .name = json_raw(json_get(block, STR("name"))) });
}

static void give_object(struct hearing *h, struct str json)
{
	struct buf b = BUF_INIT(4 * json.n + 16);
	if (json_type(json) == JSON_OBJECT && buf_add_json(&b, json))
		give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .call = h->calls - 1, .text = str_of(b.p + 1, b.n - 2) });
	buf_free(&b);
}

static void hear_block(struct hearing *h, struct str block)
{
	struct json_cursor c;
	if (type_is(block, "text")) {
		give_text(h, CHAT_TEXT, json_raw(json_get(block, STR("text"))));
		if (json_cursor_open(&c, json_get(block, STR("citations"))))
			while (json_cursor_next(&c))
				hear_citation(h, c.value);
	} else if (type_is(block, "thinking")) {
		give_text(h, CHAT_REASONING, json_raw(json_get(block, STR("thinking"))));
		hear_proof(h, json_raw(json_get(block, STR("signature"))));
	} else if (type_is(block, "redacted_thinking")) {
		hear_redacted(h, json_raw(json_get(block, STR("data"))));
	} else if (type_is(block, "tool_use")) {
		begin_call(h, block);
		give_object(h, json_get(block, STR("input")));
	}
}

/* A stream begins with one, too: empty, but for calls out of code that runs at Anthropic. */
static void hear_message(struct hearing *h, struct str object)
{
	struct json_fields f, *message = &f;
	struct json_cursor c;
	json_fields_open(message, object);
	hear_begin(h, message);
	if (json_cursor_open(&c, json_field(message, STR("content"))))
		while (json_cursor_next(&c))
			hear_block(h, c.value);
	hear_usage(h, json_field(message, STR("usage")));
	hear_finish(h, message);
}

bool anthropic_read_answer(struct str body, const struct chat_reader *r)
{
	struct hearing h = { .r = *r };
	struct str root = json_whole(body);
	if (json_type(json_get(root, STR("content"))) != JSON_ARRAY)
		return false;
	hear_message(&h, root);
	give(&h, (struct chat_event){ .kind = CHAT_END, .call = -1 });
	return true;
}

/* --- a stream --- */

static void hear_start(struct hearing *h, struct str block)
{
	h->in_call = type_is(block, "tool_use");
	h->any_json = false;
	if (h->in_call)
		begin_call(h, block);
	else
		hear_block(h, block);
}

static void hear_delta(struct hearing *h, struct str delta)
{
	struct str json = json_raw(json_get(delta, STR("partial_json")));
	if (type_is(delta, "text_delta"))
		give_text(h, CHAT_TEXT, json_raw(json_get(delta, STR("text"))));
	else if (type_is(delta, "thinking_delta"))
		give_text(h, CHAT_REASONING, json_raw(json_get(delta, STR("thinking"))));
	else if (type_is(delta, "signature_delta"))
		hear_proof(h, json_raw(json_get(delta, STR("signature"))));
	else if (type_is(delta, "citations_delta"))
		hear_citation(h, json_get(delta, STR("citation")));
	if (!h->in_call || str_empty(json) || !type_is(delta, "input_json_delta"))
		return;
	h->any_json = true;
	give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .call = h->calls - 1, .text = json });
}

static void hear_stop(struct hearing *h)
{
	if (h->in_call && !h->any_json)
		give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .call = h->calls - 1, .text = STR("{}") });
	h->in_call = false;
}

void anthropic_read_event(struct chat_reader *r, struct str name, struct str data)
{
	struct hearing *h = container_of(r, struct hearing, r);
	struct json_fields delta;
	struct str root = json_whole(data), type = str_empty(name) ? json_raw(json_get(root, STR("type"))) : name;
	if (json_type(root) != JSON_OBJECT)
		return;
	if (str_eq(type, STR("message_start"))) {
		hear_message(h, json_get(root, STR("message")));
	} else if (str_eq(type, STR("content_block_start"))) {
		hear_start(h, json_get(root, STR("content_block")));
	} else if (str_eq(type, STR("content_block_delta"))) {
		hear_delta(h, json_get(root, STR("delta")));
	} else if (str_eq(type, STR("content_block_stop"))) {
		hear_stop(h);
	} else if (str_eq(type, STR("message_delta"))) {
		hear_usage(h, json_get(root, STR("usage")));
		json_fields_open(&delta, json_get(root, STR("delta")));
		hear_finish(h, &delta);
	}
}
