/*
 * anthropic_read.c: a caller's Messages request (API of 2023-06-01, read 2026-11).
 *
 * A thinking block's signature is Anthropic's own unless weir wrote another signer in front of it.
 */
#include "dialects/anthropic_parts.h"

#include "dialects/members.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

struct reading {
	struct chat *c;
	struct chat_fault *fault;
	unsigned message, block;
};

static bool wrong(struct reading *r, const char *member, const char *what)
{
	r->fault->field = arena_printf(r->c->arena, "messages[%u]%s", r->message, member);
	r->fault->message = str_c(what);
	return false;
}

static bool wrong_block(struct reading *r, const char *member, const char *what)
{
	r->fault->field = arena_printf(r->c->arena, "messages[%u].content[%u]%s", r->message, r->block, member);
	r->fault->message = str_c(what);
	return false;
}

/* --- blocks --- */

/* Into a turn, or into a tool's result. */
struct place {
	struct message *m;
	struct part *result;
};

static struct part *add(struct reading *r, struct place at, enum part_kind kind)
{
	return at.result ? chat_add_content(r->c, at.result, kind) : chat_add_part(r->c, at.m, kind);
}

static bool read_source(struct reading *r, struct part *p, struct str block)
{
	struct str source = json_get(block, STR("source"));
	struct media *m = chat_add_media(r->c, p);
	m->name = json_raw(json_get(block, STR("title")));
	m->url = json_raw(json_get(source, STR("url")));
	m->id = json_raw(json_get(source, STR("file_id")));
	m->type = json_raw(json_get(source, STR("media_type")));
	if (str_has(m->type, STR("\\/")))
		m->type = json_text(r->c->arena, json_get(source, STR("media_type")));
	if (type_is(source, "text"))
		m->text = json_raw(json_get(source, STR("data")));
	else
		m->data = json_raw(json_get(source, STR("data")));
	return m->url.n || m->id.n || m->text.n || m->data.n || wrong_block(r, ".source", "must hold data, a url or a file_id");
}

static bool read_document(struct reading *r, struct place at, struct str block)
{
	struct part *p = add(r, at, PART_FILE);
	bool good = read_source(r, p, block);
	p->media->citations = json_type(json_get(json_get(block, STR("citations")), STR("enabled"))) == JSON_TRUE;
	return good;
}

static bool read_result(struct reading *r, struct place at, struct str block);

static void read_thinking(struct reading *r, struct place at, struct str block)
{
	struct part *p = add(r, at, PART_REASONING);
	p->text = json_raw(json_get(block, STR("thinking")));
	p->signature = spelled_unsign(json_raw(json_get(block, STR("signature"))), &p->signer);
	if (type_is(block, "redacted_thinking"))
		p->redacted = spelled_unsign(json_raw(json_get(block, STR("data"))), &p->signer);
	if (str_empty(p->signer))
		p->signer = STR(SIGNED_ANTHROPIC);
}

static bool read_call(struct reading *r, struct place at, struct str block)
{
	struct part *p = add(r, at, PART_TOOL_CALL);
	struct str input = json_get(block, STR("input"));
	p->id = json_raw(json_get(block, STR("id")));
	p->name = json_raw(json_get(block, STR("name")));
	p->json = json_type(input) == JSON_OBJECT ? input : STR("{}");
	return p->name.n || wrong_block(r, ".name", "must name the tool");
}

static bool read_text(struct reading *r, struct place at, struct str block)
{
	struct str text = json_get(block, STR("text"));
	if (json_type(text) != JSON_STRING)
		return wrong_block(r, ".text", "must be a string");
	add(r, at, PART_TEXT)->text = json_raw(text);
	return true;
}

static bool read_other(struct reading *r, struct str block)
{
	struct str type = json_raw(json_get(block, STR("type")));
	if (str_empty(type))
		return wrong_block(r, ".type", "must say what the block is");
	chat_add_unknown(r->c, arena_printf(r->c->arena, "messages.%.*s", STR_FMT(str_head(type, 60))), true, block);
	return true;
}

