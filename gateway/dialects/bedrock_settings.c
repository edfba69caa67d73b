/*
 * bedrock_settings.c: of a Converse request tools, limits, formats, and what is lost (botocore's bedrock-runtime 2023-09-30, read 2026-08).
 *
 * What only one maker's models have goes into the fields that Converse passes on to the model: Claude's thinking and top_k,
 * Nova's reasoningConfig and topK, OpenAI's reasoning_effort. What callers say in Converse's own words goes with it.
 */
#include "dialects/bedrock_parts.h"

#include "dialects/claude_thought.h"
#include "dialects/spelled.h"
#include "wire/json_cursor.h"

/* Fields of Converse that a caller of any format may add to its own. */
static const char *const own_words[] = { "guardrailConfig", "performanceConfig", "requestMetadata", "additionalModelRequestFields", NULL };

static bool is_by(const struct bedrock_writing *x, const char *maker)
{
	return str_has(x->t->model, str_c(maker));
}

/* --- tools --- */

static void write_tool(struct bedrock_writing *x, const struct tool *t)
{
	json_write_object(&x->w);
	json_member_object(&x->w, "toolSpec");
	json_member_escaped(&x->w, "name", t->name);
	if (!spelled_blank(t->description))
		json_member_escaped(&x->w, "description", t->description);
	json_member_object(&x->w, "inputSchema");
	json_member_raw(&x->w, "json", json_type(t->json) == JSON_OBJECT ? t->json : STR("{\"type\":\"object\",\"properties\":{}}"));
	json_write_object_end(&x->w);
	if (t->strict > 0 && x->claude)
		json_member_bool(&x->w, "strict", true);
	else if (t->strict > 0)
		chat_drop_hint(x->loss, "strict");
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
	bedrock_write_cache_point(x, t->cache);
}

static void write_choice(struct bedrock_writing *x)
{
	enum tool_choice choice = claude_choice(x->c, x->thought, x->loss);
	if (choice == TOOLS_AUTO || choice == TOOLS_REQUIRED)
		json_member_raw(&x->w, "toolChoice", choice == TOOLS_AUTO ? STR("{\"auto\":{}}") : STR("{\"any\":{}}"));
	if (choice == TOOLS_NONE)	/* there is no word for it, and the conversation needs its tools */
		chat_drop_hint(x->loss, "tool_choice");
	if (choice != TOOLS_NAMED)
		return;
	json_member_object(&x->w, "toolChoice");
	json_member_object(&x->w, "tool");
	json_member_escaped(&x->w, "name", x->c->choice_name);
	json_write_object_end(&x->w);
	json_write_object_end(&x->w);
}

/* Under "none" they are left out, but not under a conversation that used them. */
static void write_tools(struct bedrock_writing *x)
{
	const struct chat *c = x->c;
	if (!c->tools || (c->choice == TOOLS_NONE && !x->has_calls))
		return;
	json_member_object(&x->w, "toolConfig");
	json_member_array(&x->w, "tools");
	for (const struct tool *t = c->tools; t; t = t->next)
		write_tool(x, t);
	json_write_array_end(&x->w);
	write_choice(x);
	json_write_object_end(&x->w);
	if (c->parallel == 0)
		chat_drop_hint(x->loss, "parallel_tool_calls");
}

/* --- limits and format --- */

static void write_inference(struct bedrock_writing *x)
{
	const struct chat *c = x->c;
	const struct { const char *key; struct str json; } members[] = {
		{ "maxTokens", c->max_tokens }, { "stopSequences", c->stop },
		{ "temperature", x->claude ? claude_temperature(c, x->thought, x->loss) : c->temperature },
		{ "topP", x->claude ? claude_top_p(c, x->thought, x->loss) : c->top_p },
	};
	json_member_object(&x->w, "inferenceConfig");
	for (size_t i = 0; i < array_len(members); i++)
		if (members[i].json.p)
			json_member_raw(&x->w, members[i].key, members[i].json);
	json_write_object_end(&x->w);
}

static void write_format(struct bedrock_writing *x)
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
	if (c->schema_description.n)
		json_member_escaped(&x->w, "description", c->schema_description);
	for (int i = 0; i < 4; i++)
		json_write_object_end(&x->w);
}

