/*
 * memory_record.c: a hash table of limits, and what each of them counts.
 */
#include "store/memory_record.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/memory_parts.h"

enum { BUCKETS_FIRST = 64, LOOK_AT = 16 };

/* Seldom asked for. */
static int64_t wall_s(void)
{
	return clock_wall_us() / SECOND_US;
}

static enum record_class class_of(enum store_kind kind)
{
	return kind == STORE_BUDGET ? RECORD_BUDGET : kind == STORE_CONCURRENT ? RECORD_CONCURRENT : RECORD_WINDOW;
}

void record_table_init(struct record_table *t)
{
	*t = (struct record_table){ .mask = BUCKETS_FIRST - 1 };
	t->buckets = mem_alloc(BUCKETS_FIRST * sizeof(struct record *));
	list_init(&t->ring);
}

void record_table_free(struct record_table *t)
{
	list_each(link, &t->ring)
		free(list_entry(link, struct record, ring));
	free(t->buckets);
}

static bool key_is(const struct record *r, struct str scope, struct str key)
{
	return r->key_n == scope.n + 1 + key.n && memcmp(r->key, scope.p, scope.n) == 0 &&
	       r->key[scope.n] == '\0' && memcmp(r->key + scope.n + 1, key.p, key.n) == 0;
}

struct record *record_find(struct record_table *t, struct str scope, struct str key, uint64_t *hash)
{
	*hash = str_hash_seeded(t->scope_hash, key);
	for (struct record *r = t->buckets[*hash & t->mask]; r; r = r->next)
		if (r->hash == *hash && key_is(r, scope, key))
			return r;
	return NULL;
}

static void table_grow(struct record_table *t)
{
	size_t size = 2 * (t->mask + 1);
	struct record **to = mem_alloc(size * sizeof(*to));
	list_each(link, &t->ring) {
		struct record *r = list_entry(link, struct record, ring);
		r->next = to[r->hash & (size - 1)];
		to[r->hash & (size - 1)] = r;
	}
	free(t->buckets);
	t->buckets = to;
	t->mask = size - 1;
}

/* A window's counts are much of a record: the others do without. */
static size_t record_size(enum record_class class)
{
	return class == RECORD_WINDOW ? sizeof(struct record) : offsetof(struct record, start) + 3 * sizeof(int64_t);
}

struct record *record_make(struct record_table *t, struct str scope, const struct store_limit *l, uint64_t hash)
{
	enum record_class class = class_of(l->kind);
	struct record *r = mem_alloc(record_size(class) + scope.n + 1 + l->key.n);
	r->class = class;
	r->hash = hash;
	r->key = (char *)r + record_size(class);
	r->key_n = scope.n + 1 + l->key.n;
	memcpy(r->key, scope.p, scope.n);
	memcpy(r->key + scope.n + 1, l->key.p, l->key.n);
	if (t->n > t->mask)
		table_grow(t);
	r->next = t->buckets[hash & t->mask];
	t->buckets[hash & t->mask] = r;
	list_append(&t->ring, &r->ring);
	t->n++;
	return r;
}

static bool record_dead(const struct record_table *t, const struct record *r)
{
	if (r->holds > 0)
		return false;
	if (r->class == RECORD_WINDOW)
		return t->now_us >= (r->window.head + WINDOW_COUNTS) * window_width_us(r->span_s);
	return r->class == RECORD_CONCURRENT || r->spent == 0 || (r->end > 0 && wall_s() > r->end + 3600);
}

static void record_drop(struct record_table *t, struct record *r)
{
	struct record **at = &t->buckets[r->hash & t->mask];
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	list_remove(&r->ring);
	t->n--;
	free(r);
}

bool record_drop_dead(struct record_table *t)
{
	for (unsigned i = 0; i < LOOK_AT && !list_empty(&t->ring); i++) {
		struct record *r = list_entry(t->ring.next, struct record, ring);
		if (record_dead(t, r)) {
			record_drop(t, r);
			return true;
		}
		list_remove(&r->ring);
		list_append(&t->ring, &r->ring);
	}
	return false;
}

bool record_is(const struct record *r, enum store_kind kind)
{
	return r->class == class_of(kind);
}

void record_slide(struct record_table *t, struct record *r, const struct store_limit *l)
{
	if (r->class != RECORD_WINDOW)
		return;
	r->span_s = store_span(l);
	window_advance(&r->window, r->span_s, t->now_us);
}

/*
 * A caller just behind counts in the period that is recorded. One that is further behind than that, when the period has
 * not begun yet by the clock, tells that the clock was wrong: what is recorded would bind until it is there.
 */
static bool begins_anew(const struct record *r, const struct store_limit *l)
{
	if (r->class != RECORD_BUDGET || l->period_start == r->start)
		return false;
	return l->period_start > r->start || (r->start > l->period_end && r->start > wall_s());
}

void record_begin(struct record *r, const struct store_limit *l)
{
	if (!begins_anew(r, l))
		return;
	r->start = l->period_start;
	r->end = l->period_end;
	r->spent = 0;
}

int64_t record_spent(const struct record *r, const struct store_limit *l)
{
	if (r->class == RECORD_WINDOW)
		return r->window.sum;
	return r->class == RECORD_BUDGET && !begins_anew(r, l) ? r->spent : 0;
}

void record_spend(struct record *r, int64_t amount)
{
	if (r->class == RECORD_WINDOW)
		window_spend(&r->window, amount);
	else if (r->class == RECORD_BUDGET)
		r->spent = store_amount(r->spent + amount);
}

static int64_t budget_wait(int64_t end)
{
	if (end == 0)
		return STORE_NEVER;
	int64_t now_s = wall_s();
	return end > now_s ? (end - now_s) * 1000000 : WAIT_FOR_OTHERS_US;
}

int64_t record_wait(struct record_table *t, const struct record *r, const struct store_limit *l)
{
	int64_t amount = store_amount(l->amount), limit = store_amount(l->limit);
	int64_t spent = r ? record_spent(r, l) : 0, excess = spent + (r ? r->reserved : 0) + amount - limit;
	if (excess <= 0)
		return 0;
	if (amount > limit)
		return STORE_NEVER;
	if (spent + amount <= limit)
		return WAIT_FOR_OTHERS_US;
	return r->class == RECORD_WINDOW ? window_wait(&r->window, r->span_s, t->now_us, excess)
					 : budget_wait(begins_anew(r, l) ? l->period_end : r->end);
}
