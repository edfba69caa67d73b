/*
 * chat.c: building a conversation, putting it in order, and keeping count of what cannot be carried.
 */
#include "core/chat.h"

/* --- losses --- */

enum { DROPPED_MOST = 1024 };	/* a caller may invent any number of fields: from here on they are only dots */

static void note_dropped(struct chat_loss *l, struct str field)
{
	if (str_ends(l->dropped, STR(",...")))
		return;
	if (l->dropped.n + field.n > DROPPED_MOST)
		field = STR("...");
	struct str rest = l->dropped, name;
	while (str_split(&rest, ',', &name))
		if (str_eq(name, field))
			return;
	l->dropped = arena_printf(l->arena, "%.*s%s%.*s", STR_FMT(l->dropped), l->dropped.n ? "," : "", STR_FMT(field));
}

static bool drop(struct chat_loss *l, struct str field, bool meaning, const char *why)
{
	bool refuse = l->policy == UNSUPPORTED_REFUSE || (meaning && l->policy == UNSUPPORTED_AUTO);
	if (!refuse) {
		note_dropped(l, field);
	} else if (str_empty(l->refused)) {
		l->refused = field;
		l->why = why;
	}
	return !refuse;
}

bool chat_drop_hint(struct chat_loss *l, const char *field)
{
	return drop(l, str_c(field), false, "cannot be carried by the target's format");
}

bool chat_drop_meaning(struct chat_loss *l, const char *field, const char *why)
{
	return drop(l, str_c(field), true, why);
}

static bool any_cache(const struct part *p, bool breakpoints)
{
	while (p && (!p->cache.n || (breakpoints && p->breakpoint.n)) && !any_cache(p->content, breakpoints))
		p = p->next;
	return p != NULL;
}

void chat_drop_cache(const struct chat *c, bool breakpoints, struct chat_loss *l)
{
	bool any = false;
	for (const struct message *m = c->messages; m && !any; m = m->next)
		any = any_cache(m->parts, breakpoints);
	for (const struct tool *t = c->tools; t && !any; t = t->next)
		any = t->cache.n > 0;
	if (any)
		chat_drop_hint(l, "cache_control");
}

void chat_drop_hints(const struct chat_hint *hints, size_t n, struct chat_loss *l)
{
	for (size_t i = 0; i < n; i++)
		if (hints[i].said)
			chat_drop_hint(l, hints[i].field);
}

void chat_drop_names(const struct chat *c, struct chat_loss *l)
{
	for (const struct message *m = c->messages; m; m = m->next)
		if (m->name.n)
			chat_drop_hint(l, "messages.name");
}

void chat_drop_citations(const struct chat *c, struct chat_loss *l)
{
	for (const struct message *m = c->messages; m; m = m->next)
		for (const struct part *p = m->parts; p; p = p->next)
			if (p->media && p->media->citations)
				chat_drop_hint(l, "messages.citations");
}

static struct str name_of(const struct chat_extra *e)
{
	return e->field ? str_c(e->field) : e->unknown;
}

struct str chat_extra(const struct chat *c, const char *field)
{
	const struct chat_extra *e = c->extras;
	while (e && !str_eq(name_of(e), str_c(field)))
		e = e->next;
	return e ? e->json : STR_NONE;
}

static bool is_carried(const struct chat_extra *e, const char *const *carried)
{
	while (carried && *carried && !str_eq(name_of(e), str_c(*carried)))
		carried++;
	return carried && *carried;
}

void chat_drop_extras(const struct chat *c, struct chat_loss *l, const char *const *carried)
{
	for (const struct chat_extra *e = c->extras; e; e = e->next)
		if (!is_carried(e, carried))
			drop(l, name_of(e), e->meaning, "cannot be carried by the target's format");
}

/* --- building --- */

struct message *chat_add_message(struct chat *c, enum chat_role role)
{
	struct message *m = arena_new(c->arena, struct message);
	m->role = role;
	*(c->last_message ? &c->last_message->next : &c->messages) = m;
	return c->last_message = m;
}

static struct part *add_part(struct arena *a, struct part **first, struct part **last, enum part_kind kind)
{
	struct part *p = arena_new(a, struct part);
	p->kind = kind;
	*(*last ? &(*last)->next : first) = p;
	return *last = p;
}

