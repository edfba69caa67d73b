/*
 * gemini_read.c: a caller's generateContent request (python-genai's types, read 2026-08).
 *
 * Histories of streams hold a turn in many contents: neighbours of one role are one turn, and its pieces of text one
 * text. Calls without an id get one by their order, and results find theirs by name and order. Clients spell base64
 * with either alphabet.
 */
#include "dialects/gemini_parts.h"

#include "base/str_map.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

static const size_t TEXT_MOST = 64u << 20;

struct reading {
	struct chat *c;
	struct chat_fault *fault;
	unsigned content, part, calls;
	struct message *m;
	struct str_map waiting, answered;	/* calls without a result, by name; ids that have one */
	struct part *growing;	/* text or thoughts whose next piece may follow */
	struct buf text;
};

static bool wrong(struct reading *r, const char *member, const char *what)
{
	r->fault->field = arena_printf(r->c->arena, "contents[%u].parts[%u]%s", r->content, r->part, member);
	r->fault->message = str_c(what);
	return false;
}

/* --- proofs --- */

static struct str plain_base64(struct arena *a, struct str s)
{
	char *to = arena_alloc(a, s.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] != '\\')
			to[n++] = s.p[i] == '-' ? '+' : s.p[i] == '_' ? '/' : s.p[i];
	return str_of(to, n);
}

static struct str decoded(struct arena *a, struct str s)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *to = arena_alloc(a, s.n + 1);
	size_t n = 0;
	unsigned bits = 0, held = 0;
	for (size_t i = 0; i < s.n && s.p[i] != '='; i++) {
		const char *at = memchr(digits, s.p[i], 64);
		if (!at)
			return STR_NONE;
		bits = (bits << 6 | (unsigned)(at - digits)) & 0xffff;
		held += 6;
		if (held >= 8)
			to[n++] = (char)(bits >> (held -= 8) & 0xff);
	}
	return str_of(to, n);
}

/* Google's own, unless weir wrote another signer into it; such text is spelled and must be whole. */
static void read_proof(struct reading *r, struct part *p, struct str proof)
{
	struct str text = decoded(r->c->arena, plain_base64(r->c->arena, proof));
	struct str inside = spelled_unsign(text, &p->signer);
	bool clean = p->signer.n > 0;
	for (size_t i = 0; i < inside.n && clean; i++)
		clean = inside.p[i] >= ' ' && inside.p[i] < 0x7f && inside.p[i] != '"' && inside.p[i] != '\\';
	p->signature = clean ? inside : proof;
	if (!clean)
		p->signer = STR(SIGNED_GOOGLE);
	if (clean && p->kind == PART_REASONING && str_starts(inside, STR("redacted:"))) {
		p->redacted = str_skip(inside, 9);
		p->signature = STR_NONE;
	}
}

/* --- parts --- */

static void settle(struct reading *r)
{
	if (r->growing)
		r->growing->text = arena_copy(r->c->arena, buf_str(&r->text));
	r->growing = NULL;
	buf_clear(&r->text);
}

static void read_text(struct reading *r, struct json_fields *part, struct str text, struct str proof)
{
	enum part_kind kind = json_type(json_field(part, STR("thought"))) == JSON_TRUE ? PART_REASONING : PART_TEXT;
	if (!r->growing || r->growing->kind != kind) {
		settle(r);
		if (str_empty(text) && !proof.n)
			return;
		r->growing = chat_add_part(r->c, r->m, kind == PART_TEXT && str_empty(text) ? PART_REASONING : kind);
	}
	buf_add(&r->text, text);
	if (!proof.n)
		return;
	read_proof(r, r->growing, proof);
	settle(r);
}

