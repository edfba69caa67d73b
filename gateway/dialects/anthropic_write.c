/*
 * anthropic_write.c: a Messages request for a target (API of 2023-06-01, read 2026-11).
 *
 * Turns alternate and begin with a user's; results of tools stand first in theirs. Thoughts go back only
 * with their signature.
 */
#include "dialects/anthropic_parts.h"

#include "core/target.h"
#include "dialects/claude_thought.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

struct writing {
	struct json_write w;
	struct chat *c;
	const struct chat_target *t;
	struct chat_loss *loss;
	struct claude_thought thought;
};

static void begin_block(struct json_write *w, const char *type)
{
	json_write_object(w);
	json_member_string(w, "type", str_c(type));
}

static void end_block(struct writing *x, struct str cache)
{
	if (cache.p && json_type(cache) == JSON_OBJECT)
		json_member_raw(&x->w, "cache_control", cache);
	json_write_object_end(&x->w);
}

/* --- blocks --- */

static void write_source(struct writing *x, const struct media *m, const char *otherwise)
{
	json_member_object(&x->w, "source");
	if (m->text.n) {
		json_member_string(&x->w, "type", STR("text"));
		json_member_string(&x->w, "media_type", STR("text/plain"));
		json_member_escaped(&x->w, "data", m->text);
	} else if (m->data.n) {
		json_member_string(&x->w, "type", STR("base64"));
		json_member_string(&x->w, "media_type", m->type.n ? m->type : str_c(otherwise));
		json_member_escaped(&x->w, "data", m->data);
	} else {
		json_member_string(&x->w, "type", STR("url"));
		json_member_escaped(&x->w, "url", m->url);
	}
	json_write_object_end(&x->w);
}

static void write_media(struct writing *x, const struct part *p)
{
	bool image = p->kind == PART_IMAGE;
	const struct media *m = p->media;
	if (p->kind == PART_AUDIO) {
		chat_drop_meaning(x->loss, "messages.audio", "cannot be carried: the target's format has no sound");
		return;
	}
	if (!m->text.n && !m->data.n && !m->url.n) {
		chat_drop_meaning(x->loss, image ? "messages.image" : "messages.file", "is a file kept at another vendor");
		return;
	}
	if (m->detail.n && !str_eq(m->detail, STR("auto")))
		chat_drop_hint(x->loss, "detail");
	begin_block(&x->w, image ? "image" : "document");
	write_source(x, m, image ? "image/png" : "application/pdf");
	if (!image && m->name.n)
		json_member_escaped(&x->w, "title", m->name);
	if (m->citations)
		json_member_raw(&x->w, "citations", STR("{\"enabled\":true}"));
	end_block(x, p->cache);
}

static void write_text(struct writing *x, struct str text, struct str cache)
{
	if (str_empty(text))
		return;
	begin_block(&x->w, "text");
	json_member_escaped(&x->w, "text", text);
	end_block(x, cache);
}

static void write_call(struct writing *x, const struct part *p)
{
	begin_block(&x->w, "tool_use");
	json_member_escaped(&x->w, "id", spelled_tool_id(x->c->arena, p->id));
	json_member_escaped(&x->w, "name", p->name);
	json_member_raw(&x->w, "input", p->json);
	end_block(x, p->cache);
}

static void write_block(struct writing *x, const struct part *p);

static void write_result(struct writing *x, const struct part *p)
{
	begin_block(&x->w, "tool_result");
	json_member_escaped(&x->w, "tool_use_id", spelled_tool_id(x->c->arena, p->id));
	if (p->content && !p->content->next && p->content->kind == PART_TEXT) {
		json_member_escaped(&x->w, "content", p->content->text);
	} else if (p->content) {
		json_member_array(&x->w, "content");
		for (const struct part *q = p->content; q; q = q->next)
			write_block(x, q);
		json_write_array_end(&x->w);
	}
	if (p->failed)
		json_member_bool(&x->w, "is_error", true);
	end_block(x, p->cache);
}

