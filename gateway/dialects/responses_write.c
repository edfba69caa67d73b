/*
 * responses_write.c: a Responses request for a target that speaks nothing else (openai-openapi 2.3.0, read 2026-08).
 *
 * Nothing is kept there (`store: false`): what the model thought comes back encrypted and is given back with the
 * next request. A tool is strict here unless it says not to be, so what was not said is said.
 */
#include "dialects/responses_parts.h"

#include "core/target.h"
#include "dialects/openai_chat_parts.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

enum { OUTPUT_LEAST = 16 };	/* tokens; fewer are refused */

struct writing {
	struct json_write w;
	struct chat *c;
	const struct chat_target *t;
	struct chat_loss *loss;
};

void responses_write_path(const struct chat_target *t, bool stream, struct buf *out)
{
	(void)t, (void)stream;
	buf_add(out, STR("/responses"));
}

static void begin(struct writing *x, const char *type)
{
	json_write_object(&x->w);
	json_member_string(&x->w, "type", str_c(type));
}

/* --- parts --- */

static void end_part(struct writing *x, struct str breakpoint)
{
	if (breakpoint.n)
		json_member_raw(&x->w, "prompt_cache_breakpoint", breakpoint);
	json_write_object_end(&x->w);
}

static void write_text(struct writing *x, const char *type, const char *key, struct str text)
{
	begin(x, type);
	json_member_escaped(&x->w, key, text);
	json_write_object_end(&x->w);
}

static void write_image(struct writing *x, const struct media *m, struct str breakpoint)
{
	if (!m->data.n && !m->url.n && !m->id.n) {
		chat_drop_meaning(x->loss, "messages.image", "is empty");
		return;
	}
	begin(x, "input_image");
	if (m->data.n || m->url.n) {
		json_write_key(&x->w, STR("image_url"));
		spelled_write_url(&x->w, m, "image/png");
	} else {
		json_member_escaped(&x->w, "file_id", m->id);
	}
	if (m->detail.n)
		json_member_escaped(&x->w, "detail", m->detail);
	end_part(x, breakpoint);
}

static void write_file(struct writing *x, const struct media *m, struct str breakpoint)
{
	begin(x, "input_file");
	if (m->data.n) {
		json_member_escaped(&x->w, "filename", m->name.n ? m->name : STR("document"));
		json_write_key(&x->w, STR("file_data"));
		spelled_write_url(&x->w, m, "application/pdf");
	} else if (m->url.n) {
		json_member_escaped(&x->w, "file_url", m->url);
	} else {
		json_member_escaped(&x->w, "file_id", m->id);
	}
	end_part(x, breakpoint);
}

static void write_input_text(struct writing *x, struct str text, struct str breakpoint)
{
	begin(x, "input_text");
	json_member_escaped(&x->w, "text", text);
	end_part(x, breakpoint);
}

static void write_part(struct writing *x, const struct part *p)
{
	if (p->kind == PART_TEXT)
		write_input_text(x, p->text, p->breakpoint);
	else if (p->kind == PART_FILE && p->media->text.n)
		write_input_text(x, p->media->text, p->breakpoint);
	else if (p->kind == PART_IMAGE)
		write_image(x, p->media, p->breakpoint);
	else if (p->kind == PART_FILE)
		write_file(x, p->media, p->breakpoint);
	else if (p->kind == PART_AUDIO)
		chat_drop_meaning(x->loss, "messages.audio", "cannot be heard by the target's format");
}

static bool text_only(const struct part *p)
{
	while (p && p->kind == PART_TEXT)
		p = p->next;
	return !p;
}

/* --- turns --- */

static void write_result(struct writing *x, const struct part *p)
{
	begin(x, "function_call_output");
	json_member_escaped(&x->w, "call_id", p->id);
	if (text_only(p->content)) {
		struct str text = spelled_text(x->c->arena, p->content, "\\n\\n");
		json_member_escaped(&x->w, "output", p->failed ? arena_printf(x->c->arena, "Error: %.*s", STR_FMT(text)) : text);
	} else {
		json_member_array(&x->w, "output");
		if (p->failed)
			write_input_text(x, STR("Error:"), STR_NONE);
		for (const struct part *q = p->content; q; q = q->next)
			write_part(x, q);
		json_write_array_end(&x->w);
	}
	json_write_object_end(&x->w);
}

static void begin_message(struct writing *x, const char *role)
{
	begin(x, "message");
	json_member_string(&x->w, "role", str_c(role));
	json_member_array(&x->w, "content");
}

