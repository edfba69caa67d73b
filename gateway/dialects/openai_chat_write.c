/*
 * openai_chat_write.c: a chat completions request for a target (openai-openapi 2.3.0, read 2026-08).
 *
 * Tool results are turns of their own and stand right behind their calls; the rest of a user's
 * turn follows them. What is no text in a result goes there, too: a tool's message holds text only.
 */
#include "dialects/openai_chat_parts.h"

#include "core/target.h"
#include "dialects/spelled.h"

struct writing {
	struct json_write w;
	struct chat *c;
	const struct chat_target *t;
	struct chat_loss *loss;
};

/* Images; of files it takes the bytes. */
bool openai_chat_reads_address(enum part_kind kind, struct str url)
{
	(void)url;
	return kind == PART_IMAGE;
}

/* --- parts --- */

static void begin_part(struct json_write *w, const char *type)
{
	json_write_object(w);
	json_member_string(w, "type", str_c(type));
}

static void write_image(struct writing *x, const struct media *m)
{
	json_member_object(&x->w, "image_url");
	json_write_key(&x->w, STR("url"));
	spelled_write_url(&x->w, m, "image/png");
	if (m->detail.n)
		json_member_escaped(&x->w, "detail", m->detail);
	json_write_object_end(&x->w);
}

static void write_audio(struct writing *x, const struct media *m)
{
	bool mp3 = str_eq(m->type, STR("audio/mp3")) || str_eq(m->type, STR("audio/mpeg"));
	json_member_object(&x->w, "input_audio");
	json_member_escaped(&x->w, "data", m->data);
	json_member_string(&x->w, "format", mp3 ? STR("mp3") : STR("wav"));
	json_write_object_end(&x->w);
}

static void write_file(struct writing *x, const struct media *m)
{
	json_member_object(&x->w, "file");
	if (m->name.n || m->data.n)
		json_member_escaped(&x->w, "filename", m->name.n ? m->name : STR("document"));
	if (m->data.n) {
		json_write_key(&x->w, STR("file_data"));
		spelled_write_url(&x->w, m, "application/pdf");
	} else {
		json_member_escaped(&x->w, "file_id", m->id);
	}
	json_write_object_end(&x->w);
}

static bool can_write(struct writing *x, const struct part *p)
{
	const struct media *m = p->media;
	switch (p->kind) {
	case PART_TEXT:
		return true;
	case PART_IMAGE:
		if (!m->data.n && !m->url.n)
			chat_drop_meaning(x->loss, "messages.image", "is a file kept at another vendor");
		return m->data.n || m->url.n;
	case PART_AUDIO:
		if (!m->data.n)
			chat_drop_meaning(x->loss, "messages.audio", "must hold its bytes");
		return m->data.n > 0;
	case PART_FILE:
		if (!m->data.n && !m->id.n && !m->text.n)
			chat_drop_meaning(x->loss, "messages.document", "must hold its bytes: chat completions take no addresses of files");
		return m->data.n || m->id.n || m->text.n;
	default:
		return false;
	}
}

static void write_part(struct writing *x, const struct part *p)
{
	if (!can_write(x, p))
		return;
	bool text = p->kind == PART_TEXT || (p->kind == PART_FILE && p->media->text.n);
	begin_part(&x->w, text ? "text" : p->kind == PART_IMAGE ? "image_url" : p->kind == PART_AUDIO ? "input_audio" : "file");
	if (text)
		json_member_escaped(&x->w, "text", p->kind == PART_TEXT ? p->text : p->media->text);
	else if (p->kind == PART_IMAGE)
		write_image(x, p->media);
	else if (p->kind == PART_AUDIO)
		write_audio(x, p->media);
	else
		write_file(x, p->media);
	if (p->breakpoint.n && x->t->completion_tokens)
		json_member_raw(&x->w, "prompt_cache_breakpoint", p->breakpoint);
	json_write_object_end(&x->w);
}

static bool text_only(const struct part *p)
{
	for (; p; p = p->next)
		if (p->kind != PART_TEXT)
			return false;
	return true;
}

static void begin_message(struct writing *x, const char *role)
{
	json_write_object(&x->w);
	json_member_string(&x->w, "role", str_c(role));
}

static void write_name(struct writing *x, const struct message *m)
{
	if (m->name.n)
		json_member_escaped(&x->w, "name", m->name);
}

/* --- a user's turn --- */

static void write_result(struct writing *x, const struct part *p)
{
	struct str text = spelled_text(x->c->arena, p->content, "\\n\\n");
	begin_message(x, "tool");
	json_member_escaped(&x->w, "tool_call_id", p->id);
	json_member_escaped(&x->w, "content", p->failed ? arena_printf(x->c->arena, "Error: %.*s", STR_FMT(text)) : text);
	json_write_object_end(&x->w);
}

static const struct part *first_beside_text(const struct part *p)
{
	while (p && p->kind == PART_TEXT)
		p = p->next;
	return p;
}

