/*
 * price_book.c: finding a price, and estimating one that nobody listed.
 */
#include "core/price_book.h"

#include <stdlib.h>

#include "core/target.h"

enum { COMMON_LEAST = 3, SAMPLE_MAX = 1024 };

/* --- look-up --- */

/* `name` against scope + "/" + model, without putting them together. */
static int compare(struct str name, struct str scope, struct str model)
{
	const struct str parts[] = { scope, STR("/"), model };
	for (size_t i = 0; i < array_len(parts); i++) {
		size_t n = name.n < parts[i].n ? name.n : parts[i].n;
		int order = n ? memcmp(name.p, parts[i].p, n) : 0;
		if (order)
			return order;
		if (n < parts[i].n)
			return -1;
		name = str_skip(name, n);
	}
	return name.n > 0;
}

/* The first row that is not before scope/model. */
static size_t lower_bound(const struct price_book *b, struct str scope, struct str model)
{
	size_t low = 0, high = b->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare(b->rows[middle].name, scope, model) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct model_facts *price_book_find(const struct price_book *b, struct str scope, struct str model)
{
	size_t i = lower_bound(b, scope, model);
	return i < b->n && compare(b->rows[i].name, scope, model) == 0 ? &b->rows[i] : NULL;
}

bool pricing_knows(const struct pricing *p, struct str preset, struct str model)
{
	for (unsigned i = 0; i < p->n; i++)
		if (price_book_find(p->books[i], preset, model))
			return true;
	return false;
}

int32_t pricing_date(const struct pricing *p)
{
	int32_t date = 0;
	for (unsigned i = 0; i < p->n; i++)
		if (p->books[i]->date > date)
			date = p->books[i]->date;
	return date;
}

/* --- estimates --- */

static bool is_of(const struct model_facts *row, struct str scope)
{
	return row->name.n > scope.n && str_starts(row->name, scope) && row->name.p[scope.n] == '/';
}

static size_t common(struct str a, struct str b)
{
	size_t n = 0;
	while (n < a.n && n < b.n && a.p[n] == b.p[n])
		n++;
	return n;
}

static int64_t weight_of(const struct price *p)
{
	int64_t output = p->rates[RATE_OUTPUT] == PRICE_UNKNOWN ? 0 : p->rates[RATE_OUTPUT];
	return 3 * p->rates[RATE_INPUT] + output;
}

static int by_weight(const void *a, const void *b)
{
	int64_t x = weight_of(*(const struct price *const *)a), y = weight_of(*(const struct price *const *)b);
	return (x > y) - (x < y);
}

static const struct price *like_it(const struct price_book *b, struct str scope, struct str model)
{
	const struct price *best = NULL, *all[SAMPLE_MAX];
	size_t most = COMMON_LEAST - 1, n = 0;
	for (size_t i = lower_bound(b, scope, STR_NONE); i < b->n && is_of(&b->rows[i], scope); i++) {
		const struct model_facts *row = &b->rows[i];
		size_t shared = common(str_skip(row->name, scope.n + 1), model);
		if (!row->priced || (row->mode != MODE_CHAT && row->mode != MODE_RESPONSES))
			continue;
		if (n < SAMPLE_MAX)
			all[n++] = &row->price;
		if (shared < most || (shared == most && best && weight_of(&row->price) <= weight_of(best)))
			continue;
		if (shared >= COMMON_LEAST) {
			most = shared;
			best = &row->price;
		}
	}
	if (best || n == 0)
		return best;
	qsort(all, n, sizeof(*all), by_weight);
	return all[n * 9 / 10 < n ? n * 9 / 10 : n - 1];
}

static const struct price *estimate(const struct pricing *p, const struct provider *provider, struct str model)
{
	const struct str scopes[] = { provider->name, provider->preset };
	for (unsigned i = 0; i < p->n; i++) {
		for (size_t k = 0; k < array_len(scopes); k++) {
			const struct price *like = str_empty(scopes[k]) ? NULL : like_it(p->books[i], scopes[k], model);
			if (!like)
				continue;
			struct price guess;
			memcpy(&guess, like, sizeof(guess));
			guess.estimated = true;
			return price_intern(&guess);
		}
	}
	return NULL;
}

/* --- a target --- */

static const struct price *free_of_charge(void)
{
	struct price p;
	price_init(&p);
	p.free = true;
	return price_intern(&p);
}

static void learn(struct target *t, const struct model_facts *row)
{
	if (t->context == 0)
		t->context = row->context;
	if (t->max_output == 0)
		t->max_output = row->max_output;
	if (!t->features_known && row->listed)
		t->features = row->features;
	t->features_known |= row->listed;
	t->responses_only |= row->mode == MODE_RESPONSES;
	if (t->retires == 0)
		t->retires = row->retires;
	if (!t->price && row->priced)
		t->price = price_intern(&row->price);
}

void pricing_apply(const struct pricing *p, struct target *t)
{
	const struct provider *provider = t->provider;
	t->price = t->free ? free_of_charge() : NULL;
	for (unsigned i = 0; i < p->n; i++) {
		const struct model_facts *row = price_book_find(p->books[i], provider->name, t->model);
		if (!row && !str_empty(provider->preset))
			row = price_book_find(p->books[i], provider->preset, t->model);
		if (row)
			learn(t, row);
	}
	if (!t->price && p->unpriced == UNPRICED_ESTIMATE)
		t->price = estimate(p, provider, t->model);
}
