/*
 * weighted.c: shares of the requests, smoothly.
 *
 * The n-th request of a model takes the n-th point of the golden ratio's sequence, which fills
 * the circle of weights as evenly as can be, at any length: 5 of 100 are no five in a row. All workers share the
 * counter, and there is no state beside it that a failed target could distort.
 */
#include "routing/strategy.h"

static uint64_t sum_of(const struct strategy_view *v, unsigned from)
{
	uint64_t sum = 0;
	for (unsigned i = from; i < v->n; i++)
		sum += (unsigned)v->entries[i]->target->weight;
	return sum;
}

/* Which of the entries from `from` on the point lies in. */
static unsigned draw(const struct strategy_view *v, unsigned from, uint64_t point, uint64_t sum)
{
	uint64_t at = (uint64_t)((unsigned __int128)point * sum >> 64);
	for (unsigned i = from; i < v->n; i++) {
		uint64_t weight = (unsigned)v->entries[i]->target->weight;
		if (at < weight)
			return i;
		at -= weight;
	}
	return from;
}

static void order(struct strategy_view *v)
{
	uint64_t point = v->turn * UINT64_C(0x9E3779B97F4A7C15), all = sum_of(v, 0);
	int home = strategy_home(v);
	for (unsigned i = 0; i < v->n; i++)
		v->entries[i]->score = all ? -(double)v->entries[i]->target->weight / (double)all : 0;
	for (unsigned i = 0; i + 1 < v->n; i++) {
		uint64_t sum = sum_of(v, i);
		unsigned drawn = sum ? draw(v, i, point, sum) : i;
		struct plan_entry *e = v->entries[drawn];
		for (unsigned k = drawn; k > i; k--)
			v->entries[k] = v->entries[k - 1];
		v->entries[i] = e;
		if (i == 0)
			e->placed = "its turn";
	}
	if (home >= 0)
		strategy_first(v, (unsigned)strategy_home(v), "the session was here before");
}

const struct strategy weighted_strategy = { .name = "weighted", .order = order };
