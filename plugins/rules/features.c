/*
 * features.c: one pass over the text. The last four letters of a word lie in the lanes of one number, so that a run of
 * them is hashed by one multiplication.
 */
#include "rules/features.h"

#include <stdbool.h>

#include "rules/text.h"

/* Odd numbers, one for each kind of feature. */
static const uint64_t WORD = UINT64_C(0x9e3779b97f4a7c15), PAIR = UINT64_C(0xc2b2ae3d27d4eb4f), THREE = UINT64_C(0x165667b19e3779f9),
		      FOUR = UINT64_C(0xd6e8feb86659fd93), FNV = UINT64_C(14695981039346656037);

static const uint64_t EDGE = ' ', THREE_LANES = UINT64_C(0xffffffffffff);

struct walk {
	uint32_t *out;
	unsigned n, shift;
	uint64_t word, before;	/* hashes of this word and of the one before it */
	uint64_t window;	/* its last four letters, 16 bits each */
	unsigned letters;
};

static void put(struct walk *w, uint64_t hash)
{
	w->out[w->n++] = (uint32_t)(hash >> w->shift);
}

static void put_runs(struct walk *w, uint64_t letter, unsigned length)
{
	w->window = w->window << 16 | (letter & 0xffff);
	if (length >= 3)
		put(w, (w->window & THREE_LANES) * THREE);
	if (length >= 4)
		put(w, w->window * FOUR);
}

static void add_letter(struct walk *w, uint32_t c)
{
	w->word = (w->word ^ c) * UINT64_C(1099511628211);
	w->letters++;
	put_runs(w, c, w->letters + 1);
}

static void end_word(struct walk *w)
{
	if (!w->letters)
		return;
	if (w->letters > 1)
		put_runs(w, EDGE, w->letters + 2);
	put(w, w->word * WORD);
	put(w, (w->word ^ w->before * WORD) * PAIR);
	w->before = w->word;
	w->word = FNV;
	w->window = EDGE;
	w->letters = 0;
}

/* Most text is ASCII: a letter without regard to case, a digit as 0, or nothing. */
static uint32_t letter_of(struct weir_text text, size_t *at, bool *alone)
{
	unsigned char c = (unsigned char)text.p[*at], lower = c | 0x20;
	if (c >= 0x80)
		return next_letter(text, at, alone);
	++*at;
	return lower >= 'a' && lower <= 'z' ? lower : c >= '0' && c <= '9' ? '0' : 0;
}

static void walk(struct walk *w, struct weir_text text)
{
	for (size_t at = 0; at < text.n;) {
		bool alone = false;
		uint32_t c = letter_of(text, &at, &alone);
		if (!c || alone)
			end_word(w);
		if (c)
			add_letter(w, c);
		if (alone)
			end_word(w);
	}
	end_word(w);
}

unsigned features_of(struct weir_text text, unsigned bits, uint32_t out[FEATURES_MAX])
{
	struct walk w = { .out = out, .shift = 64 - bits, .word = FNV, .window = EDGE };
	struct weir_text tail = { text.p, 0 };
	if (text.n > FEATURES_TEXT_MAX) {
		tail = (struct weir_text){ text.p + text.n - FEATURES_TAIL, FEATURES_TAIL };
		text.n = FEATURES_HEAD;
	}
	walk(&w, text);
	walk(&w, tail);
	return w.n;
}
