/*
 * bedrock_write.c: a Converse request for a target (botocore's bedrock-runtime 2023-09-30, read 2026-08).
 *
 * Turns alternate and begin with a user's, text is never blank, pictures and documents come by value or lie in S3.
 */
#include "dialects/bedrock_parts.h"

#include "dialects/claude_thought.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

/* --- the path --- */

void bedrock_write_path(const struct chat_target *t, bool stream, struct buf *out)
{
	buf_add(out, STR("/model/"));
	spelled_segment(out, t->model);
	buf_add(out, stream ? STR("/converse-stream") : STR("/converse"));
}

/* Of its own store alone, which is no https. */
bool bedrock_reads_address(enum part_kind kind, struct str url)
{
	(void)kind, (void)url;
	return false;
}

/* --- blocks --- */

static void begin_block(struct bedrock_writing *x, const char *kind)
{
	json_write_object(&x->w);
	json_member_object(&x->w, kind);
}

static void end_block(struct bedrock_writing *x)
{
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

void bedrock_write_cache_point(struct bedrock_writing *x, struct str cache)
{
	struct str life = json_get(cache, STR("ttl"));
	if (json_type(cache) != JSON_OBJECT)
		return;
	begin_block(x, "cachePoint");
	json_member_string(&x->w, "type", STR("default"));
	if (json_type(life) == JSON_STRING)
		json_member_raw(&x->w, "ttl", life);
	end_block(x);
}

static void write_text(struct bedrock_writing *x, struct str text)
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

/* By the end of its address, where nothing says the type. */
static const char *format_of_kept(const struct part *p)
{
	static const struct { const char *end, *format; } ends[] = {
		{ ".png", "png" }, { ".jpg", "jpeg" }, { ".jpeg", "jpeg" }, { ".gif", "gif" }, { ".webp", "webp" }, { ".pdf", "pdf" },
		{ ".csv", "csv" }, { ".doc", "doc" }, { ".docx", "docx" }, { ".xls", "xls" }, { ".xlsx", "xlsx" }, { ".html", "html" },
		{ ".txt", "txt" }, { ".md", "md" },
	};
	for (size_t i = 0; i < array_len(ends); i++)
		if (str_ends(p->media->url, str_c(ends[i].end)))
			return ends[i].format;
	return format_of(p);
}

/* Only some characters are allowed in a document's name, and no two blanks in a row. */
static void write_name(struct bedrock_writing *x, struct str name)
{
	struct buf b = BUF_INIT(256);
	for (size_t i = 0; i < name.n && b.n < 200; i++) {
		char c = name.p[i];
		bool good = ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-()[]", c)) ||
			    (c == ' ' && i && name.p[i - 1] != ' ');
		buf_addc(&b, good ? c : '-');
	}
	json_member_string(&x->w, "name", b.n ? buf_str(&b) : STR("document"));
	buf_free(&b);
}

static void write_media(struct bedrock_writing *x, const struct part *p)
{
	const struct media *m = p->media;
	bool image = p->kind == PART_IMAGE;
	if (p->kind == PART_AUDIO) {
		chat_drop_meaning(x->loss, "messages.audio", "cannot be carried: the target's format has no sound");
		return;
	}
	bool kept = str_starts(m->url, STR("s3://"));
	if (m->detail.n && !str_eq(m->detail, STR("auto")))
		chat_drop_hint(x->loss, "detail");
	if (!m->data.n && !m->text.n && !kept) {
		chat_drop_meaning(x->loss, image ? "messages.image" : "messages.file", "must hold its bytes: the target reads no addresses");
		return;
	}
	begin_block(x, image ? "image" : "document");
	json_member_string(&x->w, "format", str_c(kept ? format_of_kept(p) : format_of(p)));
	if (!image)
		write_name(x, m->name);
	json_member_object(&x->w, "source");
	if (kept) {
		json_member_object(&x->w, "s3Location");
		json_member_escaped(&x->w, "uri", m->url);
		json_write_object_end(&x->w);
	} else {
		json_member_escaped(&x->w, m->text.n ? "text" : "bytes", m->text.n ? m->text : m->data);
	}
	json_write_object_end(&x->w);
	if (m->citations)
		json_member_raw(&x->w, "citations", STR("{\"enabled\":true}"));
	end_block(x);
}

static void write_call(struct bedrock_writing *x, const struct part *p)
{
	begin_block(x, "toolUse");
	json_member_escaped(&x->w, "toolUseId", spelled_tool_id(x->c->arena, p->id));
	json_member_escaped(&x->w, "name", p->name);
	json_member_raw(&x->w, "input", p->json);
	end_block(x);
}

static void write_result(struct bedrock_writing *x, const struct part *p)
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

static bool thought_goes(const struct bedrock_writing *x, const struct part *p)
{
	return x->claude && str_eq(p->signer, STR(SIGNED_ANTHROPIC)) && (p->signature.n || p->redacted.n);
}

static void write_thought(struct bedrock_writing *x, const struct part *p)
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

static void write_block(struct bedrock_writing *x, const struct part *p)
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
	bedrock_write_cache_point(x, p->cache);
}

/* --- turns --- */

static bool has_block(const struct bedrock_writing *x, const struct part *p)
{
	for (; p; p = p->next) {
		bool text = p->kind == PART_TEXT || p->kind == PART_REFUSAL;
		if (text ? !spelled_blank(p->text) : p->kind != PART_REASONING || thought_goes(x, p))
			return true;
	}
	return false;
}

static void write_system(struct bedrock_writing *x, const struct message *m)
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

static void write_messages(struct bedrock_writing *x)
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

bool bedrock_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss)
{
	struct bedrock_writing x = { .c = c, .t = t, .loss = loss, .claude = str_has(t->model, STR("anthropic.")) };
	x.thought = x.claude ? claude_thought(c, t->max_output, loss).tokens : 0;
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	write_messages(&x);
	bedrock_write_settings(&x);
	json_write_object_end(&x.w);
	return json_write_end(&x.w);
}
