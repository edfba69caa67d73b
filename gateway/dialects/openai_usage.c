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

static int64_t tokens(struct str value, bool *nonsense)
{
	int64_t n = 0;
	bool good = json_int(value, &n) && n >= 0 && n <= USAGE_TOKENS_MAX;
	*nonsense |= value.p && !good && json_type(value) != JSON_NULL;
	return good ? n : 0;
}

int64_t usage_count(struct json_fields *of, const char *key, bool *nonsense)
{
	return tokens(json_field(of, str_c(key)), nonsense);
}

/* The members that vendors use, read in one pass. */
enum member {
	PROMPT_TOKENS, INPUT_TOKENS, COMPLETION_TOKENS, OUTPUT_TOKENS, TOTAL_TOKENS,
	CACHE_HIT, CACHED, NUM_CACHED, CACHE_WRITE, AUDIO, IMAGES, REASONING, TICKS,
	COUNTS,				/* the above are numbers */
	PROMPT_DETAILS = COUNTS, INPUT_DETAILS, COMPLETION_DETAILS, OUTPUT_DETAILS, COST,
	MEMBERS
};

static const struct str names[MEMBERS] = {
	STR_INIT("prompt_tokens"), STR_INIT("input_tokens"), STR_INIT("completion_tokens"), STR_INIT("output_tokens"),
	STR_INIT("total_tokens"), STR_INIT("prompt_cache_hit_tokens"), STR_INIT("cached_tokens"), STR_INIT("num_cached_tokens"), STR_INIT("cache_write_tokens"),
	STR_INIT("audio_tokens"), STR_INIT("image_tokens"), STR_INIT("reasoning_tokens"), STR_INIT("cost_in_usd_ticks"),
	STR_INIT("prompt_tokens_details"), STR_INIT("input_tokens_details"), STR_INIT("completion_tokens_details"),
	STR_INIT("output_tokens_details"), STR_INIT("cost"),
};

struct members {
	int64_t n[COUNTS];		/* 0 where absent or no count */
	struct str span[MEMBERS - COUNTS];
	bool nonsense;			/* one of the totals is said, but is no count: negative, huge, a text, a fraction */
};

static void read_count(struct members *m, enum member i, struct str value)
{
	bool nonsense = false;
	m->n[i] = tokens(value, &nonsense);
	m->nonsense |= nonsense && i <= TOTAL_TOKENS;
}

static void read_members(struct str object, struct members *m)
{
	struct json_cursor c;
	*m = (struct members){ .nonsense = false };
	if (!json_cursor_open(&c, object))
		return;
	while (json_cursor_next(&c)) {
		for (enum member i = 0; i < MEMBERS; i++) {
			if (!str_eq(c.key, names[i]))
				continue;
			if (i < COUNTS)
				read_count(m, i, c.value);
			else
				m->span[i - COUNTS] = c.value;
			break;
		}
	}
}

static int64_t either(int64_t a, int64_t b)
{
	return a ? a : b;
}

static struct str details_of(const struct members *m, enum member a, enum member b)
{
	return m->span[a - COUNTS].p ? m->span[a - COUNTS] : m->span[b - COUNTS];
}

static void read_input(const struct members *m, struct usage *u)
{
	struct members unset details;
	read_members(details_of(m, PROMPT_DETAILS, INPUT_DETAILS), &details);
	u->input = either(m->n[PROMPT_TOKENS], m->n[INPUT_TOKENS]);
	u->cached = either(either(details.n[CACHED], m->n[CACHE_HIT]), either(m->n[CACHED], m->n[NUM_CACHED]));
	u->cache_write = details.n[CACHE_WRITE];
	u->audio_input = details.n[AUDIO];
	u->image_input = details.n[IMAGES];
}

/* Where the total left it out, too, it is added there. */
static void add_reasoning(struct usage *u)
{
	u->output += u->reasoning;
	if (u->total && u->total < u->input + u->output)
		u->total = u->input + u->output;
}

static void read_output(const struct members *m, unsigned quirks, struct usage *u)
{
	struct members unset details;
	read_members(details_of(m, COMPLETION_DETAILS, OUTPUT_DETAILS), &details);
	u->output = either(m->n[COMPLETION_TOKENS], m->n[OUTPUT_TOKENS]);
	u->reasoning = details.n[REASONING];
	u->audio_output = details.n[AUDIO];
	bool beside = u->reasoning > u->output || (u->total > 0 && u->reasoning > 0 &&
						   u->total == u->input + u->output + u->reasoning);
	if (beside || ((quirks & QUIRK_COMPLETION_EXCLUDES_REASONING) && u->total != u->input + u->output))
		add_reasoning(u);
}

/* What the provider charged, where it says so: OpenRouter, Vercel, Perplexity; xAI in ten-thousand-millionths. */
static void read_cost(const struct members *m, struct usage *u)
{
	struct str cost = m->span[COST - COUNTS];
	if (json_type(cost) == JSON_OBJECT)
		cost = json_get(cost, STR("total_cost"));
	if (json_type(cost) == JSON_NUMBER && money_parse_json(cost, &u->cost))
		return;
	u->cost = (m->n[TICKS] + 9) / 10;
}

/* More read from the cache than was sent: the whole counts as not cached, and that is our own word. */
static void drop_contradiction(struct usage *u)
{
	if (u->cached + u->cache_write <= u->input)
		return;
	u->cached = u->cache_write = 0;
	u->estimated = true;
}

bool openai_usage(struct str object, unsigned quirks, struct usage *out)
{
	struct usage u = { 0 };
	struct members unset m;
	if (json_type(object) != JSON_OBJECT)
		return false;
	read_members(object, &m);
	u.total = m.n[TOTAL_TOKENS];
	read_input(&m, &u);
	read_output(&m, quirks, &u);
	if (!u.input && !u.output && u.total)
		u.input = u.total;	/* Voyage and others report a total alone */
	if (!u.total)
		u.total = u.input + u.output;
	read_cost(&m, &u);
	u.known = u.input || u.output || u.total;
	u.doubtful = m.nonsense || u.reasoning > u.output || u.total < u.output;
	drop_contradiction(&u);
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
struct str openai_last_usage(struct str body)
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
	bool found = openai_usage(openai_last_usage(body), quirks, out);
	if (found)
		openai_service(body, out);
	return found;
}
