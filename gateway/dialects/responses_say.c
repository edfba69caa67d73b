/*
 * responses_say.c: an answer as OpenAI's Responses, plain or as a stream (openai-openapi 2.3.0, read 2026-08).
 *
 * Every event is numbered, every item is told whole when it ends, and the last event holds all of them; so
 * they are kept as they were written. A plain answer is what that last event would hold.
 */
#include "dialects/responses_parts.h"

#include <stdlib.h>

#include "base/mem.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"
#include "wire/json_write.h"

enum { CALLS_MOST = 256, KEPT_MOST = 4 << 20 };

enum item { ITEM_NONE, ITEM_TEXT, ITEM_REFUSAL, ITEM_REASONING };

struct call_said {
	int place;			/* output_index */
	bool open, freeform;
	struct buf id, name, arguments;	/* spelled */
};

struct saying {
	struct chat_writer w;
	int64_t sequence;
	int place;			/* output_index of the open or next item */
	bool begun;
	enum item item;
	struct buf text, proof;		/* of the open item, spelled */
	struct call_said *calls;
	int n_calls;
	struct buf items;		/* those that ended, commas between */
	struct buf model;		/* spelled */
	enum chat_finish finish;
	struct usage usage;
};

const size_t responses_writer_size = sizeof(struct saying);

/* --- the object --- */

static void write_usage(struct json_write *w, const struct usage *u)
{
	json_member_object(w, "usage");
	json_member_int(w, "input_tokens", u->input);
	json_member_object(w, "input_tokens_details");
	json_member_int(w, "cached_tokens", u->cached);
	json_write_object_end(w);
	json_member_int(w, "output_tokens", u->output);
	json_member_object(w, "output_tokens_details");
	json_member_int(w, "reasoning_tokens", u->reasoning);
	json_write_object_end(w);
	json_member_int(w, "total_tokens", u->total ? u->total : u->input + u->output);
	json_write_object_end(w);
}

static void write_id(struct json_write *w, const struct saying *s, const char *key, const char *prefix, int place)
{
	struct buf b = BUF_INIT(256);
	buf_addf(&b, "%s_%.*s", prefix, STR_FMT(s->w.frame.request_id));
	if (place >= 0)
		buf_addf(&b, "_%d", place);
	json_member_string(w, key, buf_str(&b));
	buf_free(&b);
}

static const char *incomplete_reason(enum chat_finish f)
{
	return f == FINISH_LENGTH ? "max_output_tokens" : f == FINISH_FILTER ? "content_filter" : NULL;
}

static void write_response(struct json_write *w, const struct saying *s, bool over)
{
	const char *why = over ? incomplete_reason(s->finish) : NULL;
	json_write_object(w);
	write_id(w, s, "id", "resp", -1);
	json_member_string(w, "object", STR("response"));
	json_member_int(w, "created_at", s->w.frame.created_s);
	json_member_string(w, "status", !over ? STR("in_progress") : why ? STR("incomplete") : STR("completed"));
	json_member_null(w, "error");
	if (why) {
		json_member_object(w, "incomplete_details");
		json_member_string(w, "reason", str_c(why));
		json_write_object_end(w);
	} else {
		json_member_null(w, "incomplete_details");
	}
	json_member_null(w, "instructions");
	if (s->model.n)
		json_member_escaped(w, "model", buf_str(&s->model));
	else
		json_member_string(w, "model", s->w.frame.model);
	json_write_key(w, STR("output"));
	json_write_array(w);
	if (over && s->items.n)
		json_write_raw(w, buf_str(&s->items));
	json_write_array_end(w);
	json_member_bool(w, "parallel_tool_calls", true);
	json_member_null(w, "previous_response_id");
	json_member_bool(w, "store", false);
	json_member_string(w, "tool_choice", STR("auto"));
	json_member_raw(w, "tools", STR("[]"));
	json_member_raw(w, "metadata", STR("{}"));
	if (over && s->usage.known)
		write_usage(w, &s->usage);
	else
		json_member_null(w, "usage");
	json_write_object_end(w);
}

/* --- events --- */

static void begin_event(struct saying *s, struct json_write *w, const char *type)
{
	buf_addf(s->w.out, "event: %s\ndata: ", type);
	json_write_init(w, s->w.out);
	json_write_object(w);
	json_member_string(w, "type", str_c(type));
	json_member_int(w, "sequence_number", s->sequence++);
}