static void write_parts(struct writing *x, const struct message *m)
{
	json_member_array(&x->w, "content");
	for (const struct part *p = m->parts; p; p = p->next) {
		if (p->kind != PART_TOOL_RESULT) {
			write_part(x, p);
			continue;
		}
		for (const struct part *q = p->content; q; q = q->next)
			if (q->kind != PART_TEXT)
				write_part(x, q);
	}
	json_write_array_end(&x->w);
}

static void write_user(struct writing *x, const struct message *m)
{
	bool others = false, results = false;
	for (const struct part *p = m->parts; p; p = p->next) {
		bool result = p->kind == PART_TOOL_RESULT;
		if (result)
			write_result(x, p);
		results |= result;
		others |= !result || first_beside_text(p->content);
	}
	if (!others && results)
		return;
	begin_message(x, "user");
	write_name(x, m);
	if (!results && (!m->parts || (text_only(m->parts) && !m->parts->next && !m->parts->breakpoint.n)))
		json_member_escaped(&x->w, "content", m->parts ? m->parts->text : STR(""));
	else
		write_parts(x, m);
	json_write_object_end(&x->w);
}

/* --- an assistant's turn --- */

static void write_call(struct writing *x, const struct part *p)
{
	json_write_object(&x->w);
	json_member_escaped(&x->w, "id", p->id);
	json_member_string(&x->w, "type", STR("function"));
	json_member_object(&x->w, "function");
	json_member_escaped(&x->w, "name", p->name);
	json_member_string(&x->w, "arguments", p->json);	/* JSON inside a string */
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_calls(struct writing *x, const struct message *m)
{
	unsigned n = 0;
	for (const struct part *p = m->parts; p; p = p->next) {
		if (p->kind != PART_TOOL_CALL)
			continue;
		if (n++ == 0)
			json_member_array(&x->w, "tool_calls");
		write_call(x, p);
	}
	if (n)
		json_write_array_end(&x->w);
}

/* Vendors that think want to see their thoughts again; others refuse fields they do not know. */
static void write_reasoning(struct writing *x, const struct message *m)
{
	if (!(x->t->quirks & QUIRK_TAKES_REASONING))
		return;
	for (const struct part *p = m->parts; p; p = p->next)
		if (p->kind == PART_REASONING && p->text.n) {
			json_member_escaped(&x->w, "reasoning_content", p->text);
			return;
		}
}

/* Text and refusals: a refusal of an earlier turn is what was said. */
static struct str said(struct writing *x, const struct message *m, bool *calls)
{
	struct str text = spelled_text(x->c->arena, m->parts, "");
	for (const struct part *p = m->parts; p; p = p->next) {
		*calls |= p->kind == PART_TOOL_CALL;
		if (p->kind == PART_REFUSAL && str_empty(text))
			text = p->text;
	}
	return text;
}

static void write_assistant(struct writing *x, const struct message *m)
{
	bool calls = false;
	struct str text = said(x, m, &calls);
	begin_message(x, "assistant");
	write_name(x, m);
	if (calls && str_empty(text))
		json_member_null(&x->w, "content");
	else
		json_member_escaped(&x->w, "content", text);
	write_reasoning(x, m);
	write_calls(x, m);
	json_write_object_end(&x->w);
}

static void write_system(struct writing *x, const struct message *m)
{
	bool marked = x->t->completion_tokens && m->last && m->last->breakpoint.n;
	begin_message(x, "system");
	write_name(x, m);
	if (marked)
		write_parts(x, m);
	else
		json_member_escaped(&x->w, "content", spelled_text(x->c->arena, m->parts, "\\n\\n"));
	json_write_object_end(&x->w);
}

static void write_messages(struct writing *x)
{
	json_member_array(&x->w, "messages");
	for (const struct message *m = x->c->messages; m; m = m->next) {
		if (m->role == CHAT_SYSTEM)
			write_system(x, m);
		else if (m->role == CHAT_ASSISTANT)
			write_assistant(x, m);
		else
			write_user(x, m);
	}
	json_write_array_end(&x->w);
}

/* --- tools --- */

static void write_tool(struct writing *x, const struct tool *t)
{
	begin_part(&x->w, "function");
	json_member_object(&x->w, "function");
	json_member_escaped(&x->w, "name", t->name);
	if (t->description.p)
		json_member_escaped(&x->w, "description", t->description);
	if (t->json.p)
		json_member_raw(&x->w, "parameters", t->json);
	if (t->strict >= 0)
		json_member_bool(&x->w, "strict", t->strict);
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_choice(struct writing *x)
{
	static const char *const words[] = { [TOOLS_AUTO] = "auto", [TOOLS_NONE] = "none", [TOOLS_REQUIRED] = "required" };
	if (x->c->choice == TOOLS_UNSAID)
		return;
	if (x->c->choice != TOOLS_NAMED) {
		json_member_string(&x->w, "tool_choice", str_c(words[x->c->choice]));
		return;
	}
	json_member_object(&x->w, "tool_choice");
	json_member_string(&x->w, "type", STR("function"));
	json_member_object(&x->w, "function");
	json_member_escaped(&x->w, "name", x->c->choice_name);
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_tools(struct writing *x)
{
	if (!x->c->tools)
		return;
	json_member_array(&x->w, "tools");
	for (const struct tool *t = x->c->tools; t; t = t->next)
		write_tool(x, t);
	json_write_array_end(&x->w);
	write_choice(x);
	if (x->c->parallel >= 0)
		json_member_bool(&x->w, "parallel_tool_calls", x->c->parallel);
}

/* --- the rest --- */

static void write_format(struct writing *x)
{
	const struct chat *c = x->c;
	if (c->format == FORMAT_UNSAID)
		return;
	json_member_object(&x->w, "response_format");
	json_member_string(&x->w, "type", c->format == FORMAT_SCHEMA ? STR("json_schema") : c->format == FORMAT_JSON ? STR("json_object") : STR("text"));
	if (c->format == FORMAT_SCHEMA) {
		json_member_object(&x->w, "json_schema");
		json_member_escaped(&x->w, "name", c->schema_name.n ? c->schema_name : STR("answer"));
		if (c->schema_description.n)
			json_member_escaped(&x->w, "description", c->schema_description);
		json_member_raw(&x->w, "schema", c->schema.p ? c->schema : STR("{}"));
		if (c->schema_strict >= 0)
			json_member_bool(&x->w, "strict", c->schema_strict);
		json_write_object_end(&x->w);
	}
	json_write_object_end(&x->w);
}

static void write_numbers(struct writing *x)
{
	const struct chat *c = x->c;
	const struct { const char *key; struct str json; } members[] = {
		{ x->t->completion_tokens ? "max_completion_tokens" : "max_tokens", c->max_tokens }, { "temperature", c->temperature },
		{ "top_p", c->top_p }, { "n", c->n }, { "seed", c->seed }, { "presence_penalty", c->presence_penalty },
		{ "frequency_penalty", c->frequency_penalty }, { "logprobs", c->logprobs }, { "top_logprobs", c->top_logprobs },
		{ "stop", c->stop },
	};
	for (size_t i = 0; i < array_len(members); i++)
		if (members[i].json.p)
			json_member_raw(&x->w, members[i].key, members[i].json);
	if (c->top_k.p)
		chat_drop_hint(x->loss, "top_k");
}

static void write_effort(struct writing *x)
{
	enum reasoning_effort e = x->c->effort;
	uint64_t tokens = 0;
	if (e == EFFORT_UNSAID && x->c->reasoning_tokens.p && str_u64(x->c->reasoning_tokens, &tokens))
		e = effort_of_tokens((int64_t)tokens);
	if (e == EFFORT_UNSAID || (e == EFFORT_NONE && !x->t->reasons))
		return;
	const char *word = effort_for(x->t->model, e);
	if (!word && (x->t->quirks & QUIRK_THINKING_TYPE))
		json_member_raw(&x->w, "thinking", STR("{\"type\":\"disabled\"}"));
	else if (!word && (x->t->quirks & QUIRK_EFFORT_NONE))
		json_member_string(&x->w, "reasoning_effort", STR("none"));
	else if (x->t->reasons && word)
		json_member_string(&x->w, "reasoning_effort", str_c(word));
	else	/* who does not think refuses the word, and few can be told not to */
		chat_drop_hint(x->loss, x->c->reasoning_field ? x->c->reasoning_field : "reasoning");
}

/* What OpenAI's own cache is told; others refuse the words. */
static void write_cache_words(struct writing *x)
{
	const char *const *names = x->t->completion_tokens ? chat_cache_words : chat_cache_words + CACHE_WORDS;
	chat_drop_citations(x->c, x->loss);
	chat_drop_cache(x->c, x->t->completion_tokens, x->loss);
	chat_drop_extras(x->c, x->loss, names);
	spelled_write_extras(&x->w, x->c, names);
}

static void write_words(struct writing *x)
{
	const struct chat *c = x->c;
	if (c->user.n)
		json_member_escaped(&x->w, "user", c->user);
	if (c->service_tier.n && !(x->t->quirks & QUIRK_MAX_TOKENS_ONLY))
		json_member_escaped(&x->w, "service_tier", c->service_tier);
	else if (c->service_tier.n)
		chat_drop_hint(x->loss, "service_tier");
	if (c->verbosity.n && x->t->completion_tokens)
		json_member_escaped(&x->w, "verbosity", c->verbosity);
	else if (c->verbosity.n)
		chat_drop_hint(x->loss, "verbosity");
	if (c->metadata.p)	/* taken there only with what is stored */
		chat_drop_hint(x->loss, "metadata");
	write_cache_words(x);
}

static void write_stream(struct writing *x)
{
	if (!x->c->stream)
		return;
	json_member_bool(&x->w, "stream", true);
	if (!(x->t->quirks & QUIRK_NO_STREAM_OPTIONS))
		json_member_raw(&x->w, "stream_options", STR("{\"include_usage\":true}"));
}

bool openai_chat_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss)
{
	struct writing x = { .c = c, .t = t, .loss = loss };
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	json_member_string(&x.w, "model", t->model);
	write_messages(&x);
	write_numbers(&x);
	write_tools(&x);
	write_format(&x);
	write_effort(&x);
	write_words(&x);
	write_stream(&x);
	json_write_object_end(&x.w);
	return json_write_end(&x.w);
}
