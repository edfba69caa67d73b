/*
 * view.c: the texts of a request, whatever dialect it is in, as spans of its body.
 *
 * Chat completions, completions, Messages, Responses, generateContent, embeddings, moderations and rerank keep their
 * texts in a handful of members; one walk reads them all. Nothing is copied, and escapes are undone
 * only in texts that are asked for.
 */
#include "core/call.h"
#include "core/code_signs.h"
#include "plugin_host/run.h"
#include "wire/json_cursor.h"

static enum weir_role role_of(struct str value)
{
	static const struct { struct str word; enum weir_role role; } known[] = {
		{ STR_INIT("user"), WEIR_USER }, { STR_INIT("assistant"), WEIR_ASSISTANT }, { STR_INIT("model"), WEIR_ASSISTANT }, { STR_INIT("system"), WEIR_SYSTEM },
		{ STR_INIT("developer"), WEIR_SYSTEM }, { STR_INIT("tool"), WEIR_TOOL }, { STR_INIT("function"), WEIR_TOOL },
	};
	for (size_t i = 0; i < array_len(known); i++)
		if (json_is(value, known[i].word))
			return known[i].role;
	return WEIR_USER;
}

static void add_to(struct weir_request *r, struct pieces *v, enum weir_role role, struct str value)
{
	if (v->n == PIECES_MAX)
		return;
	if (v->n == v->cap) {
		struct piece *more = arena_array(&r->t->arena, struct piece, v->cap ? 2 * v->cap : 8);
		if (v->n)
			memcpy(more, v->p, v->n * sizeof(*more));
		v->cap = v->cap ? 2 * v->cap : 8;
		v->p = more;
	}
	v->p[v->n++] = (struct piece){ .role = role, .message = r->view.messages, .value = value };
}

static void add(struct weir_request *r, enum weir_role role, struct str value)
{
	add_to(r, &r->view.texts, role, value);
}

static void add_arguments(struct weir_request *r, enum weir_role role, struct str value)
{
	if (value.p)
		add_to(r, &r->view.arguments, role, value);
}

static bool is_image(struct str type)
{
	return json_is(type, STR("image_url")) || json_is(type, STR("image")) || json_is(type, STR("input_image"));
}

/* Results hold text and images, and no further results. */
static void add_result(struct weir_request *r, struct str content)
{
	struct json_cursor c;
	if (json_type(content) == JSON_STRING)
		add(r, WEIR_TOOL, content);
	else if (json_type(content) == JSON_ARRAY && json_cursor_open(&c, content))
		while (json_cursor_next(&c))
			if (json_type(json_get(c.value, STR("text"))) == JSON_STRING)
				add(r, WEIR_TOOL, json_get(c.value, STR("text")));
}

static void add_part(struct weir_request *r, enum weir_role role, struct str part)
{
	static const struct str names[] = { STR_INIT("text"), STR_INIT("type"), STR_INIT("content"), STR_INIT("inlineData"), STR_INIT("input"),
					    STR_INIT("functionCall"), STR_INIT("functionResponse") };
	enum { TEXT, TYPE, CONTENT, DATA, INPUT, CALL, RESPONSE, MEMBERS };
	struct str of[MEMBERS];
	json_get_all(part, names, MEMBERS, of);
	if (json_type(part) == JSON_STRING)
		add(r, role, part);
	else if (json_type(of[TEXT]) == JSON_STRING)
		add(r, role, of[TEXT]);
	else if (json_is(of[TYPE], STR("tool_result")))
		add_result(r, of[CONTENT]);
	else if (is_image(of[TYPE]) || of[DATA].p)
		r->view.images++;
	add_arguments(r, WEIR_ASSISTANT, of[INPUT]);
	add_arguments(r, WEIR_ASSISTANT, json_get(of[CALL], STR("args")));
	add_arguments(r, WEIR_TOOL, json_get(of[RESPONSE], STR("response")));
}

/* A string, or parts. */
static void add_content(struct weir_request *r, enum weir_role role, struct str value)
{
	struct json_cursor c;
	if (json_type(value) == JSON_STRING)
		add(r, role, value);
	else if (json_type(value) == JSON_ARRAY && json_cursor_open(&c, value))
		while (json_cursor_next(&c))
			add_part(r, role, c.value);
}

static void add_calls(struct weir_request *r, struct str calls)
{
	struct json_cursor c;
	if (json_type(calls) == JSON_ARRAY && json_cursor_open(&c, calls))
		while (json_cursor_next(&c))
			add_arguments(r, WEIR_ASSISTANT, json_get(json_get(c.value, STR("function")), STR("arguments")));
}

