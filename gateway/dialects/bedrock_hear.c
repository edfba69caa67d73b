/*
 * bedrock_hear.c: a target's Converse answer, plain or as a stream (botocore's bedrock-runtime 2023-09-30, read 2026-08).
 *
 * Only tool calls have a start; indexes of blocks may skip, so calls are counted here.
 */
#include "dialects/bedrock_parts.h"

#include "dialects/spelled.h"
#include "wire/json_cursor.h"

struct hearing {
	struct chat_reader r;
	bool begun, in_call, any_json;
	int calls;
};

const size_t bedrock_reader_size = sizeof(struct hearing);

static void give(struct hearing *h, struct chat_event e)
{
	chat_give(h->r.out, &e);
}

static void give_text(struct hearing *h, enum chat_event_kind kind, struct str text)
{
	if (text.n)
		give(h, (struct chat_event){ .kind = kind, .call = -1, .text = text });
}

static void hear_begin(struct hearing *h)
{
	if (!h->begun)
		give(h, (struct chat_event){ .kind = CHAT_BEGIN, .call = -1 });
	h->begun = true;
}

static void begin_call(struct hearing *h, struct str use)
{
	char made[64];
	struct str id = json_raw(json_get(use, STR("toolUseId")));
	if (str_empty(id))
		id = spelled_made_id(made, h->r.request_id, 0, h->calls);
	h->in_call = true;
	h->any_json = false;
	give(h, (struct chat_event){ .kind = CHAT_CALL, .call = h->calls++, .id = id, .name = json_raw(json_get(use, STR("name"))) });
}

static void give_arguments(struct hearing *h, struct str spelled)
{
	h->any_json = true;
	give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .call = h->calls - 1, .text = spelled });
}

static void hear_proof(struct hearing *h, struct str thought)
{
	struct str proof = json_raw(json_get(thought, STR("signature"))), redacted = json_raw(json_get(thought, STR("redactedContent")));
	if (proof.n)
		give(h, (struct chat_event){ .kind = CHAT_SIGNATURE, .call = -1, .signature = proof, .signer = STR(SIGNED_ANTHROPIC) });
	if (redacted.n)
		give(h, (struct chat_event){ .kind = CHAT_REDACTED, .call = -1, .text = redacted, .signer = STR(SIGNED_ANTHROPIC) });
}

static void hear_finish(struct hearing *h, struct str holder)
{
	static const struct { struct str word; enum chat_finish finish; } words[] = {
		{ STR_INIT("end_turn"), FINISH_STOP }, { STR_INIT("stop_sequence"), FINISH_SEQUENCE }, { STR_INIT("max_tokens"), FINISH_LENGTH },
		{ STR_INIT("model_context_window_exceeded"), FINISH_LENGTH }, { STR_INIT("tool_use"), FINISH_TOOLS },
		{ STR_INIT("guardrail_intervened"), FINISH_FILTER }, { STR_INIT("content_filtered"), FINISH_FILTER },
	};
	struct str word = json_raw(json_get(holder, STR("stopReason")));
	struct chat_event e = { .kind = CHAT_FINISH, .call = -1, .finish = FINISH_OTHER, .native = word };
	for (size_t i = 0; i < array_len(words); i++)
		if (str_eq(words[i].word, word))
			e.finish = words[i].finish;
	if (h->calls && (e.finish == FINISH_STOP || e.finish == FINISH_OTHER))
		e.finish = FINISH_TOOLS;
	if (word.n)
		give(h, e);
}

static void hear_usage(struct hearing *h, struct str root)
{
	struct usage u = { 0 };
	if (bedrock_usage(json_get(root, STR("usage")), &u))
		give(h, (struct chat_event){ .kind = CHAT_USAGE, .call = -1, .usage = &u });
}

/* Those that lead to a page have a shape in chat completions. */
static void hear_citation(struct hearing *h, struct str citation)
{
	struct str web = json_get(json_get(citation, STR("location")), STR("web"));
	spelled_cite(h->r.out, 0, json_raw(json_get(web, STR("url"))), json_raw(json_get(citation, STR("title"))), -1, -1);
}