static void end_message(struct writing *x)
{
	json_write_array_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_user(struct writing *x, const struct message *m)
{
	bool rest = false;
	for (const struct part *p = m->parts; p; p = p->next) {
		if (p->kind == PART_TOOL_RESULT)
			write_result(x, p);
		else
			rest = true;
	}
	if (!rest)
		return;
	begin_message(x, "user");
	for (const struct part *p = m->parts; p; p = p->next)
		if (p->kind != PART_TOOL_RESULT)
			write_part(x, p);
	end_message(x);
}

/* What was thought is given back to who can prove it is theirs, or takes it as text. */
static void write_reasoning(struct writing *x, const struct part *p)
{
	struct str proof = p->redacted.n ? p->redacted : p->signature;
	bool own = proof.n && str_eq(p->signer, STR(SIGNED_OPENAI));
	bool taken = p->text.n && !proof.n && (x->t->quirks & QUIRK_TAKES_REASONING);
	if (!own && !taken)
		return;
	begin(x, "reasoning");
	json_member_array(&x->w, "summary");
	if (own && p->text.n)
		write_text(x, "summary_text", "text", p->text);
	json_write_array_end(&x->w);
	if (taken) {
		json_member_array(&x->w, "content");
		write_text(x, "reasoning_text", "text", p->text);
		json_write_array_end(&x->w);
	} else {
		json_member_escaped(&x->w, "encrypted_content", proof);
	}
	json_write_object_end(&x->w);
}

static void write_call(struct writing *x, const struct part *p)
{
	begin(x, "function_call");
	json_member_escaped(&x->w, "call_id", p->id);
	json_member_escaped(&x->w, "name", p->name);
	json_member_string(&x->w, "arguments", p->json);
	json_write_object_end(&x->w);
}

static void write_assistant(struct writing *x, const struct message *m)
{
	for (const struct part *p = m->parts; p; p = p->next) {
		if (p->kind == PART_REASONING) {
			write_reasoning(x, p);
		} else if (p->kind == PART_TOOL_CALL) {
			write_call(x, p);
		} else if ((p->kind == PART_TEXT || p->kind == PART_REFUSAL) && p->text.n) {
			bool text = p->kind == PART_TEXT;
			begin_message(x, "assistant");
			write_text(x, text ? "output_text" : "refusal", text ? "text" : "refusal", p->text);
			end_message(x);
		}
	}
}

static void write_system(struct writing *x, const struct message *m)
{
	begin_message(x, "system");
	write_input_text(x, spelled_text(x->c->arena, m->parts, "\\n\\n"), m->last ? m->last->breakpoint : STR_NONE);
	end_message(x);
}

static void write_input(struct writing *x)
{
	json_member_array(&x->w, "input");
	for (const struct message *m = x->c->messages; m; m = m->next) {
		if (m->role == CHAT_USER)
			write_user(x, m);
		else if (m->role == CHAT_ASSISTANT)
			write_assistant(x, m);
		else
			write_system(x, m);
	}
	json_write_array_end(&x->w);
}

/* --- tools --- */

static void write_tool(struct writing *x, const struct tool *t)
{
	begin(x, "function");
	json_member_escaped(&x->w, "name", t->name);
	if (t->description.p)
		json_member_escaped(&x->w, "description", t->description);
	json_member_raw(&x->w, "parameters", json_type(t->json) == JSON_OBJECT ? t->json : STR("{\"type\":\"object\",\"properties\":{}}"));
	json_member_bool(&x->w, "strict", t->strict > 0);
	json_write_object_end(&x->w);
}

static void write_tools(struct writing *x)
{
	static const char *const words[] = { [TOOLS_AUTO] = "auto", [TOOLS_NONE] = "none", [TOOLS_REQUIRED] = "required" };
	const struct chat *c = x->c;
	if (!c->tools)
		return;
	json_member_array(&x->w, "tools");
	for (const struct tool *t = c->tools; t; t = t->next)
		write_tool(x, t);
	json_write_array_end(&x->w);
	if (c->choice == TOOLS_NAMED) {
		json_member_object(&x->w, "tool_choice");
		json_member_string(&x->w, "type", STR("function"));
		json_member_escaped(&x->w, "name", c->choice_name);
		json_write_object_end(&x->w);
	} else if (c->choice != TOOLS_UNSAID) {
		json_member_string(&x->w, "tool_choice", str_c(words[c->choice]));
	}
	if (c->parallel >= 0)
		json_member_bool(&x->w, "parallel_tool_calls", c->parallel);
}

/* --- the rest --- */

static void write_format(struct writing *x)
{
	const struct chat *c = x->c;
	bool verbosity = c->verbosity.n && x->t->completion_tokens;
	if (c->verbosity.n && !verbosity)
		chat_drop_hint(x->loss, "verbosity");
	if (!verbosity && c->format != FORMAT_JSON && c->format != FORMAT_SCHEMA)
		return;
	json_member_object(&x->w, "text");
	if (c->format == FORMAT_JSON)
		json_member_raw(&x->w, "format", STR("{\"type\":\"json_object\"}"));
	if (c->format == FORMAT_SCHEMA) {
		json_member_object(&x->w, "format");
		json_member_string(&x->w, "type", STR("json_schema"));
		json_member_escaped(&x->w, "name", c->schema_name.n ? c->schema_name : STR("answer"));
		if (c->schema_description.n)
			json_member_escaped(&x->w, "description", c->schema_description);
		json_member_raw(&x->w, "schema", c->schema.p ? c->schema : STR("{}"));
		if (c->schema_strict >= 0)
			json_member_bool(&x->w, "strict", c->schema_strict);
		json_write_object_end(&x->w);
	}
	if (verbosity)
		json_member_escaped(&x->w, "verbosity", c->verbosity);
	json_write_object_end(&x->w);
}

static void write_effort(struct writing *x)
{
	const struct chat *c = x->c;
	enum reasoning_effort e = c->effort;
	int64_t tokens = 0;
	if (e == EFFORT_UNSAID && json_int(c->reasoning_tokens, &tokens))
		e = effort_of_tokens(tokens);
	if (!x->t->reasons) {
		if (e != EFFORT_UNSAID && e != EFFORT_NONE)
			chat_drop_hint(x->loss, c->reasoning_field ? c->reasoning_field : "reasoning");
		return;
	}
	if (e == EFFORT_UNSAID && !c->reasoning_shown)
		return;
	const char *word = e == EFFORT_UNSAID ? NULL : effort_for(x->t->model, e);
	json_member_object(&x->w, "reasoning");
	if (word || e == EFFORT_NONE)
		json_member_string(&x->w, "effort", str_c(word ? word : "none"));
	if (c->reasoning_shown)
		json_member_string(&x->w, "summary", STR("auto"));
	json_write_object_end(&x->w);
}

/* Models that do not think refuse to be asked for what they thought. */
static void write_include(struct writing *x, bool logprobs)
{
	if (!x->t->reasons && !logprobs)
		return;
	json_member_array(&x->w, "include");
	if (x->t->reasons)
		json_write_string(&x->w, STR("reasoning.encrypted_content"));
	if (logprobs)
		json_write_string(&x->w, STR("message.output_text.logprobs"));
	json_write_array_end(&x->w);
}

static struct str output_tokens(struct writing *x)
{
	int64_t n;
	if (!json_int(x->c->max_tokens, &n) || n < 1 || n >= OUTPUT_LEAST)
		return x->c->max_tokens;
	chat_drop_hint(x->loss, "max_tokens");
	return arena_printf(x->c->arena, "%d", OUTPUT_LEAST);
}

static void write_plain(struct writing *x)
{
	const struct chat *c = x->c;
	const struct { const char *key; struct str json; } members[] = {
		{ "max_output_tokens", output_tokens(x) }, { "temperature", c->temperature }, { "top_p", c->top_p },
		{ "top_logprobs", c->top_logprobs }, { "metadata", c->metadata },
	};
	for (size_t i = 0; i < array_len(members); i++)
		if (members[i].json.p)
			json_member_raw(&x->w, members[i].key, members[i].json);
	if (c->user.n)
		json_member_escaped(&x->w, "user", c->user);
	if (c->service_tier.n)
		json_member_escaped(&x->w, "service_tier", c->service_tier);
	spelled_write_extras(&x->w, c, chat_cache_words);
	json_member_bool(&x->w, "store", false);
	if (c->stream)
		json_member_bool(&x->w, "stream", true);
}

static void tell_losses(struct writing *x)
{
	const struct chat *c = x->c;
	const struct chat_hint hints[] = {
		{ "top_k", c->top_k.p }, { "seed", c->seed.p }, { "presence_penalty", c->presence_penalty.p },
		{ "frequency_penalty", c->frequency_penalty.p },
	};
	chat_drop_hints(hints, array_len(hints), x->loss);
	spelled_one_answer(c, x->loss);
	if (json_first(c->stop))
		chat_drop_meaning(x->loss, "stop", "cannot be set: the target's format has no stop sequences");
	chat_drop_names(c, x->loss);
	chat_drop_citations(c, x->loss);
	chat_drop_cache(c, true, x->loss);
	chat_drop_extras(c, x->loss, chat_cache_words);
}

bool responses_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss)
{
	struct writing x = { .c = c, .t = t, .loss = loss };
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	json_member_string(&x.w, "model", t->model);
	write_input(&x);
	write_tools(&x);
	write_format(&x);
	write_effort(&x);
	write_include(&x, json_type(c->logprobs) == JSON_TRUE);
	write_plain(&x);
	tell_losses(&x);
	json_write_object_end(&x.w);
	return json_write_end(&x.w);
}
