/*
 * window.c: counts that slide over sub-buckets.
 */
#include "store/window.h"

void window_advance(struct window *w, int64_t span_s, int64_t now_us)
{
	int64_t bucket = now_us / window_width_us(span_s), moved = bucket - w->head;
	w->head = bucket;
	if (moved <= 0)
		return;
	size_t by = moved < WINDOW_COUNTS ? (size_t)moved : WINDOW_COUNTS;
	for (size_t i = WINDOW_COUNTS - by; i < WINDOW_COUNTS; i++)
		w->sum -= w->count[i];
	memmove(w->count + by, w->count, (WINDOW_COUNTS - by) * sizeof(w->count[0]));
	memset(w->count, 0, by * sizeof(w->count[0]));
}

static void count(struct window *w, unsigned i, int64_t amount)
{
	amount = store_amount(w->sum + amount) - w->sum;
	w->count[i] += amount;
	w->sum += amount;
}

void window_spend(struct window *w, int64_t amount)
{
	count(w, 0, amount);
}

void window_add(struct window *w, int64_t span_s, int64_t at_us, int64_t amount)
{
	int64_t ago = w->head - at_us / window_width_us(span_s);
	if (ago < WINDOW_COUNTS)
		count(w, ago < 0 ? 0 : (unsigned)ago, amount);
}

int64_t window_wait(const struct window *w, int64_t span_s, int64_t now_us, int64_t excess)
{
	int64_t freed = 0;
	for (int i = WINDOW_COUNTS - 1; i >= 0; i--) {
		freed += w->count[i];
		if (freed >= excess)
			return (w->head - i + WINDOW_COUNTS) * window_width_us(span_s) - now_us;
	}
	return WAIT_FOR_OTHERS_US;
}
