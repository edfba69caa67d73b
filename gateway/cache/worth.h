/*
 * worth.h: is an answer a whole and good one? It is read as its dialect says it.
 */
#ifndef WEIR_CACHE_WORTH_H
#define WEIR_CACHE_WORTH_H

#include "core/txn.h"

/*
 * `stream`: how it was said. `tools`: answers with tool calls are wanted, too. `limited`: the caller set a limit of tokens, so
 * an answer that ends there is what was asked for.
 */
struct worth {
	const struct endpoint *endpoint;
	bool stream, tools, limited;
};

/* Every choice ended by a word that is known for success: whatever else it says is none. */
bool worth_keeping(const struct worth *w, struct str body);

#endif