static void write_tier(struct bedrock_writing *x)
{
	struct str tier = x->c->service_tier;
	if (str_empty(tier) || str_eq(tier, STR("auto")))
		return;
	if (!str_eq(tier, STR("default")) && !str_eq(tier, STR("flex")) && !str_eq(tier, STR("priority"))) {
		chat_drop_hint(x->loss, "service_tier");
		return;
	}
	json_member_object(&x->w, "serviceTier");
	json_member_escaped(&x->w, "type", tier);
	json_write_object_end(&x->w);
}

/* --- of one maker's models --- */

static enum reasoning_effort wished(const struct chat *c)
{
	int64_t budget;
	if (c->effort == EFFORT_UNSAID && json_int(c->reasoning_tokens, &budget))
		return effort_of_tokens(budget);
	return c->effort;
}

/* Both know three words. */
static const char *plain_effort(enum reasoning_effort e)
{
	return e == EFFORT_MINIMAL || e == EFFORT_LOW ? "low" : e == EFFORT_MEDIUM ? "medium" : "high";
}

static void write_nova_effort(struct bedrock_writing *x, enum reasoning_effort effort)
{
	json_member_object(&x->w, "reasoningConfig");
	json_member_string(&x->w, "type", effort == EFFORT_NONE ? STR("disabled") : STR("enabled"));
	if (effort != EFFORT_NONE)
		json_member_string(&x->w, "maxReasoningEffort", str_c(plain_effort(effort)));
	json_write_object_end(&x->w);
}

static void write_effort(struct bedrock_writing *x)
{
	const struct chat *c = x->c;
	enum reasoning_effort effort = wished(c);
	if (x->thought) {
		json_member_object(&x->w, "thinking");
		json_member_string(&x->w, "type", STR("enabled"));
		json_member_int(&x->w, "budget_tokens", x->thought);
		json_write_object_end(&x->w);
	} else if (effort == EFFORT_UNSAID || x->claude) {
		return;
	} else if (is_by(x, "amazon.nova-2")) {
		write_nova_effort(x, effort);
	} else if (is_by(x, "openai.") && effort != EFFORT_NONE) {
		json_member_string(&x->w, "reasoning_effort", str_c(plain_effort(effort)));
	} else {
		chat_drop_hint(x->loss, c->reasoning_field ? c->reasoning_field : "reasoning");
	}
}

static void write_top_k(struct bedrock_writing *x)
{
	struct str k = x->claude ? claude_top_k(x->c, x->thought, x->loss) : x->c->top_k;
	if (!k.p)
		return;
	if (x->claude) {
		json_member_raw(&x->w, "top_k", k);
	} else if (is_by(x, "amazon.nova")) {
		json_member_object(&x->w, "inferenceConfig");
		json_member_raw(&x->w, "topK", k);
		json_write_object_end(&x->w);
	} else {
		chat_drop_hint(x->loss, "top_k");
	}
}

/* A caller that says them in Converse's words has said all there is to them. */
static void write_own_fields(struct bedrock_writing *x)
{
	struct buf *out = x->w.out;
	size_t before = out->n;
	if (chat_extra(x->c, "additionalModelRequestFields").p)
		return;
	json_member_object(&x->w, "additionalModelRequestFields");
	size_t empty = out->n;
	write_effort(x);
	write_top_k(x);
	json_write_object_end(&x->w);
	if (out->n == empty + 1)
		out->n = before;
}

static void tell_losses(struct bedrock_writing *x)
{
	const struct chat *c = x->c;
	const struct chat_hint hints[] = {
		{ "seed", c->seed.p }, { "presence_penalty", c->presence_penalty.p }, { "frequency_penalty", c->frequency_penalty.p },
		{ "verbosity", c->verbosity.n }, { "metadata", c->metadata.p }, { "user", c->user.n },
	};
	chat_drop_hints(hints, array_len(hints), x->loss);
	spelled_one_answer(c, x->loss);
	if (json_type(c->logprobs) == JSON_TRUE)
		chat_drop_meaning(x->loss, "logprobs", "cannot be had: the target's format has none");
	chat_drop_names(c, x->loss);
	chat_drop_extras(c, x->loss, own_words);
}

void bedrock_write_settings(struct bedrock_writing *x)
{
	write_tools(x);
	write_inference(x);
	write_format(x);
	write_tier(x);
	write_own_fields(x);
	spelled_write_extras(&x->w, x->c, own_words);
	tell_losses(x);
}