struct part *chat_add_part(struct chat *c, struct message *m, enum part_kind kind)
{
	return add_part(c->arena, &m->parts, &m->last, kind);
}

struct part *chat_add_content(struct chat *c, struct part *result, enum part_kind kind)
{
	return add_part(c->arena, &result->content, &result->last, kind);
}

struct media *chat_add_media(struct chat *c, struct part *p)
{
	p->media = arena_new(c->arena, struct media);
	return p->media;
}

struct tool *chat_add_tool(struct chat *c)
{
	struct tool *t = arena_new(c->arena, struct tool);
	t->strict = -1;
	*(c->last_tool ? &c->last_tool->next : &c->tools) = t;
	return c->last_tool = t;
}

void chat_add_extra(struct chat *c, const char *field, bool meaning, struct str json)
{
	struct chat_extra *e = arena_new(c->arena, struct chat_extra);
	*e = (struct chat_extra){ .field = field, .meaning = meaning, .json = json };
	*(c->last_extra ? &c->last_extra->next : &c->extras) = e;
	c->last_extra = e;
}

void chat_add_unknown(struct chat *c, struct str name, bool meaning, struct str json)
{
	chat_add_extra(c, NULL, meaning, json);
	c->last_extra->unknown = name;
}

/* --- order --- */

/* Results stand before what else a user says in the same turn: a tool's answer belongs right behind its call. */
static void results_first(struct message *m)
{
	struct part *results = NULL, *others = NULL, **result_end = &results, **other_end = &others;
	for (struct part *p = m->parts; p; p = p->next) {
		struct part ***end = p->kind == PART_TOOL_RESULT ? &result_end : &other_end;
		**end = p;
		*end = &p->next;
	}
	*other_end = NULL;
	*result_end = others;
	m->parts = results;
}

static struct part *last_of(struct message *m)
{
	struct part *p = m->last ? m->last : m->parts;
	while (p && p->next)
		p = p->next;
	return p;
}

static void join(struct message *m, struct message *next)
{
	if (next->parts) {
		last_of(m)->next = next->parts;
		m->last = last_of(next);
	}
	m->next = next->next;
}

void chat_join_turns(struct chat *c)
{
	struct message **at = &c->messages;
	while (*at) {
		struct message *m = *at, *next = m->next;
		if (!m->parts) {
			*at = next;
		} else if (next && next->role == m->role && m->role != CHAT_SYSTEM) {
			join(m, next);
		} else {
			if (m->role == CHAT_USER)
				results_first(m);
			at = &m->next;
		}
	}
}

/* Calls by id: a conversation may hold very many. */
struct calls {
	struct part **slots;
	size_t mask;
};

static struct part **slot_of(const struct calls *t, struct str id)
{
	size_t i = str_hash(id) & t->mask;
	while (t->slots[i] && !str_eq(t->slots[i]->id, id))
		i = (i + 1) & t->mask;
	return &t->slots[i];
}

static struct calls table_for(const struct chat *c)
{
	size_t n = 0, size = 8;
	for (const struct message *m = c->messages; m; m = m->next)
		for (const struct part *p = m->parts; p; p = p->next)
			n += p->kind == PART_TOOL_CALL;
	while (size < 2 * n)
		size *= 2;
	return (struct calls){ arena_array(c->arena, struct part *, size), size - 1 };
}

void chat_name_results(struct chat *c)
{
	struct calls table = table_for(c);
	for (struct message *m = c->messages; m; m = m->next)
		for (struct part *p = m->parts; p; p = p->next) {
			struct part **slot = slot_of(&table, p->id);
			if (p->kind == PART_TOOL_CALL)
				*slot = p;
			else if (p->kind == PART_TOOL_RESULT && str_empty(p->name) && *slot)
				p->name = (*slot)->name;
		}
}

struct message *chat_take_system(struct chat *c)
{
	struct message *first = c->messages, **at = &c->messages;
	if (!first || first->role != CHAT_SYSTEM)
		return NULL;
	while (*at && (*at)->role == CHAT_SYSTEM)
		at = &(*at)->next;
	c->messages = *at;
	*at = NULL;
	return first;
}
