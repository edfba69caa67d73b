/*
 * claude_thought.h: what thinking costs a request to Claude, wherever it runs (extended thinking, read 2026-11).
 *
 * A budget has a least size and lies below max_tokens; who thinks takes no temperature, top_p or top_k, and cannot be forced
 * to call a tool.
 */
#ifndef WEIR_DIALECTS_CLAUDE_THOUGHT_H
#define WEIR_DIALECTS_CLAUDE_THOUGHT_H

#include "core/chat.h"

struct claude_thought {
	int64_t tokens;		/* to think with; 0: it does not */
	int64_t max_tokens;	/* of the whole answer, as Messages has to be told */
	bool said;		/* the caller told max_tokens */
};

/* `max_output`: the model's ceiling, where the caller gives none; 0: unknown. Where there is no room to think the wish is told as lost. */
struct claude_thought claude_thought(const struct chat *c, int64_t max_output, struct chat_loss *loss);
/* The choice that can be asked for; a forced tool is told as lost. */
enum tool_choice claude_choice(const struct chat *c, bool thinks, struct chat_loss *loss);
/* The temperature that it takes, up to 1; STR_NONE: none. What is lost is told. */
struct str claude_temperature(const struct chat *c, bool thinks, struct chat_loss *loss);
/* The same of top_p (not beside a temperature) and top_k. */
struct str claude_top_p(const struct chat *c, bool thinks, struct chat_loss *loss);
struct str claude_top_k(const struct chat *c, bool thinks, struct chat_loss *loss);

#endif
