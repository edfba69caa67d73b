/*
 * questions.c: which of many questions is asked here? BM25 over their words (Robertson and Zaragoza, 2009).
 *
 * The score is made comparable: it is divided by what the text would score against itself and by what the question
 * would, in equal parts. A word that no question holds counts as the rarest: it speaks against all of them.
 */
#include "rules/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ASKED_MAX = 512 };

static const double K1 = 1.2, B = 0.75;

struct posting {
	uint64_t word;
	uint32_t question, times;
};

/* A word's postings stand in a row. */
struct term {
	uint64_t word;		/* 0: free */
	uint32_t first, n;
};

struct question {
	struct weir_text question, answer;
	uint32_t words;
	double self;		/* what it scores against itself */
};

struct questions {
	struct question *list;
	size_t n, room;
	struct posting *postings;
	size_t n_postings, postings_room;
	struct term *terms;
	size_t terms_room;
	double mean;		/* words of a question */
	float *scale;		/* one over the root of each question's own score */
};

struct questions *questions_new(void)
{
	return calloc(1, sizeof(struct questions));
}

void questions_free(struct questions *q)
{
	if (!q)
		return;
	free(q->list);
	free(q->postings);
	free(q->terms);
	free(q->scale);
	free(q);
}

size_t questions_count(const struct questions *q)
{
	return q->n;
}

/* --- building --- */

static bool add_posting(struct questions *q, uint64_t word)
{
	if (q->n_postings == q->postings_room) {
		size_t room = q->postings_room ? 2 * q->postings_room : 256;
		struct posting *more = realloc(q->postings, room * sizeof(*more));
		if (!more)
			return false;
		q->postings = more;
		q->postings_room = room;
	}
	q->postings[q->n_postings++] = (struct posting){ word, (uint32_t)q->n, 1 };
	return true;
}

bool questions_add(struct questions *q, struct weir_text question, struct weir_text answer)
{
	uint64_t word;
	uint32_t words = 0;
	if (q->n == q->room) {
		size_t room = q->room ? 2 * q->room : 64;
		struct question *more = realloc(q->list, room * sizeof(*more));
		if (!more)
			return false;
		q->list = more;
		q->room = room;
	}
	for (size_t at = 0; (word = next_word(question, &at, NULL)); words++)
		if (!add_posting(q, word))
			return false;
	q->list[q->n++] = (struct question){ question, answer, words, 0 };
	return words > 0;
}

static int by_word(const void *a, const void *b)
{
	const struct posting *x = a, *y = b;
	if (x->word != y->word)
		return x->word < y->word ? -1 : 1;
	return x->question < y->question ? -1 : x->question > y->question;
}

/* Postings of the same word and question become one. */
static void merge(struct questions *q)
{
	size_t n = 0;
	if (q->n_postings)
		qsort(q->postings, q->n_postings, sizeof(*q->postings), by_word);
	for (size_t i = 0; i < q->n_postings; i++) {
		struct posting *last = n ? &q->postings[n - 1] : NULL;
		if (last && last->word == q->postings[i].word && last->question == q->postings[i].question)
			last->times++;
		else
			q->postings[n++] = q->postings[i];
	}
	q->n_postings = n;
}

static struct term *slot(const struct questions *q, uint64_t word)
{
	size_t i = (size_t)(word * UINT64_C(0xff51afd7ed558ccd) >> 17) & (q->terms_room - 1);
	while (q->terms[i].word && q->terms[i].word != word)
		i = (i + 1) & (q->terms_room - 1);
	return &q->terms[i];
}

static double rarity(const struct questions *q, const struct term *t)
{
	double n = t ? t->n : 0;
	return log(1 + ((double)q->n - n + 0.5) / (n + 0.5));
}

static double weight(const struct questions *q, const struct posting *p)
{
	double length = (double)q->list[p->question].words / q->mean;
	return p->times * (K1 + 1) / (p->times + K1 * (1 - B + B * length));
}

bool questions_ready(struct questions *q)
{
	size_t words = 0;
	for (size_t i = 0; i < q->n; i++)
		words += q->list[i].words;
	q->mean = q->n ? (double)words / (double)q->n : 1;
	merge(q);
	for (q->terms_room = 64; q->terms_room < 2 * q->n_postings; q->terms_room *= 2)
		;
	q->terms = calloc(q->terms_room, sizeof(*q->terms));
	q->scale = calloc(q->n ? q->n : 1, sizeof(*q->scale));
	if (!q->terms || !q->scale)
		return false;
	for (size_t i = 0; i < q->n_postings; i++) {
		struct term *t = slot(q, q->postings[i].word);
		if (!t->word)
			*t = (struct term){ q->postings[i].word, (uint32_t)i, 0 };
		t->n++;
	}
	for (size_t i = 0; i < q->n_postings; i++) {
		const struct posting *p = &q->postings[i];
		q->list[p->question].self += rarity(q, slot(q, p->word)) * weight(q, p);
	}
	for (size_t i = 0; i < q->n; i++)
		q->scale[i] = q->list[i].self > 0 ? (float)(1 / sqrt(q->list[i].self)) : 0;
	return true;
}

/* --- asking --- */

struct asked {
	uint64_t words[ASKED_MAX];
	unsigned n;
	double self;
};

static void read_words(const struct questions *q, struct weir_text text, struct asked *a)
{
	uint64_t word;
	a->n = 0;
	a->self = 0;
	for (size_t at = 0; a->n < ASKED_MAX && (word = next_word(text, &at, NULL));) {
		bool seen = false;
		for (unsigned i = 0; i < a->n && !seen; i++)
			seen = a->words[i] == word;
		if (seen)
			continue;
		const struct term *t = slot(q, word);
		a->words[a->n++] = word;
		a->self += rarity(q, t->word ? t : NULL);
	}
}

static void add_scores(const struct questions *q, uint64_t word, float *scores)
{
	const struct term *t = slot(q, word);
	double idf = t->word ? rarity(q, t) : 0;
	for (uint32_t i = 0; t->word && i < t->n; i++) {
		const struct posting *p = &q->postings[t->first + i];
		scores[p->question] += (float)(idf * weight(q, p));
	}
}

bool questions_ask(const struct questions *q, struct weir_text text, struct answer *out)
{
	struct asked a;
	size_t best = 0;
	float *scores = q->n ? calloc(q->n, sizeof(*scores)) : NULL;
	if (!scores)
		return false;
	read_words(q, text, &a);
	for (unsigned i = 0; i < a.n; i++)
		add_scores(q, a.words[i], scores);
	float most = scores[0] * q->scale[0];
	for (size_t i = 1; i < q->n; i++)
		if (scores[i] * q->scale[i] > most) {
			most = scores[i] * q->scale[i];
			best = i;
		}
	double score = scores[best];
	free(scores);
	if (score <= 0 || a.self <= 0)
		return false;
	double met = score / sqrt(a.self * q->list[best].self);
	*out = (struct answer){ q->list[best].question, q->list[best].answer, met > 1 ? 1 : met };
	return true;
}
