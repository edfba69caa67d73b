/*
 * scan.c: texts held against the checks, whole or as they come.
 *
 * Of a text in pieces only what may be the beginning of a match waits: PCRE2 says where a match that the
 * end of the text has cut short would begin (pcre2partial, PCRE2_PARTIAL_HARD).
 */
#include <stdlib.h>
#include <string.h>

#include "guard/guard.h"

struct looked {
	bool found;
	size_t from;	/* a match may begin here; the text's end: none */
};

static struct looked look(const struct guard *g, const struct check *c, struct weir_text t, size_t from, bool last, bool *cut_off)
{
	struct looked l = { false, t.n };
	uint32_t options = (last ? 0 : PCRE2_PARTIAL_HARD) | (from ? PCRE2_NOTBOL : 0);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int n = data ? pcre2_match(c->code, (PCRE2_SPTR)t.p, t.n, from, options, data, g->limits) : PCRE2_ERROR_NOMEMORY;
	if (n == PCRE2_ERROR_PARTIAL)
		l.from = pcre2_get_ovector_pointer(data)[0];
	else if (n >= 0)
		l.found = true;
	else
		*cut_off |= n != PCRE2_ERROR_NOMATCH;
	pcre2_match_data_free(data);
	return l;
}

const char *scan_whole(const struct guard *g, const struct side *side, struct weir_text text, bool *cut_off)
{
	for (unsigned i = 0; i < side->n; i++)
		if (look(g, &side->checks[i], text, 0, true, cut_off).found)
			return side->checks[i].name;
	return NULL;
}

/* --- pieces --- */

void streams_free(struct streams *s)
{
	for (unsigned i = 0; i < s->n; i++)
		free(s->list[i].p);
	free(s->list);
}

static struct stream *stream_of(struct streams *s, unsigned text)
{
	for (unsigned i = 0; i < s->n; i++)
		if (s->list[i].text == text)
			return &s->list[i];
	struct stream *more = s->n < STREAMS_MAX ? realloc(s->list, (s->n + 1) * sizeof(*more)) : NULL;
	if (!more)
		return NULL;
	s->list = more;
	s->list[s->n] = (struct stream){ .text = text };
	return &s->list[s->n++];
}

/* Without what went out longer ago than a match looks back, and with the new piece. */
static bool append(struct stream *x, struct weir_text piece)
{
	size_t drop = x->gone > BEHIND ? x->gone - BEHIND : 0;
	while (drop && drop < x->gone && ((unsigned char)x->p[drop] & 0xc0) == 0x80)
		drop--;
	char *p = malloc(x->n - drop + piece.n + 1);
	if (!p)
		return false;
	if (x->n > drop)
		memcpy(p, x->p + drop, x->n - drop);
	if (piece.n)
		memcpy(p + x->n - drop, piece.p, piece.n);
	free(x->p);
	x->p = p;
	x->n += piece.n - drop;
	x->gone -= drop;
	x->length += piece.n;
	return true;
}

/* The check that forbids what is there; *hold is where what has to wait begins. */
static const char *scan(const struct guard *g, const struct stream *x, bool last, size_t *hold, bool *cut_off)
{
	struct weir_text t = { x->p, x->n };
	size_t least = x->n - x->gone > g->window ? x->n - g->window : x->gone;
	*hold = x->n;
	for (unsigned i = 0; i < g->answer.n; i++) {
		struct looked l = look(g, &g->answer.checks[i], t, x->gone, last, cut_off);
		if (!l.found && l.from < least)	/* longer than the window: what stands behind its beginning counts alone */
			l = look(g, &g->answer.checks[i], t, least, last, cut_off);
		if (l.found)
			return g->answer.checks[i].name;
		if (l.from < *hold)
			*hold = l.from < x->gone ? x->gone : l.from;
	}
	return NULL;
}

const char *scan_piece(const struct guard *g, struct streams *s, const struct weir_delta *d, struct weir_text *out, bool *cut_off)
{
	struct stream *x = stream_of(s, d->choice);
	size_t hold;
	if (!x || !append(x, d->text))
		return "memory";
	if (g->answer.max_length && x->length > g->answer.max_length)
		return "max_length";
	const char *why = scan(g, x, d->last, &hold, cut_off);
	if (why)
		return why;
	while (hold > x->gone && hold < x->n && ((unsigned char)x->p[hold] & 0xc0) == 0x80)
		hold--;
	*out = (struct weir_text){ x->p + x->gone, hold - x->gone };
	x->gone = hold;
	return NULL;
}