static void write_thought(struct writing *x, const struct part *p)
{
	if (!str_eq(p->signer, STR(SIGNED_ANTHROPIC)) || (!p->signature.n && !p->redacted.n))
		return;		/* another vendor's, or nobody's: it would be refused */
	begin_block(&x->w, p->redacted.n ? "redacted_thinking" : "thinking");
	if (p->redacted.n) {
		json_member_escaped(&x->w, "data", p->redacted);
	} else {
		json_member_escaped(&x->w, "thinking", p->text);
		json_member_escaped(&x->w, "signature", p->signature);
	}
	json_write_object_end(&x->w);
}

static void write_block(struct writing *x, const struct part *p)
{
	switch (p->kind) {
	case PART_TEXT:
	case PART_REFUSAL:	write_text(x, p->text, p->cache); break;
	case PART_TOOL_CALL:	write_call(x, p); break;
	case PART_TOOL_RESULT:	write_result(x, p); break;
	case PART_REASONING:	write_thought(x, p); break;
	default:		write_media(x, p); break;
	}
}

/* --- turns --- */

/* An answer to be continued may not end in blanks. */
static struct str trimmed(struct str s)
{
	for (;;) {
		if (s.n && s.p[s.n - 1] == ' ')
			s.n--;
		else if (str_ends(s, STR("\\n")) || str_ends(s, STR("\\t")))
			s.n -= 2;
		else
			return s;
	}
}

static bool has_block(const struct part *p)
{
	for (; p; p = p->next)
		if (p->kind != PART_REASONING && !((p->kind == PART_TEXT || p->kind == PART_REFUSAL) && str_empty(p->text)))
			return true;
	return false;
}

