/*
 * gemini_write.c: a generateContent request for a target (python-genai's types, read 2026-08).
 *
 * Roles are user and model, and alternate. A function's response is an object, and belongs to its call by name and
 * order. Gemini 3 wants the signature of a call back; history of other models carries Google's own placeholder for it.
 */
#include "dialects/gemini_parts.h"

#include "dialects/spelled.h"
#include "wire/json_cursor.h"

enum { STOPS_MOST = 5, PRO_LEAST = 128 };

/* Fields of Google's that a caller of any format may add to its own. */
static const char *const own_words[] = { "safetySettings", "cachedContent", NULL };

struct writing {
	struct json_write w;
	struct chat *c;
	const struct chat_target *t;
	struct chat_loss *loss;
};

static bool thinks_in_levels(const struct chat_target *t)
{
	return str_starts(t->model, STR("gemini-3"));
}

/* --- the path --- */

void gemini_write_path(const struct chat_target *t, bool stream, struct buf *out)
{
	buf_add(out, str_starts(t->model, STR("models/")) || str_starts(t->model, STR("tunedModels/")) ? STR("/") : STR("/models/"));
	spelled_path(out, t->model);
	buf_add(out, stream ? STR(":streamGenerateContent?alt=sse") : STR(":generateContent"));
}

/* --- parts --- */

static void write_text(struct writing *x, struct str text, struct str signature)
{
	json_write_object(&x->w);
	json_member_escaped(&x->w, "text", text);
	if (signature.n)
		json_member_escaped(&x->w, "thoughtSignature", signature);
	json_write_object_end(&x->w);
}

/* Addresses that Google itself can read. */
static bool google_reads(struct str url)
{
	return str_starts(url, STR("gs://")) || str_starts(url, STR("https://generativelanguage.googleapis.com/")) ||
	       str_starts(url, STR("https://www.youtube.com/")) || str_starts(url, STR("https://youtu.be/"));
}

bool gemini_reads_address(enum part_kind kind, struct str url)
{
	(void)kind;
	return google_reads(url);
}