static void end_event(struct saying *s, struct json_write *w)
{
	json_write_object_end(w);
	if (!json_write_end(w))
		s->w.out->failed = true;
	buf_add(s->w.out, STR("\n\n"));
}

static void say_response(struct saying *s, const char *type, bool over)
{
	struct json_write w;
	begin_event(s, &w, type);
	json_write_key(&w, STR("response"));
	write_response(&w, s, over);
	end_event(s, &w);
}

/* An event about an item: its place, and its id unless the item itself is in it. */
static void begin_of_item(struct saying *s, struct json_write *w, const char *type, const char *prefix, int place)
{
	begin_event(s, w, type);
	json_member_int(w, "output_index", place);
	if (prefix)
		write_id(w, s, "item_id", prefix, place);
}

static void say_item(struct saying *s, const char *type, int place, struct str item)
{
	struct json_write w;
	begin_of_item(s, &w, type, NULL, place);
	json_member_raw(&w, "item", item);
	end_event(s, &w);
}

static void keep_item(struct saying *s, struct str item)
{
	if (s->items.n)
		buf_addc(&s->items, ',');
	if (!buf_add(&s->items, item))
		s->w.out->failed = true;
}

/* --- items of text --- */

static const char *prefix_of(enum item item)
{
	return item == ITEM_REASONING ? "rs" : "msg";
}

static void write_part(struct json_write *w, enum item item, struct str text)
{
	static const char *const types[] = { [ITEM_TEXT] = "output_text", [ITEM_REFUSAL] = "refusal", [ITEM_REASONING] = "summary_text" };
	json_write_object(w);
	json_member_string(w, "type", str_c(types[item]));
	json_member_escaped(w, item == ITEM_REFUSAL ? "refusal" : "text", text);
	if (item == ITEM_TEXT) {
		json_member_raw(w, "annotations", STR("[]"));
		json_member_raw(w, "logprobs", STR("[]"));
	}
	json_write_object_end(w);
}

/* The item so far: without parts when it begins. */
static void write_item(struct buf *to, const struct saying *s, enum item item, bool over)
{
	struct json_write w;
	json_write_init(&w, to);
	json_write_object(&w);
	write_id(&w, s, "id", prefix_of(item), s->place);
	json_member_string(&w, "type", item == ITEM_REASONING ? STR("reasoning") : STR("message"));
	if (item != ITEM_REASONING) {
		json_member_string(&w, "status", over ? STR("completed") : STR("in_progress"));
		json_member_string(&w, "role", STR("assistant"));
	}
	json_member_array(&w, item == ITEM_REASONING ? "summary" : "content");
	if (over && (s->text.n || item != ITEM_REASONING))
		write_part(&w, item, buf_str(&s->text));
	json_write_array_end(&w);
	if (item == ITEM_REASONING && s->proof.n)
		json_member_escaped(&w, "encrypted_content", buf_str(&s->proof));
	json_write_object_end(&w);
	if (!json_write_end(&w))
		to->failed = true;
}

static void say_part(struct saying *s, const char *type, enum item item, struct str text)
{
	struct json_write w;
	begin_of_item(s, &w, type, prefix_of(item), s->place);
	json_member_int(&w, item == ITEM_REASONING ? "summary_index" : "content_index", 0);
	json_write_key(&w, STR("part"));
	write_part(&w, item, text);
	end_event(s, &w);
}

static void say_piece(struct saying *s, const char *type, const char *member, struct str text)
{
	struct json_write w;
	begin_of_item(s, &w, type, prefix_of(s->item), s->place);
	json_member_int(&w, s->item == ITEM_REASONING ? "summary_index" : "content_index", 0);
	json_member_escaped(&w, member, text);
	if (s->item == ITEM_TEXT)
		json_member_raw(&w, "logprobs", STR("[]"));
	end_event(s, &w);
}

static void open_item(struct saying *s, enum item item)
{
	struct buf b = BUF_INIT(4096);
	s->item = item;
	buf_clear(&s->text);
	buf_clear(&s->proof);
	write_item(&b, s, item, false);
	say_item(s, "response.output_item.added", s->place, buf_str(&b));
	say_part(s, item == ITEM_REASONING ? "response.reasoning_summary_part.added" : "response.content_part.added", item, STR(""));
	buf_free(&b);
}