static bool read_block(struct reading *r, struct place at, struct str block)
{
	struct part *before = at.result ? at.result->last : at.m->last;
	bool good = true;
	if (type_is(block, "text"))
		good = read_text(r, at, block);
	else if (type_is(block, "image"))
		good = read_source(r, add(r, at, PART_IMAGE), block);
	else if (type_is(block, "document"))
		good = read_document(r, at, block);
	else if (type_is(block, "tool_use"))
		good = read_call(r, at, block);
	else if (type_is(block, "tool_result") && !at.result)
		good = read_result(r, at, block);
	else if (type_is(block, "thinking") || type_is(block, "redacted_thinking"))
		read_thinking(r, at, block);
	else
		good = read_other(r, block);
	struct part *last = at.result ? at.result->last : at.m->last;
	if (last != before)
		last->cache = json_get(block, STR("cache_control"));
	return good;
}

static bool read_blocks(struct reading *r, struct place at, struct str content, const char *where)
{
	struct json_cursor c;
	unsigned block = r->block;
	if (json_type(content) == JSON_STRING) {
		if (json_raw(content).n)
			add(r, at, PART_TEXT)->text = json_raw(content);
		return true;
	}
	if (json_type(content) != JSON_ARRAY)
		return (at.result && is_absent(content)) || wrong(r, where, "must be a string or an array of blocks");
	json_cursor_open(&c, content);
	for (unsigned i = 0; json_cursor_next(&c); i++) {
		r->block = at.result ? block : i;
		if (!read_block(r, at, c.value))
			return false;
	}
	return true;
}

static bool read_result(struct reading *r, struct place at, struct str block)
{
	struct part *p = add(r, at, PART_TOOL_RESULT);
	p->id = json_raw(json_get(block, STR("tool_use_id")));
	p->failed = json_type(json_get(block, STR("is_error"))) == JSON_TRUE;
	if (str_empty(p->id))
		return wrong_block(r, ".tool_use_id", "must name the call that is answered");
	return read_blocks(r, (struct place){ .result = p }, json_get(block, STR("content")), ".content");
}

static bool read_message(struct reading *r, struct str message)
{
	struct str role = json_get(message, STR("role"));
	bool system = json_is(role, STR("system")), assistant = json_is(role, STR("assistant"));
	if (!system && !assistant && !json_is(role, STR("user")))
		return wrong(r, ".role", "must be user, assistant or system");
	struct message *m = chat_add_message(r->c, system ? CHAT_SYSTEM : assistant ? CHAT_ASSISTANT : CHAT_USER);
	return read_blocks(r, (struct place){ .m = m }, json_get(message, STR("content")), ".content");
}

static bool read_system(struct chat *c, struct str system, struct chat_fault *fault)
{
	struct reading r = { .c = c, .fault = fault };
	if (is_absent(system))
		return true;
	struct message *m = chat_add_message(c, CHAT_SYSTEM);
	if (read_blocks(&r, (struct place){ .m = m }, system, ""))
		return true;
	fault->field = STR("system");
	return false;
}

static bool read_messages(struct chat *c, struct str list, struct chat_fault *fault)
{
	struct reading r = { .c = c, .fault = fault };
	struct json_cursor m;
	if (!json_cursor_open(&m, list))
		return true;
	for (; json_cursor_next(&m); r.message++)
		if (!read_message(&r, m.value))
			return false;
	return true;
}

/* --- tools --- */

static void read_tools(struct chat *c, struct str list)
{
	struct json_cursor at;
	if (!json_cursor_open(&at, list))
		return;
	while (json_cursor_next(&at)) {
		struct str type = json_get(at.value, STR("type")), strict = json_get(at.value, STR("strict"));
		struct str schema = json_get(at.value, STR("input_schema"));
		if ((type.p && !json_is(type, STR("custom"))) || !schema.p) {
			chat_add_extra(c, "tools", false, at.value);	/* those that Anthropic's own servers run */
			continue;
		}
		struct tool *t = chat_add_tool(c);
		t->name = json_raw(json_get(at.value, STR("name")));
		t->description = json_raw(json_get(at.value, STR("description")));
		t->json = schema;
		t->strict = json_type(strict) == JSON_TRUE ? 1 : json_type(strict) == JSON_FALSE ? 0 : -1;
		t->cache = json_get(at.value, STR("cache_control"));
	}
}

