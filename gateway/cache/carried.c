/*
 * carried.c: which members of an answer or an event the readers of its format carry. Any other, unless it is blank, would be lost.
 *
 * Probabilities are not: a stream tells them piece by piece.
 */
#include "cache/cached.h"
#include "core/endpoint.h"
#include "wire/json_cursor.h"

enum { BELOW_MOST = 4 };

/* An object, or each object of a list. */
struct shape {
	const char *members;		/* that it may have; NULL: any */
	const char *types;		/* that `type` may be, where it is said; NULL: any */
	struct { const char *name; const struct shape *shape; } below[BELOW_MOST];	/* of some, what they may be */
};

static const struct shape plain_text;	/* neither an object nor a list */

/* --- chat, completions --- */

static const struct shape tool_call = { .members = "index id type function extra_content", .types = "function" };
static const struct shape message = {
	.members = "role content refusal tool_calls reasoning reasoning_content reasoning_details annotations obfuscation",
	.below = { { "content", &plain_text }, { "tool_calls", &tool_call } }
};
static const struct shape choice = {
	.members = "index message delta text finish_reason native_finish_reason stop_reason",
	.below = { { "message", &message }, { "delta", &message } }
};
static const struct shape chat = {
	.members = "id object created model choices usage system_fingerprint service_tier provider x_groq obfuscation",
	.below = { { "choices", &choice } }
};

/* --- Messages --- */

static const struct shape block = {
	.members = "type text thinking signature data id name input", .types = "text thinking redacted_thinking tool_use"
};
static const struct shape delta = { .types = "text_delta thinking_delta signature_delta input_json_delta" };
static const struct shape begun = { .members = "id type role model content stop_reason stop_sequence usage", .below = { { "content", &block } } };
static const struct shape messages = {
	.members = "id type role model content stop_reason stop_sequence usage message index content_block delta",
	.below = { { "content", &block }, { "message", &begun }, { "content_block", &block }, { "delta", &delta } }
};

/* --- generateContent --- */

static const struct shape part = { .members = "text thought thoughtSignature functionCall" };
static const struct shape content = { .members = "parts role", .below = { { "parts", &part } } };
static const struct shape candidate = { .members = "content finishReason index", .below = { { "content", &content } } };
static const struct shape google = {
	.members = "candidates usageMetadata modelVersion responseId createTime", .below = { { "candidates", &candidate } }
};

/* --- Responses --- */

static const struct shape content_part = { .types = "output_text refusal summary_text reasoning_text" };
static const struct shape item = { .types = "message reasoning function_call", .below = { { "content", &content_part } } };
static const struct shape responses = { .below = { { "output", &item } } };

/* --- looking --- */

static bool is_blank(struct str value)
{
	enum json_type type = json_type(value);
	return type == JSON_NONE || type == JSON_NULL || type == JSON_FALSE || ((type == JSON_ARRAY || type == JSON_OBJECT) && !json_first(value)) ||
	       (type == JSON_STRING && value.n == 2);
}

static const struct shape *shape_below(const struct shape *s, struct str name)
{
	for (size_t i = 0; i < BELOW_MOST && s->below[i].name; i++)
		if (str_eq(name, str_c(s->below[i].name)))
			return s->below[i].shape;
	return NULL;
}

static bool carried(struct str value, const struct shape *s);

static bool member_carried(struct str name, struct str value, const struct shape *s)
{
	const struct shape *below = shape_below(s, name);
	if (is_blank(value))
		return true;
	if ((s->members && !str_among(name, s->members)) || (s->types && str_eq(name, STR("type")) && !str_among(json_raw(value), s->types)))
		return false;
	return !below || carried(value, below);
}

/* As deep as the shapes are. */
static bool carried(struct str value, const struct shape *s)
{
	struct json_cursor c;
	bool list = json_type(value) == JSON_ARRAY, good = true;
	if (!list && json_type(value) != JSON_OBJECT)
		return s == &plain_text || is_blank(value);
	if (s == &plain_text || !json_cursor_open(&c, value))
		return false;
	while (good && json_cursor_next(&c))
		good = list ? json_type(c.value) != JSON_ARRAY && carried(c.value, s) : member_carried(c.key, c.value, s);
	return good;
}

bool cache_carries(const struct endpoint *e, struct str root)
{
	static const struct { const char *endpoint; const struct shape *shape; } all[] = {
		{ "chat", &chat }, { "completions", &chat }, { "messages", &messages }, { "generate_content", &google }, { "responses", &responses },
	};
	for (size_t i = 0; i < array_len(all); i++)
		if (str_eq(str_c(e->name), str_c(all[i].endpoint)))
			return carried(root, all[i].shape);
	return false;
}
