/*
 * way.c: relaying is always better than translating.
 */
#include "core/way.h"

#include "core/chat_format.h"
#include "core/dialect.h"
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

static bool can_translate(const struct dialect *from, const struct dialect *to, struct str path)
{
	const struct chat_format *caller = from->chat, *provider = to->chat;
	enum vector_kind vectors = from->vectors && from->vectors->kind ? from->vectors->kind(path) : VECTOR_NONE;
	if (vectors != VECTOR_NONE)
		return to->vectors && (vectors == VECTOR_EMBED ? to->vectors->write_embed != NULL : to->vectors->write_rank != NULL);
	return caller && caller->read_request && caller->is_chat(path) && provider && provider->write_request;
}

enum way way_to(const struct provider *p, const struct dialect *callers, struct str path)
{
	if (speaks(p, callers))
		return WAY_RELAY;
	return can_translate(callers, p->dialect, path) ? WAY_TRANSLATE : WAY_NONE;
}
