/*
 * bedrock_write.c: a Converse request for a target (botocore's bedrock-runtime 2023-09-30, read 2026-08).
 *
 * Turns alternate and begin with a user's, text is never blank, pictures and documents come by value. What only
 * Claude has goes into the fields that Converse passes on to the model.
 */
#include "dialects/bedrock_parts.h"

#include "dialects/spelled.h"
#include "wire/json_cursor.h"

struct writing {
	struct json_write w;
	struct chat *c;
	const struct chat_target *t;
	struct chat_loss *loss;
	bool claude, has_calls;
};

/* --- the path --- */

void bedrock_write_path(const struct chat_target *t, bool stream, struct buf *out)
{
	buf_add(out, STR("/model/"));
	for (size_t i = 0; i < t->model.n; i++) {
		unsigned char c = (unsigned char)t->model.p[i];
		bool plain = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
		if (plain)
			buf_addc(out, (char)c);
		else
			buf_addf(out, "%%%02X", c);
	}
	buf_add(out, stream ? STR("/converse-stream") : STR("/converse"));
}

/* --- blocks --- */

static void begin_block(struct writing *x, const char *kind)
{
	json_write_object(&x->w);
	json_member_object(&x->w, kind);
}

static void end_block(struct writing *x)
{
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_text(struct writing *x, struct str text)
{
	if (spelled_blank(text))
		return;
	json_write_object(&x->w);
	json_member_escaped(&x->w, "text", text);
	json_write_object_end(&x->w);
}

static const char *format_of(const struct part *p)
{
	static const struct { const char *type, *format; } formats[] = {
		{ "image/png", "png" }, { "image/jpeg", "jpeg" }, { "image/gif", "gif" }, { "image/webp", "webp" }, { "application/pdf", "pdf" },
		{ "text/csv", "csv" }, { "text/html", "html" }, { "text/plain", "txt" }, { "text/markdown", "md" },
	};
	for (size_t i = 0; i < array_len(formats); i++)
		if (str_eq(p->media->type, str_c(formats[i].type)))
			return formats[i].format;
	return p->kind == PART_IMAGE ? "png" : p->media->text.n ? "txt" : "pdf";
}

/* Only some characters are allowed in a document's name. */
static void write_name(struct writing *x, struct str name)
{
	struct buf b = BUF_INIT(256);
	for (size_t i = 0; i < name.n && b.n < 200; i++) {
		char c = name.p[i];
		bool good = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-()[]", c));
		buf_addc(&b, good ? c : '-');
	}
	json_member_string(&x->w, "name", b.n ? buf_str(&b) : STR("document"));
	buf_free(&b);
}

static void write_media(struct writing *x, const struct part *p)
{
	const struct media *m = p->media;
	bool image = p->kind == PART_IMAGE;
	if (p->kind == PART_AUDIO) {
		chat_drop_meaning(x->loss, "messages.audio", "cannot be carried: the target's format has no sound");
		return;
	}
	if (!m->data.n && !m->text.n) {
		chat_drop_meaning(x->loss, image ? "messages.image" : "messages.file", "must hold its bytes: the target reads no addresses");
		return;
	}
	begin_block(x, image ? "image" : "document");
	json_member_string(&x->w, "format", str_c(format_of(p)));
	if (!image)
		write_name(x, m->name);
	json_member_object(&x->w, "source");
	json_member_escaped(&x->w, m->text.n ? "text" : "bytes", m->text.n ? m->text : m->data);
	json_write_object_end(&x->w);
	end_block(x);
}

static void write_call(struct writing *x, const struct part *p)
{
	begin_block(x, "toolUse");
	json_member_escaped(&x->w, "toolUseId", spelled_tool_id(x->c->arena, p->id));
	json_member_escaped(&x->w, "name", p->name);
	json_member_raw(&x->w, "input", p->json);
	end_block(x);
}

static void write_result(struct writing *x, const struct part *p)
{
	bool any = false;
	begin_block(x, "toolResult");
	json_member_escaped(&x->w, "toolUseId", spelled_tool_id(x->c->arena, p->id));
	json_member_array(&x->w, "content");
	for (const struct part *q = p->content; q; q = q->next) {
		any |= q->media || !spelled_blank(q->text);
		if (q->media)
			write_media(x, q);
		else
			write_text(x, q->text);
	}
	if (!any)
		json_write_raw(&x->w, STR("{\"json\":{}}"));
	json_write_array_end(&x->w);
	if (p->failed)
		json_member_string(&x->w, "status", STR("error"));
	end_block(x);
}

static bool thought_goes(const struct writing *x, const struct part *p)
{
	return x->claude && str_eq(p->signer, STR(SIGNED_ANTHROPIC)) && (p->signature.n || p->redacted.n);
}

static void write_thought(struct writing *x, const struct part *p)
{
	begin_block(x, "reasoningContent");
	if (p->redacted.n) {
		json_member_escaped(&x->w, "redactedContent", p->redacted);
	} else {
		json_member_object(&x->w, "reasoningText");
		json_member_escaped(&x->w, "text", p->text);
		json_member_escaped(&x->w, "signature", p->signature);
		json_write_object_end(&x->w);
	}
	end_block(x);
}

static void write_block(struct writing *x, const struct part *p)
{
	switch (p->kind) {
	case PART_TEXT:
	case PART_REFUSAL:	write_text(x, p->text); break;
	case PART_TOOL_CALL:	write_call(x, p); break;
	case PART_TOOL_RESULT:	write_result(x, p); break;
	case PART_REASONING:
		if (thought_goes(x, p))
			write_thought(x, p);
		break;
	default:		write_media(x, p); break;
	}
	if (json_type(p->cache) == JSON_OBJECT)
		json_write_raw(&x->w, STR("{\"cachePoint\":{\"type\":\"default\"}}"));
}

/* --- turns --- */

static bool has_block(const struct writing *x, const struct part *p)
{
	for (; p; p = p->next) {
		bool text = p->kind == PART_TEXT || p->kind == PART_REFUSAL;
		if (text ? !spelled_blank(p->text) : p->kind != PART_REASONING || thought_goes(x, p))
			return true;
	}
	return false;
}

static void write_system(struct writing *x, const struct message *m)
{
	bool any = false;
	for (; m; m = m->next)
		for (const struct part *p = m->parts; p; p = p->next) {
			if (p->kind != PART_TEXT || spelled_blank(p->text))
				continue;
			if (!any)
				json_member_array(&x->w, "system");
			any = true;
			write_block(x, p);
		}
	if (any)
		json_write_array_end(&x->w);
}

static void write_messages(struct writing *x)
{
	bool first = true;
	write_system(x, chat_take_system(x->c));
	spelled_wrap_system(x->c);
	chat_join_turns(x->c);
	json_member_array(&x->w, "messages");
	for (const struct message *m = x->c->messages; m; m = m->next) {
		if (!has_block(x, m->parts))
			continue;
		if (first && m->role == CHAT_ASSISTANT)
			json_write_raw(&x->w, STR("{\"role\":\"user\",\"content\":[{\"text\":\".\"}]}"));
		first = false;
		json_write_object(&x->w);
		json_member_string(&x->w, "role", m->role == CHAT_ASSISTANT ? STR("assistant") : STR("user"));
		json_member_array(&x->w, "content");
		for (const struct part *p = m->parts; p; p = p->next) {
			x->has_calls |= p->kind == PART_TOOL_CALL || p->kind == PART_TOOL_RESULT;
			write_block(x, p);
		}
		json_write_array_end(&x->w);
		json_write_object_end(&x->w);
	}
	json_write_array_end(&x->w);
}

/* --- tools --- */

static void write_tool(struct writing *x, const struct tool *t)
{
	begin_block(x, "toolSpec");
	json_member_escaped(&x->w, "name", t->name);
	if (!spelled_blank(t->description))
		json_member_escaped(&x->w, "description", t->description);
	json_member_object(&x->w, "inputSchema");
	json_member_raw(&x->w, "json", json_type(t->json) == JSON_OBJECT ? t->json : STR("{\"type\":\"object\",\"properties\":{}}"));
	json_write_object_end(&x->w);
	end_block(x);
}

/* There is no word for "none": tools are left out, but not under a conversation that used them. */
static void write_tools(struct writing *x)
{
	const struct chat *c = x->c;
	if (!c->tools || (c->choice == TOOLS_NONE && !x->has_calls))
		return;
	json_member_object(&x->w, "toolConfig");
	json_member_array(&x->w, "tools");
	for (const struct tool *t = c->tools; t; t = t->next)
		write_tool(x, t);
	json_write_array_end(&x->w);
	if (c->choice == TOOLS_AUTO || c->choice == TOOLS_REQUIRED)
		json_member_raw(&x->w, "toolChoice", c->choice == TOOLS_AUTO ? STR("{\"auto\":{}}") : STR("{\"any\":{}}"));
	if (c->choice == TOOLS_NAMED) {
		json_member_object(&x->w, "toolChoice");
		json_member_object(&x->w, "tool");
		json_member_escaped(&x->w, "name", c->choice_name);
		json_write_object_end(&x->w);
		json_write_object_end(&x->w);
	}
	json_write_object_end(&x->w);
	if (c->parallel == 0)
		chat_drop_hint(x->loss, "parallel_tool_calls");
}

/* --- the rest --- */

static void write_inference(struct writing *x)
{
	const struct chat *c = x->c;
	const struct { const char *key; struct str json; } members[] = {
		{ "maxTokens", c->max_tokens }, { "temperature", c->temperature }, { "topP", c->top_p }, { "stopSequences", c->stop },
	};
	json_member_object(&x->w, "inferenceConfig");
	for (size_t i = 0; i < array_len(members); i++)
		if (members[i].json.p)
			json_member_raw(&x->w, members[i].key, members[i].json);
	json_write_object_end(&x->w);
}

static void write_format(struct writing *x)
{
	const struct chat *c = x->c;
	if (c->format == FORMAT_JSON)
		chat_drop_hint(x->loss, "response_format");
	if (c->format != FORMAT_SCHEMA)
		return;
	json_member_object(&x->w, "outputConfig");
	json_member_object(&x->w, "textFormat");
	json_member_string(&x->w, "type", STR("json_schema"));
	json_member_object(&x->w, "structure");
	json_member_object(&x->w, "jsonSchema");
	json_member_string(&x->w, "schema", c->schema.p ? c->schema : STR("{}"));	/* as a string */
	json_member_escaped(&x->w, "name", c->schema_name.n ? c->schema_name : STR("answer"));
	for (int i = 0; i < 4; i++)
		json_write_object_end(&x->w);
}

static void write_own_fields(struct writing *x)
{
	const struct chat *c = x->c;
	int64_t budget;
	bool said = json_int(c->reasoning_tokens, &budget) && budget > 0;
	if (!said)
		budget = c->effort == EFFORT_UNSAID ? 0 : effort_tokens(c->effort);
	if (budget && !x->claude)
		chat_drop_hint(x->loss, c->reasoning_field ? c->reasoning_field : "reasoning");
	if (c->top_k.p && !x->claude)
		chat_drop_hint(x->loss, "top_k");
	if (!x->claude || (!budget && !c->top_k.p))
		return;
	json_member_object(&x->w, "additionalModelRequestFields");
	if (c->top_k.p && !budget)
		json_member_raw(&x->w, "top_k", c->top_k);
	if (budget) {
		json_member_object(&x->w, "thinking");
		json_member_string(&x->w, "type", STR("enabled"));
		json_member_int(&x->w, "budget_tokens", budget < 1024 ? 1024 : budget);
		json_write_object_end(&x->w);
	}
	json_write_object_end(&x->w);
}

static void tell_losses(struct writing *x)
{
	const struct chat *c = x->c;
	int64_t n;
	const struct { const char *field; bool said; } hints[] = {
		{ "seed", c->seed.p }, { "presence_penalty", c->presence_penalty.p }, { "frequency_penalty", c->frequency_penalty.p },
		{ "verbosity", c->verbosity.n }, { "metadata", c->metadata.p }, { "user", c->user.n },
	};
	for (size_t i = 0; i < array_len(hints); i++)
		if (hints[i].said)
			chat_drop_hint(x->loss, hints[i].field);
	if (json_int(c->n, &n) && n > 1)
		chat_drop_meaning(x->loss, "n", "must be 1: the target's format gives one answer");
	if (json_type(c->logprobs) == JSON_TRUE)
		chat_drop_meaning(x->loss, "logprobs", "cannot be had: the target's format has none");
	chat_drop_extras(c, x->loss, NULL);
}

bool bedrock_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss)
{
	struct writing x = { .c = c, .t = t, .loss = loss, .claude = str_has(t->model, STR("anthropic.")) };
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	write_messages(&x);
	write_tools(&x);
	write_inference(&x);
	write_format(&x);
	write_own_fields(&x);
	tell_losses(&x);
	json_write_object_end(&x.w);
	return json_write_end(&x.w);
}