static void close_item(struct saying *s)
{
	static const char *const dones[] = { [ITEM_TEXT] = "response.output_text.done", [ITEM_REFUSAL] = "response.refusal.done",
					     [ITEM_REASONING] = "response.reasoning_summary_text.done" };
	struct buf b = BUF_INIT(2 * KEPT_MOST);
	if (s->item == ITEM_NONE)
		return;
	say_piece(s, dones[s->item], s->item == ITEM_REFUSAL ? "refusal" : "text", buf_str(&s->text));
	say_part(s, s->item == ITEM_REASONING ? "response.reasoning_summary_part.done" : "response.content_part.done", s->item, buf_str(&s->text));
	write_item(&b, s, s->item, true);
	say_item(s, "response.output_item.done", s->place++, buf_str(&b));
	keep_item(s, buf_str(&b));
	s->item = ITEM_NONE;
	buf_free(&b);
}

/* --- calls --- */

static bool is_freeform(const struct saying *s, struct str name)
{
	struct str rest = s->w.frame.freeform, one;
	while (str_split(&rest, '\n', &one))
		if (one.n && str_eq(one, name))
			return true;
	return false;
}

static void write_call(struct buf *to, const struct saying *s, const struct call_said *c, struct str payload, bool over)
{
	struct json_write w;
	json_write_init(&w, to);
	json_write_object(&w);
	write_id(&w, s, "id", c->freeform ? "ctc" : "fc", c->place);
	json_member_string(&w, "type", c->freeform ? STR("custom_tool_call") : STR("function_call"));
	json_member_string(&w, "status", over ? STR("completed") : STR("in_progress"));
	json_member_escaped(&w, "call_id", buf_str(&c->id));
	json_member_escaped(&w, "name", buf_str(&c->name));
	json_member_escaped(&w, c->freeform ? "input" : "arguments", payload);
	json_write_object_end(&w);
	if (!json_write_end(&w))
		to->failed = true;
}

static void say_payload(struct saying *s, const struct call_said *c, const char *type, const char *member, struct str payload)
{
	struct json_write w;
	begin_of_item(s, &w, type, c->freeform ? "ctc" : "fc", c->place);
	json_member_escaped(&w, member, payload);
	end_event(s, &w);
}

/* What a free-form tool is given stands in the one member of its arguments. */
static struct str payload_of(const struct call_said *c, struct arena *a)
{
	struct str json = c->freeform ? spelled_arguments(a, buf_str(&c->arguments)) : STR_NONE;
	struct str input = json_raw(json_get(json, STR("input")));
	if (!c->freeform)
		return c->arguments.n ? buf_str(&c->arguments) : STR("{}");
	return input.p ? input : buf_str(&c->arguments);
}

static void close_call(struct saying *s, struct call_said *c)
{
	struct arena a = ARENA_INIT;
	struct buf b = BUF_INIT(2 * KEPT_MOST);
	struct str payload = payload_of(c, &a);
	if (c->freeform) {
		say_payload(s, c, "response.custom_tool_call_input.delta", "delta", payload);
		say_payload(s, c, "response.custom_tool_call_input.done", "input", payload);
	} else {
		say_payload(s, c, "response.function_call_arguments.done", "arguments", payload);
	}
	write_call(&b, s, c, payload, true);
	say_item(s, "response.output_item.done", c->place, buf_str(&b));
	keep_item(s, buf_str(&b));
	c->open = false;
	buf_free(&b);
	arena_clear(&a);
}

static void close_all(struct saying *s)
{
	close_item(s);
	for (int i = 0; i < s->n_calls; i++)
		if (s->calls[i].open)
			close_call(s, &s->calls[i]);
}

static void say_call(struct saying *s, const struct chat_event *e)
{
	struct buf b = BUF_INIT(KEPT_MOST);
	if (e->call != s->n_calls || s->n_calls == CALLS_MOST)
		return;
	close_item(s);
	s->calls = mem_resize(s->calls, sizeof(*s->calls) * (size_t)(s->n_calls + 1));
	struct call_said *c = &s->calls[s->n_calls++];
	*c = (struct call_said){ .place = s->place++, .open = true, .freeform = is_freeform(s, e->name), .id = BUF_INIT(KEPT_MOST),
				 .name = BUF_INIT(KEPT_MOST), .arguments = BUF_INIT(KEPT_MOST) };
	buf_add(&c->id, e->id);
	buf_add(&c->name, e->name);
	write_call(&b, s, c, STR(""), false);
	say_item(s, "response.output_item.added", c->place, buf_str(&b));
	buf_free(&b);
}

