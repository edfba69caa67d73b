/*
 * phrases.c: a tree of words. From each word of a text it is walked down as long as there is a way, which is hardly ever
 * further than one step: so the time does not grow with the number of phrases.
 */
#include <stdlib.h>

#include "rules/text.h"

/* From a node by a word to another one. Open addressing, at most half full. */
struct step {
	uint64_t word;		/* 0: free */
	uint32_t from, to;
};

struct phrases {
	struct step *steps;
	size_t room, used;
	uint32_t nodes;		/* 0 is the root */
	uint8_t *ends;		/* a bit for each node: a phrase ends there */
	size_t ends_room;
	size_t count;
};

struct phrases *phrases_new(void)
{
	struct phrases *p = calloc(1, sizeof(*p));
	if (p)
		p->nodes = 1;
	return p;
}

void phrases_free(struct phrases *p)
{
	if (!p)
		return;
	free(p->steps);
	free(p->ends);
	free(p);
}

size_t phrases_count(const struct phrases *p)
{
	return p->count;
}

static struct step *slot(struct step *steps, size_t room, uint32_t from, uint64_t word)
{
	size_t i = (size_t)((word ^ from * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd) >> 17) & (room - 1);
	while (steps[i].word && (steps[i].word != word || steps[i].from != from))
		i = (i + 1) & (room - 1);
	return &steps[i];
}

static bool grow(struct phrases *p)
{
	size_t room = p->room ? 2 * p->room : 64;
	struct step *more = calloc(room, sizeof(*more));
	if (!more)
		return false;
	for (size_t i = 0; i < p->room; i++)
		if (p->steps[i].word)
			*slot(more, room, p->steps[i].from, p->steps[i].word) = p->steps[i];
	free(p->steps);
	p->steps = more;
	p->room = room;
	return true;
}

static bool mark_end(struct phrases *p, uint32_t node)
{
	size_t byte = node / 8;
	if (byte >= p->ends_room) {
		size_t room = byte < 64 ? 128 : 2 * byte;
		uint8_t *more = realloc(p->ends, room);
		if (!more)
			return false;
		for (size_t i = p->ends_room; i < room; i++)
			more[i] = 0;
		p->ends = more;
		p->ends_room = room;
	}
	p->ends[byte] |= (uint8_t)(1u << node % 8);
	return true;
}

static bool is_end(const struct phrases *p, uint32_t node)
{
	return node / 8 < p->ends_room && p->ends[node / 8] >> node % 8 & 1;
}

bool phrases_add(struct phrases *p, struct weir_text phrase)
{
	uint64_t word;
	uint32_t node = 0;
	for (size_t at = 0; (word = next_word(phrase, &at, NULL));) {
		if (2 * (p->used + 1) > p->room && !grow(p))
			return false;
		struct step *s = slot(p->steps, p->room, node, word);
		if (!s->word) {
			*s = (struct step){ word, node, p->nodes++ };
			p->used++;
		}
		node = s->to;
	}
	if (!node || !mark_end(p, node))
		return false;
	p->count++;
	return true;
}

bool phrases_find(const struct phrases *p, struct weir_text text, struct weir_text *found)
{
	uint64_t word;
	size_t at = 0, from;
	while (p->room && (word = next_word(text, &at, &from))) {
		size_t ahead = at, end = 0;
		const struct step *s = slot(p->steps, p->room, 0, word);
		while (s->word) {
			if (is_end(p, s->to))
				end = ahead;
			word = next_word(text, &ahead, NULL);
			if (!word)
				break;
			s = slot(p->steps, p->room, s->to, word);
		}
		if (!end)
			continue;
		*found = (struct weir_text){ text.p + from, end - from };
		return true;
	}
	return false;
}
