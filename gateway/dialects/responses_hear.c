/*
 * responses_hear.c: an answer of a target that speaks Responses, plain or as a stream (openai-openapi 2.3.0, read 2026-08).
 *
 * Items of a stream are known by their output_index, so calls are found by it. What a model thought comes as a summary,
 * as text, encrypted, or as several of these; what is only encrypted is kept for the next request.
 */
#include "dialects/responses_parts.h"

#include "core/target.h"
#include "dialects/members.h"
#include "dialects/openai_usage.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

enum { CALLS_MOST = 128, ANNOTATION_MAX = 16384 };

struct hearing {
	struct chat_reader r;
	bool begun, thought;		/* a piece of the present item's reasoning was given */
	int calls;
	int64_t place[CALLS_MOST];	/* output_index of each call */
	bool filled[CALLS_MOST];	/* its arguments came, or some of them */
};

const size_t responses_reader_size = sizeof(struct hearing);

static void give(struct hearing *h, struct chat_event e)
{
	chat_give(h->r.out, &e);
}

static bool give_text(struct hearing *h, enum chat_event_kind kind, struct str value)
{
	struct str text = json_raw(value);
	if (text.n)
		give(h, (struct chat_event){ .kind = kind, .call = -1, .text = text });
	return text.n > 0;
}

static void hear_begin(struct hearing *h, struct str response)
{
	if (!h->begun)
		give(h, (struct chat_event){ .kind = CHAT_BEGIN, .call = -1, .id = json_raw(json_get(response, STR("id"))),
					     .model = json_raw(json_get(response, STR("model"))) });
	h->begun = true;
}

/* --- tool calls --- */

static int call_at(const struct hearing *h, int64_t place)
{
	for (int i = 0; i < h->calls && i < CALLS_MOST; i++)
		if (h->place[i] == place)
			return i;
	return -1;
}

static int begin_call(struct hearing *h, struct str item, int64_t place)
{
	char made[64];
	struct str id = json_raw(json_get(item, STR("call_id")));
	if (str_empty(id))
		id = json_raw(json_get(item, STR("id")));
	if (str_empty(id))
		id = spelled_made_id(made, h->r.request_id, 0, h->calls);
	if (h->calls < CALLS_MOST)
		h->place[h->calls] = place;
	give(h, (struct chat_event){ .kind = CHAT_CALL, .call = h->calls, .id = id, .name = json_raw(json_get(item, STR("name"))) });
	return h->calls++;
}

static void give_arguments(struct hearing *h, int call, struct str text)
{
	if (call < 0 || str_empty(text))
		return;
	if (call < CALLS_MOST)
		h->filled[call] = true;
	give(h, (struct chat_event){ .kind = CHAT_ARGUMENTS, .call = call, .text = text });
}

/* The whole call: what of it did not come in pieces is given now. */
static void end_call(struct hearing *h, struct str item, int64_t place)
{
	struct str text = json_raw(json_get(item, STR("arguments")));
	int call = call_at(h, place);
	if (call < 0)
		call = begin_call(h, item, place);
	if (call >= CALLS_MOST || !h->filled[call])
		give_arguments(h, call, text.n ? text : STR("{}"));
}

/* --- reasoning --- */

static void hear_thoughts(struct hearing *h, struct str list, bool apart)
{
	struct json_cursor c;
	if (json_type(list) != JSON_ARRAY || !json_cursor_open(&c, list))
		return;
	while (json_cursor_next(&c)) {
		struct str text = json_get(c.value, STR("text"));
		if (apart && h->thought && json_raw(text).n)
			give(h, (struct chat_event){ .kind = CHAT_REASONING, .call = -1, .text = STR("\\n\\n") });
		h->thought |= give_text(h, CHAT_REASONING, text);
	}
}

static void hear_proof(struct hearing *h, struct str item)
{
	struct str proof = json_raw(json_get(item, STR("encrypted_content")));
	if (proof.n && h->thought)
		give(h, (struct chat_event){ .kind = CHAT_SIGNATURE, .call = -1, .signature = proof, .signer = STR(SIGNED_OPENAI) });
	else if (proof.n)
		give(h, (struct chat_event){ .kind = CHAT_REDACTED, .call = -1, .text = proof, .signer = STR(SIGNED_OPENAI) });
	h->thought = false;
}

/* --- text --- */

/* Flat here, with a member of its own in chat completions. */
static void hear_annotation(struct hearing *h, struct str a)
{
	static const char *const members[] = { "url", "title", "start_index", "end_index" };
	struct buf b = BUF_INIT(ANNOTATION_MAX);
	struct json_write w;
	if (!type_is(a, "url_citation"))
		return;
	json_write_init(&w, &b);
	json_write_object(&w);
	json_member_string(&w, "type", STR("url_citation"));
	json_member_object(&w, "url_citation");
	for (size_t i = 0; i < array_len(members); i++) {
		struct str v = json_get(a, str_c(members[i]));
		if (v.p)
			json_member_raw(&w, members[i], v);
	}
	json_write_object_end(&w);
	json_write_object_end(&w);
	if (json_write_end(&w))
		give(h, (struct chat_event){ .kind = CHAT_CITATION, .call = -1, .json = buf_str(&b) });
	buf_free(&b);
}

static void hear_logprobs(struct hearing *h, struct str list)
{
	struct buf b = BUF_INIT(list.n + 16);
	if (json_type(list) == JSON_ARRAY && json_first(list) && buf_add(&b, STR("{\"content\":")) && buf_add(&b, list) && buf_add(&b, STR("}")))
		give(h, (struct chat_event){ .kind = CHAT_LOGPROBS, .call = -1, .json = buf_str(&b) });
	buf_free(&b);
}

