/*
 * claude_thought.c: budgets to think with, and what has to go beside them.
 */
#include "dialects/claude_thought.h"

#include <stdlib.h>

#include "dialects/spelled.h"
#include "wire/json_cursor.h"

enum { MAX_TOKENS = 4096, THOUGHT_LEAST = 1024 };

static int64_t number(struct str json, int64_t otherwise)
{
	int64_t n;
	return json_int(json, &n) && n > 0 ? n : otherwise;
}

struct claude_thought claude_thought(const struct chat *c, int64_t max_output, struct chat_loss *loss)
{
	struct claude_thought t = { .said = json_type(c->max_tokens) == JSON_NUMBER };
	t.max_tokens = number(c->max_tokens, max_output > 0 ? max_output : MAX_TOKENS);
	t.tokens = number(c->reasoning_tokens, c->effort == EFFORT_UNSAID ? 0 : effort_tokens(c->effort));
	if (t.tokens && t.tokens < THOUGHT_LEAST)
		t.tokens = THOUGHT_LEAST;
	if (!t.tokens || t.tokens < t.max_tokens)
		return t;
	if (!t.said) {
		t.max_tokens = t.tokens + MAX_TOKENS;
	} else if (t.max_tokens > THOUGHT_LEAST) {
		t.tokens = t.max_tokens - 1;
	} else {
		t.tokens = 0;	/* no room to think in */
		chat_drop_hint(loss, c->reasoning_field ? c->reasoning_field : "reasoning");
	}
	return t;
}

enum tool_choice claude_choice(const struct chat *c, bool thinks, struct chat_loss *loss)
{
	if (!thinks || (c->choice != TOOLS_REQUIRED && c->choice != TOOLS_NAMED))
		return c->choice;
	chat_drop_hint(loss, "tool_choice");
	return TOOLS_AUTO;
}

struct str claude_temperature(const struct chat *c, bool thinks, struct chat_loss *loss)
{
	struct str t = c->temperature;
	if (!t.p)
		return STR_NONE;
	if (thinks) {
		chat_drop_hint(loss, "temperature");
		return STR_NONE;
	}
	/* theirs goes to 1, others' to 2 */
	return t.n < 32 && t.p[0] != '-' && atof(arena_copy(c->arena, t).p) > 1.0 ? STR("1") : t;
}

struct str claude_top_p(const struct chat *c, bool thinks, struct chat_loss *loss)
{
	if (!c->top_p.p || !(thinks || c->temperature.p))
		return c->top_p;
	chat_drop_hint(loss, "top_p");
	return STR_NONE;
}

struct str claude_top_k(const struct chat *c, bool thinks, struct chat_loss *loss)
{
	if (!c->top_k.p || !thinks)
		return c->top_k;
	chat_drop_hint(loss, "top_k");
	return STR_NONE;
}
