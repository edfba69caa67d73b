/*
 * openai_chat_hear.c: a target's chat completions answer, plain or as a stream (openai-openapi 2.3.0, read 2026-08).
 *
 * Vendors that copy the format take liberties with tool calls: indexes missing or all zero, ids in
 * every chunk or in none, arguments ahead of the name. A call is told from the next by its index,
 * or by an id that is another than the last.
 */
#include "dialects/openai_chat_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dialects/members.h"
#include "dialects/openai_usage.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

enum { CALLS_MOST = 256, EARLY_MOST = 1 << 20 };

struct call_seen {
	int choice, number;
	int64_t index;		/* the vendor's; -1: it gives none */
	uint64_t id;		/* a hash; 0: none came yet */
	bool begun;
	struct buf early;	/* arguments ahead of the name */
};

struct hearing {
	struct chat_reader r;
	bool begun, tools;
	struct call_seen *calls;
	int n_calls;
};

const size_t openai_chat_reader_size = sizeof(struct hearing);

void openai_chat_reader_free(struct chat_reader *r)
{
	struct hearing *h = container_of(r, struct hearing, r);
	for (int i = 0; i < h->n_calls; i++)
		buf_free(&h->calls[i].early);
	free(h->calls);
	h->calls = NULL;
	h->n_calls = 0;
}

static void give(struct hearing *h, struct chat_event e)
{
	chat_give(h->r.out, &e);
}

static void give_text(struct hearing *h, enum chat_event_kind kind, int choice, struct str text)
{
	if (text.n)
		give(h, (struct chat_event){ .kind = kind, .choice = choice, .call = -1, .text = text });
}

/* --- tool calls --- */

static struct call_seen *add_call(struct hearing *h, int choice, int64_t index)
{
	int number = 0;
	if (h->n_calls == CALLS_MOST)
		return NULL;
	for (int i = 0; i < h->n_calls; i++)
		number += h->calls[i].choice == choice;
	h->calls = mem_resize(h->calls, sizeof(*h->calls) * (size_t)(h->n_calls + 1));
	h->calls[h->n_calls] = (struct call_seen){ .choice = choice, .number = number, .index = index, .early = BUF_INIT(EARLY_MOST) };
	return &h->calls[h->n_calls++];
}

static struct call_seen *find_call(struct hearing *h, int choice, int64_t index, uint64_t id)
{
	for (int i = h->n_calls - 1; i >= 0; i--) {
		struct call_seen *c = &h->calls[i];
		if (c->choice != choice || (index >= 0 && c->index != index))
			continue;
		return id && c->id && c->id != id ? NULL : c;
	}
	return NULL;
}

static void begin_call(struct hearing *h, struct call_seen *c, struct str id, struct str name)
{
	char made[64];
	if (str_empty(id))
		id = spelled_made_id(made, h->r.request_id, c->choice, c->number);
	c->begun = h->tools = true;
	give(h, (struct chat_event){ .kind = CHAT_CALL, .choice = c->choice, .call = c->number, .id = id, .name = name });
	if (c->early.n)
		give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .choice = c->choice, .call = c->number, .text = buf_str(&c->early) });
	buf_free(&c->early);
}

static void hear_arguments(struct hearing *h, struct call_seen *c, struct str value)
{
	struct buf spelled = BUF_INIT(EARLY_MOST);
	struct str text = json_raw(value);
	if (json_type(value) == JSON_OBJECT && buf_add_json(&spelled, value))	/* some give the object itself */
		text = str_of(spelled.p + 1, spelled.n - 2);
	if (text.n && c->begun)
		give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .choice = c->choice, .call = c->number, .text = text });
	else if (text.n)
		buf_add(&c->early, text);
	buf_free(&spelled);
}

static void hear_call_of(struct hearing *h, int choice, struct str call, struct str function)
{
	struct str id = json_raw(json_get(call, STR("id"))), name = json_raw(json_get(function, STR("name")));
	struct str proof = json_raw(json_get(json_get(json_get(call, STR("extra_content")), STR("google")), STR("thought_signature")));
	uint64_t hash = id.n ? str_hash(id) | 1 : 0;
	int64_t index;
	if (!json_int(json_get(call, STR("index")), &index) || index < 0)
		index = -1;
	struct call_seen *c = find_call(h, choice, index, hash);
	if (!c)
		c = add_call(h, choice, index);
	if (!c)
		return;
	c->id = hash ? hash : c->id;
	if (!c->begun && name.n)
		begin_call(h, c, id, name);
	struct str arguments = json_get(function, STR("arguments"));
	hear_arguments(h, c, arguments.p ? arguments : json_get(function, STR("input")));
	if (proof.n && c->begun)
		give(h, (struct chat_event){ .kind = CHAT_SIGNATURE, .choice = choice, .call = c->number, .signature = proof, .signer = STR(SIGNED_GOOGLE) });
}