/* --- a plain answer --- */

/* Text that rests on sources stands in a block of its own kind. */
static void hear_cited(struct hearing *h, struct str block)
{
	struct json_cursor c;
	if (json_type(json_get(block, STR("content"))) == JSON_ARRAY && json_cursor_open(&c, json_get(block, STR("content"))))
		while (json_cursor_next(&c))
			give_text(h, CHAT_TEXT, json_raw(json_get(c.value, STR("text"))));
	if (json_type(json_get(block, STR("citations"))) == JSON_ARRAY && json_cursor_open(&c, json_get(block, STR("citations"))))
		while (json_cursor_next(&c))
			hear_citation(h, c.value);
}

static void hear_block(struct hearing *h, struct str block)
{
	struct str use = json_get(block, STR("toolUse")), thought = json_get(block, STR("reasoningContent"));
	struct str said = json_get(thought, STR("reasoningText"));
	give_text(h, CHAT_TEXT, json_raw(json_get(block, STR("text"))));
	hear_cited(h, json_get(block, STR("citationsContent")));
	if (thought.p) {
		give_text(h, CHAT_REASONING, json_raw(json_get(said, STR("text"))));
		hear_proof(h, said.p ? said : thought);
	}
	if (json_type(use) != JSON_OBJECT)
		return;
	struct str input = json_get(use, STR("input"));
	struct buf b = BUF_INIT(4 * input.n + 16);
	begin_call(h, use);
	bool object = json_type(input) == JSON_OBJECT && buf_add_json(&b, input);
	give_arguments(h, object ? str_of(b.p + 1, b.n - 2) : STR("{}"));
	buf_free(&b);
}

bool bedrock_read_answer(struct str body, const struct chat_reader *r)
{
	struct hearing h = { .r = *r };
	struct str root = json_whole(body), content = json_get(json_get(json_get(root, STR("output")), STR("message")), STR("content"));
	struct json_cursor c;
	if (json_type(content) != JSON_ARRAY || !json_cursor_open(&c, content))
		return false;
	hear_begin(&h);
	while (json_cursor_next(&c))
		hear_block(&h, c.value);
	hear_usage(&h, root);
	hear_finish(&h, root);
	give(&h, (struct chat_event){ .kind = CHAT_END, .call = -1 });
	return true;
}

/* --- a stream --- */

static void hear_delta(struct hearing *h, struct str delta)
{
	struct str thought = json_get(delta, STR("reasoningContent"));
	struct str json = json_raw(json_get(json_get(delta, STR("toolUse")), STR("input")));
	give_text(h, CHAT_TEXT, json_raw(json_get(delta, STR("text"))));
	if (thought.p) {
		give_text(h, CHAT_REASONING, json_raw(json_get(thought, STR("text"))));
		hear_proof(h, thought);
	}
	hear_citation(h, json_get(delta, STR("citation")));
	if (h->in_call && json.n)
		give_arguments(h, json);
}

void bedrock_read_event(struct chat_reader *r, struct str name, struct str data)
{
	struct hearing *h = container_of(r, struct hearing, r);
	struct str root = json_whole(data), use = json_get(json_get(root, STR("start")), STR("toolUse"));
	if (json_type(root) != JSON_OBJECT)
		return;
	hear_begin(h);
	if (str_eq(name, STR("contentBlockStart")) && use.p) {
		begin_call(h, use);
	} else if (str_eq(name, STR("contentBlockDelta"))) {
		hear_delta(h, json_get(root, STR("delta")));
	} else if (str_eq(name, STR("contentBlockStop"))) {
		if (h->in_call && !h->any_json)
			give_arguments(h, STR("{}"));
		h->in_call = false;
	} else if (str_eq(name, STR("messageStop"))) {
		hear_finish(h, root);
	} else if (str_eq(name, STR("metadata"))) {
		hear_usage(h, root);
	}
}