static void write_turn(struct writing *x, struct message *m, bool first)
{
	bool assistant = m->role == CHAT_ASSISTANT;
	if (!has_block(m->parts))
		return;
	if (first && assistant)
		json_write_raw(&x->w, STR("{\"role\":\"user\",\"content\":\".\"}"));
	json_write_object(&x->w);
	json_member_string(&x->w, "role", assistant ? STR("assistant") : STR("user"));
	json_member_array(&x->w, "content");
	for (struct part *p = m->parts; p; p = p->next) {
		if (assistant && !m->next && !p->next && p->kind == PART_TEXT)
			p->text = trimmed(p->text);
		write_block(x, p);
	}
	json_write_array_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_system(struct writing *x, const struct message *m)
{
	bool any = false;
	for (const struct message *s = m; s; s = s->next)
		any |= has_block(s->parts);
	if (!any)
		return;
	json_member_array(&x->w, "system");
	for (; m; m = m->next)
		for (const struct part *p = m->parts; p; p = p->next)
			if (p->kind == PART_TEXT)
				write_text(x, p->text, p->cache);
	json_write_array_end(&x->w);
}

static void write_messages(struct writing *x)
{
	bool first = true;
	write_system(x, chat_take_system(x->c));
	spelled_wrap_system(x->c);
	chat_join_turns(x->c);
	json_member_array(&x->w, "messages");
	for (struct message *m = x->c->messages; m; m = m->next) {
		write_turn(x, m, first);
		first = false;
	}
	json_write_array_end(&x->w);
}

/* --- tools --- */

static void write_tool(struct writing *x, const struct tool *t)
{
	json_write_object(&x->w);
	json_member_escaped(&x->w, "name", t->name);
	if (t->description.n)
		json_member_escaped(&x->w, "description", t->description);
	json_member_raw(&x->w, "input_schema", json_type(t->json) == JSON_OBJECT ? t->json : STR("{\"type\":\"object\",\"properties\":{}}"));
	if (t->strict > 0)
		json_member_bool(&x->w, "strict", true);
	end_block(x, t->cache);
}

static void write_choice(struct writing *x)
{
	enum tool_choice choice = claude_choice(x->c, x->thought.tokens, x->loss);
	if (choice == TOOLS_UNSAID && x->c->parallel != 0)
		return;
	json_member_object(&x->w, "tool_choice");
	json_member_string(&x->w, "type", choice == TOOLS_REQUIRED ? STR("any") : choice == TOOLS_NAMED ? STR("tool") :
			   choice == TOOLS_NONE ? STR("none") : STR("auto"));
	if (choice == TOOLS_NAMED)
		json_member_escaped(&x->w, "name", x->c->choice_name);
	if (x->c->parallel == 0 && choice != TOOLS_NONE)
		json_member_bool(&x->w, "disable_parallel_tool_use", true);
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
}

/* --- the rest --- */

static void write_stop(struct writing *x)
{
	struct json_cursor c;
	unsigned n = 0;
	if (!x->c->stop.p || !json_cursor_open(&c, x->c->stop))
		return;
	while (json_cursor_next(&c)) {
		if (spelled_blank(json_raw(c.value)))
			continue;	/* refused there */
		if (n++ == 0)
			json_member_array(&x->w, "stop_sequences");
		json_write_raw(&x->w, c.value);
	}
	if (n)
		json_write_array_end(&x->w);
}

static void write_sampling(struct writing *x)
{
	const struct chat *c = x->c;
	bool thinks = x->thought.tokens;
	const struct { const char *key; struct str json; } members[] = {
		{ "temperature", claude_temperature(c, thinks, x->loss) }, { "top_p", claude_top_p(c, thinks, x->loss) },
		{ "top_k", claude_top_k(c, thinks, x->loss) },
	};
	for (size_t i = 0; i < array_len(members); i++)
		if (members[i].json.p)
			json_member_raw(&x->w, members[i].key, members[i].json);
	write_stop(x);
	if (!thinks)
		return;
	json_member_object(&x->w, "thinking");
	json_member_string(&x->w, "type", STR("enabled"));
	json_member_int(&x->w, "budget_tokens", x->thought.tokens);
	json_write_object_end(&x->w);
}

static void write_format(struct writing *x)
{
	const struct chat *c = x->c;
	if (c->format == FORMAT_JSON)
		chat_drop_hint(x->loss, "response_format");
	if (c->format != FORMAT_SCHEMA)
		return;
	json_member_object(&x->w, "output_config");
	json_member_object(&x->w, "format");
	json_member_string(&x->w, "type", STR("json_schema"));
	json_member_raw(&x->w, "schema", c->schema.p ? c->schema : STR("{}"));
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

/* Its own words say whether capacity that was bought ahead may be used. */
static void write_tier(struct writing *x)
{
	struct str tier = x->c->service_tier;
	if (str_eq(tier, STR("default")))
		json_member_string(&x->w, "service_tier", STR("standard_only"));
	else if (tier.n && !str_eq(tier, STR("auto")))
		chat_drop_hint(x->loss, "service_tier");
}

static void tell_losses(struct writing *x)
{
	const struct chat *c = x->c;
	const struct chat_hint hints[] = {
		{ "seed", c->seed.p }, { "presence_penalty", c->presence_penalty.p }, { "frequency_penalty", c->frequency_penalty.p },
		{ "verbosity", c->verbosity.n }, { "metadata", c->metadata.p }, { "response_format.description", c->schema_description.n },
	};
	chat_drop_hints(hints, array_len(hints), x->loss);
	spelled_one_answer(c, x->loss);
	if (json_type(c->logprobs) == JSON_TRUE)
		chat_drop_meaning(x->loss, "logprobs", "cannot be had: the target's format has none");
	chat_drop_names(c, x->loss);
	chat_drop_extras(c, x->loss, NULL);
}

bool anthropic_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss)
{
	struct writing x = { .c = c, .t = t, .loss = loss, .thought = claude_thought(c, t->max_output, loss) };
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	if (t->quirks & QUIRK_RAW_PREDICT)
		json_member_string(&x.w, "anthropic_version", STR("vertex-2023-10-16"));
	else
		json_member_string(&x.w, "model", t->model);
	json_member_int(&x.w, "max_tokens", x.thought.max_tokens);
	write_messages(&x);
	write_tools(&x);
	write_sampling(&x);
	write_format(&x);
	write_tier(&x);
	if (c->user.n) {
		json_member_object(&x.w, "metadata");
		json_member_escaped(&x.w, "user_id", c->user);
		json_write_object_end(&x.w);
	}
	if (c->stream)
		json_member_bool(&x.w, "stream", true);
	tell_losses(&x);
	json_write_object_end(&x.w);
	return json_write_end(&x.w);
}