static void hear_call(struct hearing *h, int choice, struct str call)
{
	hear_call_of(h, choice, call, json_get(call, type_is(call, "custom") ? STR("custom") : STR("function")));
}

/* Before there were tool calls there was one, without an id. */
static void hear_old_call(struct hearing *h, int choice, struct str function)
{
	if (json_type(function) == JSON_OBJECT)
		hear_call_of(h, choice, STR_NONE, function);
}

/* --- text and thoughts --- */

static void hear_inner(struct hearing *h, int choice, struct str list)
{
	struct json_cursor c;
	if (json_type(list) == JSON_STRING)
		give_text(h, CHAT_REASONING, choice, json_raw(list));
	else if (json_cursor_open(&c, list))
		while (json_cursor_next(&c))
			give_text(h, CHAT_REASONING, choice, json_raw(json_get(c.value, STR("text"))));
}

/* Mistral and Databricks give blocks for content. */
static void hear_content(struct hearing *h, int choice, struct str content)
{
	struct json_cursor c;
	if (json_type(content) == JSON_STRING)
		give_text(h, CHAT_TEXT, choice, json_raw(content));
	if (json_type(content) != JSON_ARRAY || !json_cursor_open(&c, content))
		return;
	while (json_cursor_next(&c)) {
		if (type_is(c.value, "thinking"))
			hear_inner(h, choice, json_get(c.value, STR("thinking")));
		else if (type_is(c.value, "reasoning"))
			hear_inner(h, choice, json_get(c.value, STR("summary")));
		else
			give_text(h, CHAT_TEXT, choice, json_raw(json_get(c.value, STR("text"))));
	}
}

static void hear_detail(struct hearing *h, int choice, struct str detail, bool text_too)
{
	struct str signer = json_raw(json_get(detail, STR("format"))), proof = json_raw(json_get(detail, STR("signature")));
	struct str data = json_raw(json_get(detail, STR("data")));
	if (text_too)
		give_text(h, CHAT_REASONING, choice, json_raw(json_get(detail, type_is(detail, "reasoning.summary") ? STR("summary") : STR("text"))));
	if (proof.n)
		give(h, (struct chat_event){ .kind = CHAT_SIGNATURE, .choice = choice, .call = -1, .signature = proof, .signer = signer });
	if (type_is(detail, "reasoning.encrypted") && data.n)
		give(h, (struct chat_event){ .kind = CHAT_REDACTED, .choice = choice, .call = -1, .text = data, .signer = signer });
}

static void hear_reasoning(struct hearing *h, int choice, struct json_fields *delta)
{
	struct str text = json_raw(json_field(delta, STR("reasoning_content")));
	struct json_cursor c;
	if (str_empty(text))
		text = json_raw(json_field(delta, STR("reasoning")));
	give_text(h, CHAT_REASONING, choice, text);
	if (json_cursor_open(&c, json_field(delta, STR("reasoning_details"))))
		while (json_cursor_next(&c))
			hear_detail(h, choice, c.value, str_empty(text));
}

static void hear_list(struct hearing *h, int choice, struct str list, enum chat_event_kind kind)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, list))
		return;
	while (json_cursor_next(&c)) {
		if (kind == CHAT_CITATION)
			give(h, (struct chat_event){ .kind = kind, .choice = choice, .call = -1, .json = c.value });
		else
			hear_call(h, choice, c.value);
	}
}

/* --- a choice --- */

