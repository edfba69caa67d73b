/*
 * media_wants.c: only https:// is fetched, and only what the target's format does not read itself.
 */
#include "upstream/media_wants.h"

#include "wire/json_cursor.h"

static struct media_want *find(struct media_wants *w, struct str spelled)
{
	for (unsigned i = 0; i < w->n; i++)
		if (str_eq(w->want[i].spelled, spelled))
			return &w->want[i];
	return NULL;
}

static bool note(struct media_wants *w, struct chat *c, const struct part *p)
{
	struct str url = p->media->url;
	if (w->n == MEDIA_WANTS_MOST) {
		w->too_many = true;
		return false;
	}
	w->want[w->n++] = (struct media_want){ .spelled = url, .url = json_text(c->arena, arena_printf(c->arena, "\"%.*s\"", STR_FMT(url))),
					       .image = p->kind == PART_IMAGE };
	return false;
}

static bool fill_one(struct media_wants *w, struct chat *c, const struct chat_format *target, struct part *p)
{
	struct media *m = p->media;
	if ((p->kind != PART_IMAGE && p->kind != PART_FILE) || m->data.n || m->text.n || !str_istarts(m->url, STR("https:")) || !target->reads_address ||
	    target->reads_address(p->kind, m->url))
		return true;
	const struct media_want *want = find(w, m->url);
	if (!want)
		return note(w, c, p);
	if (!want->data.n)
		return false;
	m->type = want->type;
	m->data = want->data;
	m->url = STR_NONE;
	return true;
}

static bool fill_parts(struct media_wants *w, struct chat *c, const struct chat_format *target, struct part *p)
{
	bool whole = true;
	for (; p; p = p->next) {
		if (p->media)
			whole &= fill_one(w, c, target, p);
		whole &= fill_parts(w, c, target, p->content);
	}
	return whole;
}

bool media_fill(struct media_wants *w, struct chat *c, const struct chat_format *target)
{
	bool whole = true;
	for (struct message *m = c->messages; m; m = m->next)
		whole &= fill_parts(w, c, target, m->parts);
	return whole;
}