static void say_arguments(struct saying *s, const struct chat_event *e)
{
	if (e->call < 0 || e->call >= s->n_calls || !s->calls[e->call].open || str_empty(e->text))
		return;
	struct call_said *c = &s->calls[e->call];
	if (!buf_add(&c->arguments, e->text))
		s->w.out->failed = true;
	if (!c->freeform)
		say_payload(s, c, "response.function_call_arguments.delta", "delta", e->text);
}

/* --- text and thoughts --- */

static void say_text(struct saying *s, enum item item, const char *type, struct str text)
{
	if (s->item != item || (item == ITEM_REASONING && s->proof.n)) {
		close_all(s);
		open_item(s, item);
	}
	if (!buf_add(&s->text, text))
		s->w.out->failed = true;
	say_piece(s, type, "delta", text);
}

static void say_proof(struct saying *s, struct str proof, struct str signer)
{
	struct arena a = ARENA_INIT;
	if (s->item != ITEM_REASONING || s->proof.n) {
		close_all(s);
		open_item(s, ITEM_REASONING);
	}
	buf_add(&s->proof, str_eq(signer, STR(SIGNED_OPENAI)) ? proof : spelled_sign(&a, signer, proof));
	arena_clear(&a);
}

/* --- from the beginning to the end --- */

static void say_begin(struct saying *s, const struct chat_event *e)
{
	if (s->begun)
		return;
	s->begun = true;
	buf_init(&s->text, KEPT_MOST);
	buf_init(&s->proof, KEPT_MOST);
	buf_init(&s->items, KEPT_MOST);
	buf_init(&s->model, 1024);
	if (e->kind == CHAT_BEGIN)
		buf_add(&s->model, e->model);
	say_response(s, "response.created", false);
	say_response(s, "response.in_progress", false);
}

static void take(struct saying *s, const struct chat_event *e)
{
	switch (e->kind) {
	case CHAT_TEXT: say_text(s, ITEM_TEXT, "response.output_text.delta", e->text); break;
	case CHAT_REFUSAL: say_text(s, ITEM_REFUSAL, "response.refusal.delta", e->text); break;
	case CHAT_REASONING: say_text(s, ITEM_REASONING, "response.reasoning_summary_text.delta", e->text); break;
	case CHAT_SIGNATURE:
		if (e->call < 0)
			say_proof(s, e->signature, e->signer);
		break;
	case CHAT_REDACTED: say_proof(s, e->text, e->signer); break;
	case CHAT_CALL: say_call(s, e); break;
	case CHAT_ARGUMENTS: say_arguments(s, e); break;
	case CHAT_FINISH: s->finish = e->finish; break;
	case CHAT_END:
		close_all(s);
		say_response(s, incomplete_reason(s->finish) ? "response.incomplete" : "response.completed", true);
		break;
	default: break;
	}
}

void responses_write_event(struct chat_out *out, const struct chat_event *e)
{
	struct saying *s = container_of(container_of(out, struct chat_writer, in), struct saying, w);
	if (e->choice != 0)
		return;
	if (e->kind == CHAT_USAGE) {
		usage_merge(&s->usage, e->usage);
		return;
	}
	say_begin(s, e);
	take(s, e);
}

void responses_writer_free(struct chat_writer *w)
{
	struct saying *s = container_of(w, struct saying, w);
	for (int i = 0; i < s->n_calls; i++) {
		buf_free(&s->calls[i].id);
		buf_free(&s->calls[i].name);
		buf_free(&s->calls[i].arguments);
	}
	free(s->calls);
	buf_free(&s->text);
	buf_free(&s->proof);
	buf_free(&s->items);
	buf_free(&s->model);
}

void responses_write_answer(const struct chat_answer *a, const struct chat_frame *f, struct buf *out)
{
	struct buf events = BUF_INIT(16 * (size_t)KEPT_MOST);
	struct saying s = { .w = { .in = { responses_write_event }, .out = &events, .frame = *f } };
	struct json_write w;
	chat_say(a, &s.w.in);
	json_write_init(&w, out);
	write_response(&w, &s, true);
	if (!json_write_end(&w) || events.failed)
		out->failed = true;
	responses_writer_free(&s.w);
	buf_free(&events);
}
