/*
 * cohere_write.c: a request for Cohere's v2 chat (API reference and cohere-python, read 2026-08).
 *
 * What an assistant says ahead of its tool calls is their plan. There is no word for one tool that has to be used: it is
 * sent alone then, and required.
 */
#include "dialects/cohere_parts.h"

#include "dialects/spelled.h"
#include "wire/json_cursor.h"

/* Fields of Cohere's that a caller of any format may add to its own. */
static const char *const own_words[] = { "documents", "citation_options", "safety_mode", "priority", NULL };

struct writing {
	struct json_write w;
	struct chat *c;
	const struct chat_target *t;
	struct chat_loss *loss;
};

void cohere_write_path(const struct chat_target *t, bool stream, struct buf *out)
{
	(void)t, (void)stream;
	buf_add(out, STR("/chat"));
}

/* --- messages --- */

static void begin_message(struct writing *x, const char *role)
{
	json_write_object(&x->w);
	json_member_string(&x->w, "role", str_c(role));
}

static void write_text(struct writing *x, const char *kind, struct str text)
{
	json_write_object(&x->w);
	json_member_string(&x->w, "type", str_c(kind));
	json_member_escaped(&x->w, kind, text);
	json_write_object_end(&x->w);
}

static void write_image(struct writing *x, const struct media *m)
{
	if (!m->data.n && !m->url.n) {
		chat_drop_meaning(x->loss, "messages.image", "is a file kept at another vendor");
		return;
	}
	json_write_object(&x->w);
	json_member_string(&x->w, "type", STR("image_url"));
	json_member_object(&x->w, "image_url");
	json_write_key(&x->w, STR("url"));
	spelled_write_url(&x->w, m, "image/png");
	if (m->detail.n)
		json_member_escaped(&x->w, "detail", m->detail);
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_part(struct writing *x, const struct part *p)
{
	if (p->kind == PART_TEXT)
		write_text(x, "text", p->text);
	else if (p->kind == PART_IMAGE)
		write_image(x, p->media);
	else if (p->kind == PART_FILE && p->media->text.n)
		write_text(x, "text", p->media->text);
	else if (p->kind == PART_FILE)
		chat_drop_meaning(x->loss, "messages.document", "must be plain text: the target's format takes no other files");
	else if (p->kind == PART_AUDIO)
		chat_drop_meaning(x->loss, "messages.audio", "cannot be heard by the target's format");
}

static void write_result(struct writing *x, const struct part *p)
{
	struct str text = spelled_text(x->c->arena, p->content, "\\n\\n");
	begin_message(x, "tool");
	json_member_escaped(&x->w, "tool_call_id", p->id);
	json_member_escaped(&x->w, "content", p->failed ? arena_printf(x->c->arena, "Error: %.*s", STR_FMT(text)) : text);
	json_write_object_end(&x->w);
}

static bool beside_text(const struct part *p)
{
	while (p && p->kind == PART_TEXT)
		p = p->next;
	return p != NULL;
}

/* What of a turn is no result, and what of results is no text. */
static void write_rest(struct writing *x, const struct message *m)
{
	begin_message(x, "user");
	json_member_array(&x->w, "content");
	for (const struct part *p = m->parts; p; p = p->next) {
		if (p->kind != PART_TOOL_RESULT)
			write_part(x, p);
		for (const struct part *q = p->kind == PART_TOOL_RESULT ? p->content : NULL; q; q = q->next)
			if (q->kind != PART_TEXT)
				write_part(x, q);
	}
	json_write_array_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_user(struct writing *x, const struct message *m)
{
	bool rest = false;
	for (const struct part *p = m->parts; p; p = p->next) {
		bool result = p->kind == PART_TOOL_RESULT;
		if (result)
			write_result(x, p);
		rest |= !result || beside_text(p->content);
	}
	if (rest)
		write_rest(x, m);
}

static void write_calls(struct writing *x, const struct message *m)
{
	json_member_array(&x->w, "tool_calls");
	for (const struct part *p = m->parts; p; p = p->next) {
		if (p->kind != PART_TOOL_CALL)
			continue;
		json_write_object(&x->w);
		json_member_escaped(&x->w, "id", p->id);
		json_member_string(&x->w, "type", STR("function"));
		json_member_object(&x->w, "function");
		json_member_escaped(&x->w, "name", p->name);
		json_member_string(&x->w, "arguments", p->json);
		json_write_object_end(&x->w);
		json_write_object_end(&x->w);
	}
	json_write_array_end(&x->w);
}

/* Thoughts have no signature here: they are text that a model that thinks may see again. */
static void write_said(struct writing *x, const struct message *m)
{
	json_member_array(&x->w, "content");
	for (const struct part *p = m->parts; p; p = p->next) {
		if (p->kind == PART_REASONING && p->text.n && x->t->reasons)
			write_text(x, "thinking", p->text);
		else if ((p->kind == PART_TEXT || p->kind == PART_REFUSAL) && p->text.n)
			write_text(x, "text", p->text);
	}
	json_write_array_end(&x->w);
}

static void write_assistant(struct writing *x, const struct message *m)
{
	struct str text = spelled_text(x->c->arena, m->parts, "");
	bool calls = false, says = false;
	for (const struct part *p = m->parts; p; p = p->next) {
		calls |= p->kind == PART_TOOL_CALL;
		says |= (p->kind == PART_TEXT || p->kind == PART_REFUSAL) && p->text.n;
	}
	if (!calls && !says)
		return;
	begin_message(x, "assistant");
	if (!calls)
		write_said(x, m);
	else if (text.n)
		json_member_escaped(&x->w, "tool_plan", text);
	if (calls)
		write_calls(x, m);
	json_write_object_end(&x->w);
}

static void write_messages(struct writing *x)
{
	chat_join_turns(x->c);
	json_member_array(&x->w, "messages");
	for (const struct message *m = x->c->messages; m; m = m->next) {
		if (m->role == CHAT_USER) {
			write_user(x, m);
		} else if (m->role == CHAT_ASSISTANT) {
			write_assistant(x, m);
		} else {
			begin_message(x, "system");
			json_member_escaped(&x->w, "content", spelled_text(x->c->arena, m->parts, "\\n\\n"));
			json_write_object_end(&x->w);
		}
	}
	json_write_array_end(&x->w);
}

/* --- tools --- */

static void write_tool(struct writing *x, const struct tool *t)
{
	json_write_object(&x->w);
	json_member_string(&x->w, "type", STR("function"));
	json_member_object(&x->w, "function");
	json_member_escaped(&x->w, "name", t->name);
	if (t->description.p)
		json_member_escaped(&x->w, "description", t->description);
	json_member_raw(&x->w, "parameters", json_type(t->json) == JSON_OBJECT ? t->json : STR("{\"type\":\"object\",\"properties\":{}}"));
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_tools(struct writing *x)
{
	const struct chat *c = x->c;
	bool strict = false, named = c->choice == TOOLS_NAMED;
	if (!c->tools)
		return;
	json_member_array(&x->w, "tools");
	for (const struct tool *t = c->tools; t; t = t->next) {
		strict |= t->strict > 0;
		if (!named || str_eq(t->name, c->choice_name))
			write_tool(x, t);
	}
	json_write_array_end(&x->w);
	if (strict)
		json_member_bool(&x->w, "strict_tools", true);
	if (named || c->choice == TOOLS_REQUIRED)
		json_member_string(&x->w, "tool_choice", STR("REQUIRED"));
	else if (c->choice == TOOLS_NONE)
		json_member_string(&x->w, "tool_choice", STR("NONE"));
	if (c->parallel == 0)
		chat_drop_hint(x->loss, "parallel_tool_calls");
}

/* --- the rest --- */

static void write_format(struct writing *x)
{
	const struct chat *c = x->c;
	if (c->format != FORMAT_JSON && c->format != FORMAT_SCHEMA)
		return;
	json_member_object(&x->w, "response_format");
	json_member_string(&x->w, "type", STR("json_object"));
	if (c->format == FORMAT_SCHEMA)
		json_member_raw(&x->w, "json_schema", c->schema.p ? c->schema : STR("{}"));
	json_write_object_end(&x->w);
}

static void write_numbers(struct writing *x)
{
	const struct chat *c = x->c;
	const struct { const char *key; struct str json; } members[] = {
		{ "max_tokens", c->max_tokens }, { "temperature", c->temperature }, { "p", c->top_p }, { "k", c->top_k }, { "seed", c->seed },
		{ "presence_penalty", c->presence_penalty }, { "frequency_penalty", c->frequency_penalty }, { "stop_sequences", c->stop },
	};
	for (size_t i = 0; i < array_len(members); i++)
		if (members[i].json.p)
			json_member_raw(&x->w, members[i].key, members[i].json);
}

static void write_thinking(struct writing *x)
{
	const struct chat *c = x->c;
	int64_t budget = 0;
	bool said = json_int(c->reasoning_tokens, &budget) && budget > 0;
	if (c->effort == EFFORT_UNSAID && !said)
		return;
	if (!x->t->reasons) {
		if (c->effort != EFFORT_NONE)
			chat_drop_hint(x->loss, c->reasoning_field ? c->reasoning_field : "reasoning");
		return;
	}
	if (!said)
		budget = effort_tokens(c->effort);
	json_member_object(&x->w, "thinking");
	json_member_string(&x->w, "type", budget ? STR("enabled") : STR("disabled"));
	if (budget)
		json_member_int(&x->w, "token_budget", budget);
	json_write_object_end(&x->w);
}

static void tell_losses(struct writing *x)
{
	const struct chat *c = x->c;
	const struct chat_hint hints[] = {
		{ "verbosity", c->verbosity.n }, { "metadata", c->metadata.p }, { "user", c->user.n }, { "service_tier", c->service_tier.n && !str_eq(c->service_tier, STR("auto")) },
		{ "response_format.description", c->schema_description.n },
	};
	chat_drop_hints(hints, array_len(hints), x->loss);
	spelled_one_answer(c, x->loss);
	if (json_type(c->logprobs) == JSON_TRUE)
		chat_drop_meaning(x->loss, "logprobs", "cannot be had: the target's format has others");
	chat_drop_names(c, x->loss);
	chat_drop_citations(c, x->loss);
	chat_drop_cache(c, false, x->loss);
	chat_drop_extras(c, x->loss, own_words);
}

bool cohere_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss)
{
	struct writing x = { .c = c, .t = t, .loss = loss };
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	json_member_string(&x.w, "model", t->model);
	write_messages(&x);
	write_tools(&x);
	write_format(&x);
	write_numbers(&x);
	write_thinking(&x);
	spelled_write_extras(&x.w, c, own_words);
	if (c->stream)
		json_member_bool(&x.w, "stream", true);
	tell_losses(&x);
	json_write_object_end(&x.w);
	return json_write_end(&x.w);
}
