/*
 * openai_usage.c: tokens as OpenAI's formats, and those who copy them, report them.
 *
 * Chat says prompt and completion, Responses and images say input and output. Details are
 * nested differently by vendor: DeepSeek has prompt_cache_hit_tokens, Moonshot cached_tokens at
 * the top, xAI counts reasoning beside completion (total = prompt + completion + reasoning).
 */
#include "dialects/openai_usage.h"

#include "core/money.h"
#include "core/target.h"
#include "wire/json_cursor.h"

/* No answer has more; what claims so is not counted, and no sum runs over. */
static const int64_t TOKENS_MAX = INT64_C(1) << 40;

static int64_t count(struct str object, struct str key)
{
	int64_t n = json_count(object, key);
	return n <= TOKENS_MAX ? n : 0;
}

/* Said, but no count: negative, huge, a text, a fraction. */
static bool is_nonsense(struct str object, struct str key)
{
	struct str v = json_get(object, key);
	int64_t n;
	return v.p && json_type(v) != JSON_NULL && !(json_int(v, &n) && n >= 0 && n <= TOKENS_MAX);
}

static bool is_doubtful(struct str object, const struct usage *u)
{
	static const struct str keys[] = { STR_INIT("prompt_tokens"), STR_INIT("input_tokens"), STR_INIT("completion_tokens"),
					   STR_INIT("output_tokens"), STR_INIT("total_tokens") };
	for (size_t i = 0; i < array_len(keys); i++)
		if (is_nonsense(object, keys[i]))
			return true;
	return u->cached + u->cache_write > u->input || u->reasoning > u->output || u->total < u->output;
}

static int64_t either(struct str object, struct str a, struct str b)
{
	int64_t n = count(object, a);
	return n ? n : count(object, b);
}

static struct str either_value(struct str object, struct str a, struct str b)
{
	struct str v = json_get(object, a);
	return v.p ? v : json_get(object, b);
}

static void read_input(struct str object, struct usage *u)
{
	struct str details = either_value(object, STR("prompt_tokens_details"), STR("input_tokens_details"));
	u->input = either(object, STR("prompt_tokens"), STR("input_tokens"));
	u->cached = count(details, STR("cached_tokens"));
	if (!u->cached)
		u->cached = either(object, STR("prompt_cache_hit_tokens"), STR("cached_tokens"));
	u->cache_write = count(details, STR("cache_write_tokens"));
	u->audio_input = count(details, STR("audio_tokens"));
	u->image_input = count(details, STR("image_tokens"));
}

/* Where the total left it out, too, it is added there. */
static void add_reasoning(struct usage *u)
{
	u->output += u->reasoning;
	if (u->total && u->total < u->input + u->output)
		u->total = u->input + u->output;
}

static void read_output(struct str object, unsigned quirks, struct usage *u)
{
	struct str details = either_value(object, STR("completion_tokens_details"), STR("output_tokens_details"));
	u->output = either(object, STR("completion_tokens"), STR("output_tokens"));
	u->reasoning = count(details, STR("reasoning_tokens"));
	u->audio_output = count(details, STR("audio_tokens"));
	bool beside = u->reasoning > u->output || (u->total > 0 && u->reasoning > 0 && u->total == u->input + u->output + u->reasoning);
	if (beside || ((quirks & QUIRK_COMPLETION_EXCLUDES_REASONING) && u->total != u->input + u->output))
		add_reasoning(u);
}

/* What the provider charged, where it says so: OpenRouter, Vercel, Perplexity; xAI in ten-thousand-millionths. */
static void read_cost(struct str object, struct usage *u)
{
	struct str cost = json_get(object, STR("cost"));
	if (json_type(cost) == JSON_OBJECT)
		cost = json_get(cost, STR("total_cost"));
	if (json_type(cost) == JSON_NUMBER && money_parse_json(cost, &u->cost))
		return;
	u->cost = (json_count(object, STR("cost_in_usd_ticks")) + 9) / 10;
	u->cost = u->cost < MONEY_MAX ? u->cost : 0;
}

bool openai_usage(struct str object, unsigned quirks, struct usage *out)
{
	struct usage u = { 0 };
	if (json_type(object) != JSON_OBJECT)
		return false;
	u.total = count(object, STR("total_tokens"));
	read_input(object, &u);
	read_output(object, quirks, &u);
	if (!u.input && !u.output && u.total)
		u.input = u.total;	/* Voyage and others report a total alone */
	if (!u.total)
		u.total = u.input + u.output;
	read_cost(object, &u);
	u.known = u.input || u.output || u.total;
	u.doubtful = is_doubtful(object, &u);
	if (u.known)
		*out = u;
	return u.known;
}

void openai_service(struct str body, struct usage *u)
{
	static const struct { struct str word; enum service_tier tier; } words[] = {
		{ STR_INIT("default"), SERVICE_STANDARD }, { STR_INIT("standard"), SERVICE_STANDARD },
		{ STR_INIT("on_demand"), SERVICE_STANDARD }, { STR_INIT("flex"), SERVICE_FLEX },
		{ STR_INIT("priority"), SERVICE_PRIORITY }, { STR_INIT("batch"), SERVICE_BATCH },
	};
	static const struct str key = STR_INIT("\"service_tier\"");
	ptrdiff_t at = str_find(body, key);
	struct str rest = at < 0 ? STR_NONE : str_trim(str_skip(body, (size_t)at + key.n));
	struct str value = str_starts(rest, STR(":")) ? json_raw(json_value(str_skip(rest, 1))) : STR_NONE;
	for (size_t i = 0; i < array_len(words); i++)
		if (str_eq(words[i].word, value))
			u->service = (uint8_t)words[i].tier;
}

/* Last place of "usage" as a key: followed by a colon. */
static struct str last_usage(struct str body)
{
	static const char key[] = "\"usage\"";
	size_t n = sizeof(key) - 1;
	for (size_t at = body.n < n ? 0 : body.n - n + 1; at-- > 0;) {
		const char *quote = memrchr(body.p, '"', at + 1);
		if (!quote)
			break;
		at = (size_t)(quote - body.p);
		if (memcmp(quote, key, n) != 0)
			continue;
		struct str rest = str_skip(body, at + n);
		while (rest.n && (rest.p[0] == ' ' || rest.p[0] == '\n' || rest.p[0] == '\r' || rest.p[0] == '\t'))
			rest = str_skip(rest, 1);
		struct str value = str_starts(rest, STR(":")) ? json_value(str_skip(rest, 1)) : STR_NONE;
		if (json_type(value) == JSON_OBJECT)
			return value;
	}
	return STR_NONE;
}

bool openai_find_usage(struct str body, unsigned quirks, struct usage *out)
{
	bool found = openai_usage(last_usage(body), quirks, out);
	if (found)
		openai_service(body, out);
	return found;
}