static void hear_content(struct hearing *h, struct str part)
{
	struct json_cursor c;
	struct str notes = json_get(part, STR("annotations"));
	if (type_is(part, "refusal")) {
		give_text(h, CHAT_REFUSAL, json_get(part, STR("refusal")));
		return;
	}
	give_text(h, CHAT_TEXT, json_get(part, STR("text")));
	hear_logprobs(h, json_get(part, STR("logprobs")));
	if (json_type(notes) == JSON_ARRAY && json_cursor_open(&c, notes))
		while (json_cursor_next(&c))
			hear_annotation(h, c.value);
}

/* --- the end --- */

static void hear_finish(struct hearing *h, struct str response)
{
	struct usage u = { 0 };
	struct str status = json_raw(json_get(response, STR("status")));
	struct str reason = json_raw(json_get(json_get(response, STR("incomplete_details")), STR("reason")));
	struct chat_event e = { .kind = CHAT_FINISH, .call = -1, .native = reason.n ? reason : status };
	if (openai_usage(json_get(response, STR("usage")), h->r.quirks, &u))
		give(h, (struct chat_event){ .kind = CHAT_USAGE, .call = -1, .usage = &u });
	if (str_eq(reason, STR("max_output_tokens")))
		e.finish = FINISH_LENGTH;
	else if (str_eq(reason, STR("content_filter")))
		e.finish = FINISH_FILTER;
	else if (str_eq(status, STR("incomplete")))
		e.finish = FINISH_OTHER;
	else
		e.finish = h->calls ? FINISH_TOOLS : FINISH_STOP;
	give(h, e);
}

/* --- plain --- */

static void hear_item(struct hearing *h, struct str item, int64_t place)
{
	struct json_cursor c;
	struct str content = json_get(item, STR("content"));
	if (type_is(item, "function_call")) {
		end_call(h, item, place);
	} else if (type_is(item, "reasoning")) {
		hear_thoughts(h, json_get(item, STR("summary")), true);
		hear_thoughts(h, content, false);
		hear_proof(h, item);
	} else if (type_is(item, "message") && json_type(content) == JSON_ARRAY && json_cursor_open(&c, content)) {
		while (json_cursor_next(&c))
			hear_content(h, c.value);
	}
}

bool responses_read_answer(struct str body, const struct chat_reader *r)
{
	struct hearing h = { .r = *r };
	struct json_cursor c;
	struct str root = json_whole(body), output = json_get(root, STR("output")), status = json_get(root, STR("status"));
	if (json_type(output) != JSON_ARRAY || !json_cursor_open(&c, output) || (!json_is(status, STR("completed")) && !json_is(status, STR("incomplete"))))
		return false;
	hear_begin(&h, root);
	for (int64_t place = 0; json_cursor_next(&c); place++)
		hear_item(&h, c.value, place);
	hear_finish(&h, root);
	give(&h, (struct chat_event){ .kind = CHAT_END, .call = -1 });
	return true;
}

/* --- streams --- */

static void hear_added(struct hearing *h, struct str item, int64_t place)
{
	if (type_is(item, "reasoning"))
		h->thought = false;
	else if (type_is(item, "function_call") && h->calls < CALLS_MOST && call_at(h, place) < 0)
		begin_call(h, item, place);
}

static void hear_done(struct hearing *h, struct str item, int64_t place)
{
	if (type_is(item, "function_call"))
		end_call(h, item, place);
	else if (type_is(item, "reasoning"))
		hear_proof(h, item);
}

static bool hear_piece(struct hearing *h, struct str type, struct json_fields *root)
{
	struct str delta = json_field(root, STR("delta"));
	if (str_eq(type, STR("response.output_text.delta"))) {
		give_text(h, CHAT_TEXT, delta);
		hear_logprobs(h, json_field(root, STR("logprobs")));
	} else if (str_eq(type, STR("response.refusal.delta"))) {
		give_text(h, CHAT_REFUSAL, delta);
	} else if (str_eq(type, STR("response.reasoning_summary_text.delta")) || str_eq(type, STR("response.reasoning_text.delta"))) {
		h->thought |= give_text(h, CHAT_REASONING, delta);
	} else if (str_eq(type, STR("response.function_call_arguments.delta"))) {
		give_arguments(h, call_at(h, json_field_count(root, STR("output_index"))), json_raw(delta));
	} else {
		return false;
	}
	return true;
}

void responses_read_event(struct chat_reader *r, struct str name, struct str data)
{
	struct hearing *h = container_of(r, struct hearing, r);
	struct json_fields f, *root = &f;
	struct str object = json_whole(data);
	json_fields_open(root, object);
	struct str response = json_field(root, STR("response")), item = json_field(root, STR("item"));
	struct str type = str_empty(name) ? json_raw(json_field(root, STR("type"))) : name;
	int64_t place = json_field_count(root, STR("output_index"));
	if (json_type(object) != JSON_OBJECT)
		return;
	hear_begin(h, response);
	if (hear_piece(h, type, root))
		return;
	if (str_eq(type, STR("response.output_item.added")))
		hear_added(h, item, place);
	else if (str_eq(type, STR("response.output_item.done")))
		hear_done(h, item, place);
	else if (str_eq(type, STR("response.output_text.annotation.added")))
		hear_annotation(h, json_field(root, STR("annotation")));
	else if (str_eq(type, STR("response.reasoning_summary_part.added")) && h->thought)
		give(h, (struct chat_event){ .kind = CHAT_REASONING, .call = -1, .text = STR("\\n\\n") });
	else if (str_eq(type, STR("response.completed")) || str_eq(type, STR("response.incomplete")))
		hear_finish(h, response);
}