static enum chat_finish finish_of(struct str word, bool tools)
{
	static const struct { struct str word; enum chat_finish finish; } words[] = {
		{ STR_INIT("stop"), FINISH_STOP }, { STR_INIT("length"), FINISH_LENGTH }, { STR_INIT("tool_calls"), FINISH_TOOLS },
		{ STR_INIT("function_call"), FINISH_TOOLS }, { STR_INIT("content_filter"), FINISH_FILTER },
		{ STR_INIT("sensitive"), FINISH_FILTER }, { STR_INIT("model_length"), FINISH_LENGTH }, { STR_INIT("eos"), FINISH_STOP },
	};
	enum chat_finish finish = FINISH_OTHER;
	for (size_t i = 0; i < array_len(words); i++)
		if (str_eq(words[i].word, word))
			finish = words[i].finish;
	return tools && (finish == FINISH_STOP || finish == FINISH_OTHER) ? FINISH_TOOLS : finish;
}

static bool calls_of(const struct hearing *h, int choice)
{
	for (int i = 0; i < h->n_calls; i++)
		if (h->calls[i].choice == choice)
			return true;
	return false;
}

static void hear_choice(struct hearing *h, struct json_fields *choice, struct json_fields *said)
{
	struct str finish = json_raw(json_field(choice, STR("finish_reason"))), logprobs = json_field(choice, STR("logprobs"));
	int64_t n = json_field_count(choice, STR("index"));
	int index = n < 128 ? (int)n : 127;
	hear_reasoning(h, index, said);
	hear_content(h, index, json_field(said, STR("content")));
	give_text(h, CHAT_TEXT, index, json_raw(json_field(choice, STR("text"))));	/* a completion's */
	give_text(h, CHAT_REFUSAL, index, json_raw(json_field(said, STR("refusal"))));
	hear_list(h, index, json_field(said, STR("tool_calls")), CHAT_CALL);
	hear_old_call(h, index, json_field(said, STR("function_call")));
	hear_list(h, index, json_field(said, STR("annotations")), CHAT_CITATION);
	if (json_type(logprobs) == JSON_OBJECT)
		give(h, (struct chat_event){ .kind = CHAT_LOGPROBS, .choice = index, .call = -1, .json = logprobs });
	if (finish.n)
		give(h, (struct chat_event){ .kind = CHAT_FINISH, .choice = index, .call = -1, .finish = finish_of(finish, calls_of(h, index)), .native = finish });
}

static void hear_begin(struct hearing *h, struct json_fields *root)
{
	if (h->begun)
		return;
	h->begun = true;
	give(h, (struct chat_event){ .kind = CHAT_BEGIN, .call = -1, .id = json_raw(json_field(root, STR("id"))),
				     .model = json_raw(json_field(root, STR("model"))) });
}

static void hear_usage(struct hearing *h, struct json_fields *root)
{
	struct usage u = { 0 };
	if (openai_usage(json_field(root, STR("usage")), h->r.quirks, &u) ||
	    openai_usage(json_get(json_field(root, STR("x_groq")), STR("usage")), h->r.quirks, &u))
		give(h, (struct chat_event){ .kind = CHAT_USAGE, .call = -1, .usage = &u });
}

static bool hear(struct hearing *h, struct str object, const char *member)
{
	struct json_cursor c;
	struct json_fields f, *root = &f;
	bool any = false;
	json_fields_open(root, object);
	hear_begin(h, root);
	hear_usage(h, root);
	if (!json_cursor_open(&c, json_field(root, STR("choices"))))
		return false;
	while (json_cursor_next(&c)) {
		struct json_fields choice, said;
		json_fields_open(&choice, c.value);
		struct str message = json_field(&choice, str_c(member));
		any |= json_type(message) == JSON_OBJECT || json_type(json_field(&choice, STR("text"))) == JSON_STRING;
		json_fields_open(&said, message);
		hear_choice(h, &choice, &said);
	}
	return any;
}

bool openai_chat_read_answer(struct str body, const struct chat_reader *r)
{
	struct hearing h = { .r = *r };
	struct str root = json_whole(body);
	struct chat_event end = { .kind = CHAT_END, .call = -1 };
	bool good = json_type(root) == JSON_OBJECT && hear(&h, root, "message");
	if (good)
		chat_give(r->out, &end);
	openai_chat_reader_free(&h.r);
	return good;
}

void openai_chat_read_event(struct chat_reader *r, struct str name, struct str data)
{
	struct hearing *h = container_of(r, struct hearing, r);
	struct str root = json_whole(data);
	(void)name;
	if (json_type(root) == JSON_OBJECT)
		hear(h, root, "delta");
}
