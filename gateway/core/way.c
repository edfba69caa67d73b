/*
 * way.c: relaying is always better than translating.
 */
#include "core/way.h"

#include <stdatomic.h>

#include "core/chat_format.h"
#include "core/dialect.h"
#include "core/live.h"
#include "core/vectors.h"

static bool speaks(const struct provider *p, const struct dialect *d)
{
	if (!d || p->dialect == d)
		return true;
	for (size_t i = 0; i < array_len(p->also); i++)
		if (p->also[i] == d)
			return true;
	return false;
}

static bool is_chat(const struct dialect *d, struct str path)
{
	return d && d->chat && d->chat->is_chat && d->chat->is_chat(path);
}

/* Responses of a model that has nothing else, where its provider speaks them. */
static const struct dialect *only_responses(const struct target *t)
{
	return t->responses_only ? t->provider->also[0] : NULL;
}

/* A provider of which nobody knew has told that it has no such path. */
static bool is_refused(const struct target *t, const struct dialect *callers)
{
	return callers && t->provider->also[0] == callers && (t->provider->quirks & QUIRK_TRY_RESPONSES) && t->live &&
	       atomic_load_explicit(&t->live->no_responses, memory_order_relaxed);
}

const struct dialect *way_dialect(const struct target *t)
{
	const struct dialect *only = only_responses(t);
	return only ? only : t->provider->dialect;
}

static bool can_translate(const struct dialect *from, const struct dialect *to, struct str path)
{
	const struct chat_format *caller = from->chat, *provider = to->chat;
	enum vector_kind vectors = from->vectors && from->vectors->kind ? from->vectors->kind(path) : VECTOR_NONE;
	if (vectors != VECTOR_NONE)
		return to->vectors && (vectors == VECTOR_EMBED ? to->vectors->write_embed != NULL : to->vectors->write_rank != NULL);
	return caller && caller->read_request && caller->is_chat(path) && provider && provider->write_request;
}

enum way way_to(const struct target *t, const struct dialect *callers, struct str path)
{
	const struct dialect *only = only_responses(t), *to = way_dialect(t);
	bool relayed = speaks(t->provider, callers);
	if (is_chat(callers, path) && ((only && callers != only) || is_refused(t, callers)))
		relayed = false;
	if (relayed)
		return WAY_RELAY;
	return can_translate(callers, to, path) ? WAY_TRANSLATE : WAY_NONE;
}