static bool read_media(struct reading *r, struct part *result, struct str media, bool inlined)
{
	struct str type = json_text(r->c->arena, json_either(media, "mimeType", "mime_type"));
	struct str data = json_raw(inlined ? json_get(media, STR("data")) : json_either(media, "fileUri", "file_uri"));
	enum part_kind kind = str_starts(type, STR("image/")) ? PART_IMAGE : str_starts(type, STR("audio/")) ? PART_AUDIO : PART_FILE;
	if (str_empty(data) || (inlined && str_empty(type)))
		return wrong(r, inlined ? ".inlineData" : ".fileData", inlined ? "must hold mimeType and data" : "must hold a fileUri");
	struct part *p = result ? chat_add_content(r->c, result, kind) : chat_add_part(r->c, r->m, kind);
	struct media *m = chat_add_media(r->c, p);
	m->type = str_eq(type, STR("image/jpg")) ? STR("image/jpeg") : type;
	*(inlined ? &m->data : &m->url) = inlined ? plain_base64(r->c->arena, data) : data;
	return true;
}

/* Calls of one name that no result has come for, in their order. */
struct waiting {
	struct waiting_call *first, **end;
};

struct waiting_call {
	struct str id;
	struct waiting_call *next;
};

static void wait_for_result(struct reading *r, const struct part *call)
{
	void **place = str_map_at(&r->waiting, call->name);
	struct waiting *w = *place ? *place : arena_new(r->c->arena, struct waiting);
	struct waiting_call *c = arena_new(r->c->arena, struct waiting_call);
	if (!*place)
		w->end = &w->first;
	*place = w;
	c->id = call->id;
	*w->end = c;
	w->end = &c->next;
	if (str_map_get(&r->answered, call->id))
		*str_map_at(&r->answered, call->id) = NULL;	/* of an earlier turn */
}

/* The first call of that name that waits for its result. */
static struct str call_id(struct reading *r, struct str name)
{
	struct waiting *w = str_map_get(&r->waiting, name);
	while (w && w->first) {
		struct str id = w->first->id;
		w->first = w->first->next;
		if (!w->first)
			w->end = &w->first;
		if (!str_map_get(&r->answered, id))
			return id;
	}
	return STR_NONE;
}

static bool read_call(struct reading *r, struct str call, struct str proof)
{
	struct str args = json_get(call, STR("args"));
	struct part *p = chat_add_part(r->c, r->m, PART_TOOL_CALL);
	p->id = json_raw(json_get(call, STR("id")));
	p->name = json_raw(json_get(call, STR("name")));
	p->json = json_type(args) == JSON_OBJECT ? args : STR("{}");
	r->calls++;
	if (str_empty(p->id))
		p->id = arena_printf(r->c->arena, "call_%u", r->calls);
	wait_for_result(r, p);
	if (proof.n)
		read_proof(r, p, proof);
	return p->name.n || wrong(r, ".functionCall.name", "must name the function");
}

static struct str inside_of(struct arena *a, struct str json)
{
	struct buf b = BUF_INIT(TEXT_MOST);
	struct str text = STR("");
	if (buf_add_json(&b, json) && b.n > 2)
		text = arena_copy(a, str_of(b.p + 1, b.n - 2));
	buf_free(&b);
	return text;
}

static bool read_result(struct reading *r, struct str result)
{
	struct str response = json_get(result, STR("response")), name = json_raw(json_get(result, STR("name")));
	struct str text = json_get(response, STR("result")), error = json_get(response, STR("error")), id = json_raw(json_get(result, STR("id")));
	struct json_cursor c;
	if (str_empty(id))
		id = call_id(r, name);
	if (str_empty(id))
		return wrong(r, ".functionResponse", "answers no functionCall before it");
	if (json_type(response) != JSON_OBJECT)
		return wrong(r, ".functionResponse.response", "must be an object");
	struct part *p = chat_add_part(r->c, r->m, PART_TOOL_RESULT);
	*str_map_at(&r->answered, id) = p;
	p->id = id;
	p->name = name;
	p->failed = json_type(error) == JSON_STRING;
	struct str said = p->failed ? error : text;
	chat_add_content(r->c, p, PART_TEXT)->text = json_type(said) == JSON_STRING ? json_raw(said) : inside_of(r->c->arena, response);
	if (json_cursor_open(&c, json_get(result, STR("parts"))))
		while (json_cursor_next(&c)) {
			struct str data = json_either(c.value, "inlineData", "inline_data");
			if (data.p && !read_media(r, p, data, true))
				return false;
		}
	return true;
}