static void write_media(struct writing *x, const struct part *p)
{
	static const char *const fields[] = { [PART_IMAGE] = "messages.image", [PART_AUDIO] = "messages.audio", [PART_FILE] = "messages.file" };
	static const char *const types[] = { [PART_IMAGE] = "image/png", [PART_AUDIO] = "audio/wav", [PART_FILE] = "application/pdf" };
	const struct media *m = p->media;
	struct str type = m->type.n ? m->type : str_c(types[p->kind]);
	if (m->detail.n && !str_eq(m->detail, STR("auto")))
		chat_drop_hint(x->loss, "detail");
	if (m->text.n) {
		write_text(x, m->text, STR_NONE);
		return;
	}
	if (!m->data.n && !google_reads(m->url)) {
		chat_drop_meaning(x->loss, fields[p->kind], "must hold its bytes: the target reads no addresses of others");
		return;
	}
	json_write_object(&x->w);
	json_member_object(&x->w, m->data.n ? "inlineData" : "fileData");
	json_member_string(&x->w, "mimeType", type);
	json_member_escaped(&x->w, m->data.n ? "data" : "fileUri", m->data.n ? m->data : m->url);
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_call(struct writing *x, const struct part *p, bool first)
{
	bool own = str_eq(p->signer, STR(SIGNED_GOOGLE)) && p->signature.n;
	json_write_object(&x->w);
	json_member_object(&x->w, "functionCall");
	json_member_escaped(&x->w, "name", p->name);
	json_member_raw(&x->w, "args", p->json);
	json_write_object_end(&x->w);
	if (own)
		json_member_escaped(&x->w, "thoughtSignature", p->signature);
	else if (first && thinks_in_levels(x->t))
		json_member_string(&x->w, "thoughtSignature", STR("skip_thought_signature_validator"));
	json_write_object_end(&x->w);
}

/* An object as it is; anything else becomes the one member of one. */
static void write_response(struct writing *x, const struct part *p)
{
	struct str text = spelled_text(x->c->arena, p->content, "\\n");
	struct str object = str_starts(text, STR("{")) && !p->failed ? spelled_arguments(x->c->arena, text) : STR_NONE;
	json_write_key(&x->w, STR("response"));
	if (object.n && !str_starts(object, STR("{\"_raw\""))) {
		json_write_raw(&x->w, object);
		return;
	}
	json_write_object(&x->w);
	json_member_escaped(&x->w, p->failed ? "error" : "result", text);
	json_write_object_end(&x->w);
}

static void write_result(struct writing *x, const struct part *p)
{
	json_write_object(&x->w);
	json_member_object(&x->w, "functionResponse");
	json_member_escaped(&x->w, "name", p->name.n ? p->name : STR("unknown"));
	write_response(x, p);
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
	for (const struct part *q = p->content; q; q = q->next)
		if (q->media)
			write_media(x, q);
}

static void write_thought(struct writing *x, const struct part *p)
{
	if (!str_eq(p->signer, STR(SIGNED_GOOGLE)) || str_empty(p->signature))
		return;
	if (str_empty(p->text)) {
		write_text(x, STR(""), p->signature);
		return;
	}
	json_write_object(&x->w);
	json_member_escaped(&x->w, "text", p->text);
	json_member_bool(&x->w, "thought", true);
	json_member_escaped(&x->w, "thoughtSignature", p->signature);
	json_write_object_end(&x->w);
}

static bool is_written(const struct part *p)
{
	if (p->kind == PART_TEXT || p->kind == PART_REFUSAL)
		return p->text.n > 0;
	return p->kind != PART_REASONING || (str_eq(p->signer, STR(SIGNED_GOOGLE)) && p->signature.n);
}

static void write_part(struct writing *x, const struct part *p, bool first_call)
{
	switch (p->kind) {
	case PART_TEXT:
	case PART_REFUSAL:
		write_text(x, p->text, str_eq(p->signer, STR(SIGNED_GOOGLE)) ? p->signature : STR_NONE);
		break;
	case PART_TOOL_CALL:	write_call(x, p, first_call); break;
	case PART_TOOL_RESULT:	write_result(x, p); break;
	case PART_REASONING:	write_thought(x, p); break;
	default:		write_media(x, p); break;
	}
}

/* --- turns --- */

static void write_turn(struct writing *x, const struct message *m)
{
	bool any = false, call = false;
	for (const struct part *p = m->parts; p; p = p->next)
		any |= is_written(p);
	if (!any)
		return;
	json_write_object(&x->w);
	json_member_string(&x->w, "role", m->role == CHAT_ASSISTANT ? STR("model") : STR("user"));
	json_member_array(&x->w, "parts");
	for (const struct part *p = m->parts; p; p = p->next) {
		if (!is_written(p))
			continue;
		write_part(x, p, !call);
		call |= p->kind == PART_TOOL_CALL;
	}
	json_write_array_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_system(struct writing *x, const struct message *m)
{
	bool any = false;
	for (; m; m = m->next)
		for (const struct part *p = m->parts; p; p = p->next) {
			if (p->kind != PART_TEXT || str_empty(p->text))
				continue;
			if (!any) {
				json_member_object(&x->w, "systemInstruction");
				json_member_array(&x->w, "parts");
			}
			any = true;
			write_text(x, p->text, STR_NONE);
		}
	if (!any)
		return;
	json_write_array_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_contents(struct writing *x)
{
	chat_name_results(x->c);
	write_system(x, chat_take_system(x->c));
	spelled_wrap_system(x->c);
	chat_join_turns(x->c);
	json_member_array(&x->w, "contents");
	for (const struct message *m = x->c->messages; m; m = m->next)
		write_turn(x, m);
	json_write_array_end(&x->w);
}

/* --- tools --- */

static void write_declaration(struct writing *x, const struct tool *t)
{
	json_write_object(&x->w);
	json_member_escaped(&x->w, "name", t->name);
	if (t->strict > 0)
		chat_drop_hint(x->loss, "strict");
	if (t->description.n)
		json_member_escaped(&x->w, "description", t->description);
	if (json_type(t->json) == JSON_OBJECT && json_first(t->json))
		json_member_raw(&x->w, "parametersJsonSchema", t->json);
	json_write_object_end(&x->w);
}

static void write_choice(struct writing *x)
{
	static const char *const modes[] = { [TOOLS_AUTO] = "AUTO", [TOOLS_NONE] = "NONE", [TOOLS_REQUIRED] = "ANY", [TOOLS_NAMED] = "ANY" };
	const struct chat *c = x->c;
	if (c->parallel == 0)
		chat_drop_hint(x->loss, "parallel_tool_calls");
	if (c->choice == TOOLS_UNSAID)
		return;
	json_member_object(&x->w, "toolConfig");
	json_member_object(&x->w, "functionCallingConfig");
	json_member_string(&x->w, "mode", str_c(modes[c->choice]));
	if (c->choice == TOOLS_NAMED) {
		json_member_array(&x->w, "allowedFunctionNames");
		json_write_escaped(&x->w, c->choice_name);
		json_write_array_end(&x->w);
	}
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

static void write_tools(struct writing *x)
{
	if (!x->c->tools)
		return;
	json_member_array(&x->w, "tools");
	json_write_object(&x->w);
	json_member_array(&x->w, "functionDeclarations");
	for (const struct tool *t = x->c->tools; t; t = t->next)
		write_declaration(x, t);
	json_write_array_end(&x->w);
	json_write_object_end(&x->w);
	json_write_array_end(&x->w);
	write_choice(x);
}

/* --- how to answer --- */

static void write_stops(struct writing *x)
{
	struct json_cursor c;
	unsigned n = 0;
	if (!x->c->stop.p || !json_cursor_open(&c, x->c->stop))
		return;
	json_member_array(&x->w, "stopSequences");
	while (json_cursor_next(&c))
		if (n++ < STOPS_MOST)
			json_write_raw(&x->w, c.value);
	json_write_array_end(&x->w);
	if (n > STOPS_MOST)
		chat_drop_hint(x->loss, "stop");
}

static void write_thinking(struct writing *x)
{
	static const char *const levels[] = { [EFFORT_NONE] = "MINIMAL", [EFFORT_MINIMAL] = "MINIMAL", [EFFORT_LOW] = "LOW", [EFFORT_MEDIUM] = "MEDIUM",
					      [EFFORT_HIGH] = "HIGH", [EFFORT_MOST] = "HIGH" };
	enum reasoning_effort e = x->c->effort;
	int64_t budget;
	bool said = json_int(x->c->reasoning_tokens, &budget) && budget >= 0;
	if (e == EFFORT_UNSAID && !said)
		return;
	if (!said)
		budget = effort_tokens(e);
	if (e == EFFORT_UNSAID)
		e = effort_of_tokens(budget);
	json_member_object(&x->w, "thinkingConfig");
	bool pro = str_has(x->t->model, STR("pro"));	/* it always thinks */
	if (thinks_in_levels(x->t))
		json_member_string(&x->w, "thinkingLevel", pro && e <= EFFORT_MINIMAL ? STR("LOW") : str_c(levels[e]));
	else
		json_member_int(&x->w, "thinkingBudget", pro && budget < PRO_LEAST ? PRO_LEAST : budget);
	json_member_bool(&x->w, "includeThoughts", e != EFFORT_NONE);
	json_write_object_end(&x->w);
}

static void write_format(struct writing *x)
{
	const struct chat *c = x->c;
	if (c->format != FORMAT_JSON && c->format != FORMAT_SCHEMA)
		return;
	json_member_string(&x->w, "responseMimeType", STR("application/json"));
	if (c->format == FORMAT_SCHEMA && c->schema.p)
		json_member_raw(&x->w, "responseJsonSchema", c->schema);
}

static void write_generation(struct writing *x)
{
	const struct chat *c = x->c;
	const struct { const char *key; struct str json; } members[] = {
		{ "temperature", c->temperature }, { "topP", c->top_p }, { "topK", c->top_k }, { "candidateCount", c->n },
		{ "maxOutputTokens", c->max_tokens }, { "seed", c->seed }, { "presencePenalty", c->presence_penalty },
		{ "frequencyPenalty", c->frequency_penalty }, { "responseLogprobs", c->logprobs }, { "logprobs", c->top_logprobs },
	};
	json_member_object(&x->w, "generationConfig");
	for (size_t i = 0; i < array_len(members); i++)
		if (members[i].json.p)
			json_member_raw(&x->w, members[i].key, members[i].json);
	write_stops(x);
	write_format(x);
	write_thinking(x);
	json_write_object_end(&x->w);
}

static void tell_losses(struct writing *x)
{
	const struct chat *c = x->c;
	const struct chat_hint hints[] = {
		{ "user", c->user.n }, { "verbosity", c->verbosity.n }, { "metadata", c->metadata.p },
		{ "service_tier", c->service_tier.n && !str_eq(c->service_tier, STR("auto")) }, { "response_format.description", c->schema_description.n },
	};
	chat_drop_hints(hints, array_len(hints), x->loss);
	chat_drop_names(c, x->loss);
	chat_drop_citations(c, x->loss);
	chat_drop_cache(c, false, x->loss);
	chat_drop_extras(c, x->loss, own_words);
}

bool gemini_write_request(struct chat *c, const struct chat_target *t, struct buf *out, struct chat_loss *loss)
{
	struct writing x = { .c = c, .t = t, .loss = loss };
	json_write_init(&x.w, out);
	json_write_object(&x.w);
	write_contents(&x);
	write_tools(&x);
	write_generation(&x);
	spelled_write_extras(&x.w, c, own_words);
	tell_losses(&x);
	json_write_object_end(&x.w);
	return json_write_end(&x.w);
}