static void read_choice(struct chat *c, struct str choice)
{
	struct str alone = json_get(choice, STR("disable_parallel_tool_use"));
	c->choice = type_is(choice, "auto") ? TOOLS_AUTO : type_is(choice, "any") ? TOOLS_REQUIRED : type_is(choice, "none") ? TOOLS_NONE :
		    type_is(choice, "tool") ? TOOLS_NAMED : TOOLS_UNSAID;
	c->choice_name = json_raw(json_get(choice, STR("name")));
	c->parallel = json_type(alone) == JSON_TRUE ? 0 : json_type(alone) == JSON_FALSE ? 1 : -1;
}

/* --- the rest --- */

static void read_thought(struct chat *c, struct json_fields *body, struct str output)
{
	struct str thinking = json_field(body, STR("thinking"));
	c->effort = effort_of_word(json_raw(json_get(output, STR("effort"))));
	if (type_is(thinking, "enabled"))
		c->reasoning_tokens = json_get(thinking, STR("budget_tokens"));
	else if (type_is(thinking, "adaptive") && c->effort == EFFORT_UNSAID)
		c->effort = EFFORT_MEDIUM;
	else if (type_is(thinking, "disabled"))
		c->effort = EFFORT_NONE;
	c->reasoning_field = thinking.p ? "thinking" : c->effort != EFFORT_UNSAID ? "output_config" : NULL;
	c->reasoning_shown = type_is(thinking, "enabled") || type_is(thinking, "adaptive");
}

static void read_format(struct chat *c, struct json_fields *body, struct str output)
{
	struct str format = json_get(output, STR("format"));
	if (!format.p)
		format = json_field(body, STR("output_format"));
	if (!type_is(format, "json_schema"))
		return;
	c->format = FORMAT_SCHEMA;
	c->schema = json_get(format, STR("schema"));
	c->schema_name = json_raw(json_get(format, STR("name")));
}

static void read_plain(struct chat *c, struct json_fields *body)
{
	const struct { const char *key; struct str *to; } members[] = {
		{ "max_tokens", &c->max_tokens }, { "temperature", &c->temperature }, { "top_p", &c->top_p }, { "top_k", &c->top_k },
		{ "stop_sequences", &c->stop },
	};
	for (size_t i = 0; i < array_len(members); i++) {
		struct str v = json_field(body, str_c(members[i].key));
		*members[i].to = is_absent(v) ? STR_NONE : v;
	}
	if (c->stop.p && !json_first(c->stop))
		c->stop = STR_NONE;
	c->user = json_raw(json_get(json_field(body, STR("metadata")), STR("user_id")));
	c->stream_usage = true;
}

static void note_extras(struct chat *c, struct str body)
{
	static const char *const known[] = {
		"model", "messages", "system", "max_tokens", "temperature", "top_p", "top_k", "stop_sequences", "stream", "metadata", "tools",
		"tool_choice", "thinking", "output_config", "output_format",
	};
	struct json_cursor at;
	if (!json_cursor_open(&at, body))
		return;
	while (json_cursor_next(&at)) {
		bool is_known = is_absent(at.value);
		for (size_t i = 0; i < array_len(known); i++)
			is_known |= str_eq(at.key, str_c(known[i]));
		if (!is_known)
			chat_add_unknown(c, at.key, false, at.value);
	}
}

bool anthropic_read_request(struct str body, struct chat *c, struct chat_fault *fault)
{
	struct json_fields f;
	body = json_whole(body);
	json_fields_open(&f, body);
	struct str output = json_field(&f, STR("output_config"));
	read_plain(c, &f);
	read_tools(c, json_field(&f, STR("tools")));
	read_choice(c, json_field(&f, STR("tool_choice")));
	read_thought(c, &f, output);
	read_format(c, &f, output);
	note_extras(c, body);
	return read_system(c, json_field(&f, STR("system")), fault) && read_messages(c, json_field(&f, STR("messages")), fault);
}