/* Of messages, input or contents: messages, texts, calls, or what a tool said. */
static void add_item(struct weir_request *r, struct str item)
{
	static const struct str names[] = { STR_INIT("role"), STR_INIT("content"), STR_INIT("output"), STR_INIT("parts"), STR_INIT("tool_calls"),
					    STR_INIT("arguments") };
	enum { ROLE, CONTENT, OUTPUT, SPLIT, CALLS, ARGUMENTS, MEMBERS };
	struct str of[MEMBERS];
	json_get_all(item, names, MEMBERS, of);
	if (json_type(item) == JSON_STRING)
		add(r, WEIR_USER, item);
	else if (json_type(of[OUTPUT]) == JSON_STRING)
		add(r, WEIR_TOOL, of[OUTPUT]);
	else
		add_content(r, role_of(of[ROLE]), of[CONTENT]);
	add_content(r, role_of(of[ROLE]), of[SPLIT]);
	add_calls(r, of[CALLS]);
	add_arguments(r, WEIR_ASSISTANT, of[ARGUMENTS]);
	r->view.messages++;
}

static void add_items(struct weir_request *r, struct str value)
{
	struct json_cursor c;
	if (json_type(value) == JSON_STRING)
		add_item(r, value);
	else if (json_type(value) == JSON_ARRAY && json_cursor_open(&c, value))
		while (json_cursor_next(&c))
			add_item(r, c.value);
}

static void read(struct weir_request *r)
{
	static const struct str names[] = { STR_INIT("system"), STR_INIT("instructions"), STR_INIT("systemInstruction"), STR_INIT("messages"),
					    STR_INIT("input"), STR_INIT("prompt"), STR_INIT("query"), STR_INIT("contents") };
	enum { SYSTEM, INSTRUCTIONS, SYSTEM_PARTS, ITEMS, MEMBERS = array_len(names) };
	struct str of[MEMBERS];
	unsigned n = 0;
	json_get_all(json_value(r->t->call->body), names, MEMBERS, of);
	for (unsigned i = 0; i < ITEMS; i++, n = r->view.texts.n) {
		add_content(r, WEIR_SYSTEM, i == SYSTEM_PARTS ? json_get(of[i], STR("parts")) : of[i]);
		r->view.messages += r->view.texts.n > n;
	}
	for (unsigned i = ITEMS; i < MEMBERS; i++)
		add_items(r, of[i]);
}

struct view *run_view(struct weir_request *r)
{
	if (!r->view.read) {
		r->view = (struct view){ .read = true };
		if (r->t->call->json)
			read(r);
	}
	return &r->view;
}

struct str run_piece_text(struct weir_request *r, struct piece *p)
{
	if (!p->text.p)
		p->text = json_type(p->value) == JSON_STRING ? json_text(&r->t->arena, p->value) : p->value;
	if (!p->text.p)
		p->text = STR("");
	return p->text;
}

/* The user's texts of one message, with newlines between. There may be thousands of them. */
static struct str joined(struct weir_request *r, struct piece *p, unsigned n)
{
	size_t size = 0, used = 0;
	for (unsigned i = 0; i < n; i++)
		size += p[i].role == WEIR_USER ? run_piece_text(r, &p[i]).n + 1 : 0;
	char *all = arena_alloc(&r->t->arena, size + 1);
	for (unsigned i = 0; i < n; i++) {
		struct str text = p[i].role == WEIR_USER ? p[i].text : STR_NONE;
		if (!text.n)
			continue;
		if (used)
			all[used++] = '\n';
		memcpy(all + used, text.p, text.n);
		used += text.n;
	}
	return str_of(all, used);
}

struct str run_last_text(struct weir_request *r)
{
	struct view *v = run_view(r);
	struct piece *p = v->texts.p;
	unsigned end = v->texts.n, first;
	if (v->last_read)
		return v->last;
	v->last_read = true;
	while (end > 0 && p[end - 1].role != WEIR_USER)
		end--;
	for (first = end; first > 0 && p[first - 1].message == p[end - 1].message; first--)
		;
	if (end - first == 1)
		v->last = run_piece_text(r, &p[first]);
	else if (end > first)
		v->last = joined(r, p + first, end - first);
	return v->last;
}

/* Asked by many rules, of a body that may be long: each is found out once. */
unsigned run_tools(struct weir_request *r)
{
	struct view *v = run_view(r);
	struct json_cursor c;
	if (v->tools_read)
		return v->tools;
	struct str tools = r->t->call->json ? json_get(json_value(r->t->call->body), STR("tools")) : STR_NONE;
	if (json_type(tools) == JSON_ARRAY && json_cursor_open(&c, tools))
		while (json_cursor_next(&c))
			v->tools++;
	v->tools_read = true;
	return v->tools;
}

bool run_code(struct weir_request *r)
{
	struct view *v = run_view(r);
	if (!v->code_read)
		v->code = has_code_signs(r->t->call->body);
	v->code_read = true;
	return v->code;
}