static bool read_part(struct reading *r, struct str object)
{
	struct json_fields f, *part = &f;
	json_fields_open(part, object);
	struct str text = json_field(part, STR("text")), proof = json_raw(json_field_either(part, "thoughtSignature", "thought_signature"));
	struct str call = json_field_either(part, "functionCall", "function_call"), result = json_field_either(part, "functionResponse", "function_response");
	struct str data = json_field_either(part, "inlineData", "inline_data"), file = json_field_either(part, "fileData", "file_data");
	if (json_type(text) == JSON_STRING) {
		read_text(r, part, json_raw(text), proof);
		return true;
	}
	settle(r);
	if (json_type(call) == JSON_OBJECT)
		return read_call(r, call, proof);
	if (json_type(result) == JSON_OBJECT)
		return read_result(r, result);
	if (json_type(data) == JSON_OBJECT || json_type(file) == JSON_OBJECT)
		return read_media(r, NULL, data.p ? data : file, data.p != NULL);
	if (json_field(part, STR("executableCode")).p || json_field(part, STR("codeExecutionResult")).p) {
		chat_add_extra(r->c, "contents.executableCode", true, object);
		return true;
	}
	return wrong(r, "", "must hold text, inlineData, fileData, functionCall or functionResponse");
}

/* --- turns --- */

static bool read_turn(struct reading *r, struct str content, enum chat_role role)
{
	struct json_cursor c;
	if (!r->m || r->m->role != role) {
		settle(r);
		r->m = chat_add_message(r->c, role);
	} else if (role != CHAT_ASSISTANT) {
		settle(r);
	}
	r->part = 0;
	if (!json_cursor_open(&c, json_get(content, STR("parts"))))
		return json_type(content) == JSON_OBJECT || wrong(r, "", "must stand in an object with parts");
	for (; json_cursor_next(&c); r->part++) {
		if (role != CHAT_ASSISTANT)
			settle(r);
		if (!read_part(r, c.value))
			return false;
	}
	return true;
}

static bool read_contents(struct reading *r, struct str object)
{
	struct json_fields f, *body = &f;
	json_fields_open(body, object);
	struct str system = json_field_either(body, "systemInstruction", "system_instruction");
	struct json_cursor c;
	if (json_type(system) == JSON_OBJECT && !read_turn(r, system, CHAT_SYSTEM)) {
		r->fault->field = STR("systemInstruction");
		return false;
	}
	if (!json_cursor_open(&c, json_field(body, STR("contents"))))
		return true;
	for (; json_cursor_next(&c); r->content++) {
		struct str role = json_get(c.value, STR("role"));
		bool model = json_is(role, STR("model"));
		if (role.p && !model && !json_is(role, STR("user")) && !json_is(role, STR("function"))) {
			r->fault->field = arena_printf(r->c->arena, "contents[%u].role", r->content);
			r->fault->message = STR("must be user or model");
			return false;
		}
		if (!read_turn(r, c.value, model ? CHAT_ASSISTANT : CHAT_USER))
			return false;
	}
	return true;
}

bool gemini_read_request(struct str body, struct chat *c, struct chat_fault *fault)
{
	struct reading r = { .c = c, .fault = fault, .text = BUF_INIT(TEXT_MOST), .waiting = STR_MAP_INIT(c->arena),
			     .answered = STR_MAP_INIT(c->arena) };
	body = json_whole(body);
	c->stream_usage = true;
	gemini_read_settings(body, c);
	bool good = read_contents(&r, body);
	settle(&r);
	good &= !r.text.failed;
	buf_free(&r.text);
	return good;
}
