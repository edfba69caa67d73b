/*
 * memory_limits.c: reservations over the records of memory_record.c, shared by all workers.
 *
 * A scope belongs to one of a fixed number of shards, so a reservation takes one lock, however many
 * limits it has. A reservation points to its records, which stay as long as it does; one that lapsed, or
 * was settled without having been granted, is remembered for an hour by its id alone.
 */
#include <pthread.h>

#include "base/clock.h"
#include "base/counters.h"
#include "base/mem.h"
#include "store/memory_parts.h"
#include "store/memory_record.h"

enum { SHARDS = 64, HELD_BUCKETS_FIRST = 64, REMEMBERED_MAX = 16384 };

#define REMEMBER_US (3600 * SECOND_US)

static struct counter_family records_family = {
	.name = "weir_store_limits_in_memory", .help = "Limits and budgets whose use is in this process's memory, of each end user, too.",
	.kind = COUNTER_GAUGE, .scale = 1,
};

enum held_state { HELD_LIVE, HELD_LAPSED, HELD_OVER };

struct hold {
	struct record *record;
	int64_t amount;
};

struct held {
	struct held *next;		/* of the same bucket */
	struct list link;		/* by due time, in `live` or `remembered` */
	uint8_t id[STORE_ID_SIZE];
	enum held_state state;
	int64_t due_us;
	unsigned n;			/* of holds; 0 unless live */
	struct hold holds[];
};

struct shard {
	pthread_mutex_t lock;
	struct record_table table;
	struct held **helds;
	size_t mask, n_helds, n_remembered;
	struct list live, remembered;
};

struct memory_limits {
	int64_t ttl_us;
	int64_t (*clock)(void);
	size_t max;
	_Atomic size_t records;		/* of all shards; dead ones make room from three quarters on */
	struct counter *records_now;
	uint64_t seed;
	_Alignas(64) struct shard shards[SHARDS];
};

/* --- reservations by id --- */

static uint64_t id_hash(const uint8_t id[STORE_ID_SIZE])
{
	uint64_t a, b;
	memcpy(&a, id, sizeof(a));
	memcpy(&b, id + sizeof(a), sizeof(b));
	return (a ^ b) * UINT64_C(0x9e3779b97f4a7c15) >> 20;
}

static struct held **held_at(struct shard *s, const uint8_t id[STORE_ID_SIZE])
{
	struct held **at = &s->helds[id_hash(id) & s->mask];
	while (*at && memcmp((*at)->id, id, STORE_ID_SIZE) != 0)
		at = &(*at)->next;
	return at;
}

static void helds_grow(struct shard *s)
{
	struct held **from = s->helds;
	size_t size = s->mask + 1;
	s->helds = mem_alloc(2 * size * sizeof(*from));
	s->mask = 2 * size - 1;
	for (size_t i = 0; i < size; i++)
		for (struct held *h = from[i], *next; h; h = next) {
			next = h->next;
			struct held **at = &s->helds[id_hash(h->id) & s->mask];
			h->next = *at;
			*at = h;
		}
	free(from);
}

static struct held *held_make(struct shard *s, const uint8_t id[STORE_ID_SIZE], unsigned n)
{
	struct held *h = mem_alloc(sizeof(*h) + n * sizeof(h->holds[0]));
	if (s->n_helds++ > s->mask)
		helds_grow(s);
	memcpy(h->id, id, STORE_ID_SIZE);
	struct held **at = &s->helds[id_hash(id) & s->mask];
	h->next = *at;
	*at = h;
	list_init(&h->link);
	return h;
}

static void held_drop(struct shard *s, struct held *h)
{
	struct held **at = &s->helds[id_hash(h->id) & s->mask];
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	s->n_helds--;
	s->n_remembered -= h->state != HELD_LIVE;
	list_remove(&h->link);
	free(h);
}

static void held_let_go(struct held *h)
{
	for (unsigned i = 0; i < h->n; i++) {
		struct record *x = h->holds[i].record;
		if (!x)
			continue;
		x->reserved -= h->holds[i].amount;
		x->holds--;
	}
	h->n = 0;
}

static void held_remember(struct shard *s, struct held *h, enum held_state state)
{
	s->n_remembered += h->state == HELD_LIVE;
	h->state = state;
	h->due_us = s->table.now_us + REMEMBER_US;
	list_remove(&h->link);
	list_append(&s->remembered, &h->link);
}

static struct held *first_due(struct shard *s, struct list *of)
{
	struct held *h = list_empty(of) ? NULL : list_entry(of->next, struct held, link);
	return h && h->due_us <= s->table.now_us ? h : NULL;
}

static void shard_sweep(struct shard *s)
{
	for (struct held *h; (h = first_due(s, &s->live));) {
		held_let_go(h);
		held_remember(s, h, HELD_LAPSED);
	}
	for (struct held *h; (h = first_due(s, &s->remembered));)
		held_drop(s, h);
	while (s->n_remembered > REMEMBERED_MAX)
		held_drop(s, list_entry(s->remembered.next, struct held, link));
}

/* --- shards --- */

static struct shard *shard_enter(struct memory_limits *m, struct str scope)
{
	uint64_t hash = str_hash_seeded(m->seed, scope);
	struct shard *s = &m->shards[hash % SHARDS];
	pthread_mutex_lock(&s->lock);
	s->table.scope_hash = hash;
	s->table.now_us = m->clock();
	shard_sweep(s);
	return s;
}

static void shard_leave(struct shard *s)
{
	pthread_mutex_unlock(&s->lock);
}

static bool drop_dead(struct memory_limits *m, struct shard *s)
{
	if (!record_drop_dead(&s->table))
		return false;
	m->records--;
	counter_add(m->records_now, -1);
	return true;
}

/* The others are only tried: two that make room at once must not wait for each other. */
static bool make_room(struct memory_limits *m, struct shard *here)
{
	if (drop_dead(m, here))
		return true;
	bool dropped = false;
	for (struct shard *s = m->shards; s < m->shards + SHARDS && !dropped; s++) {
		if (s == here || pthread_mutex_trylock(&s->lock) != 0)
			continue;
		s->table.now_us = here->table.now_us;
		dropped = drop_dead(m, s);
		pthread_mutex_unlock(&s->lock);
	}
	return dropped;
}

/* The limit's record, brought to the present; made when there is none. NULL: full. */
static struct record *record_of(struct memory_limits *m, struct shard *s, struct str scope,
				const struct store_limit *l)
{
	uint64_t hash;
	struct record *r = record_find(&s->table, scope, l->key, &hash);
	if (!r) {
		bool room = m->records < m->max / 4 * 3 || drop_dead(m, s) || m->records < m->max || make_room(m, s);
		if (!room)
			return NULL;
		m->records++;
		counter_add(m->records_now, 1);
		r = record_make(&s->table, scope, l, hash);
	}
	if (record_is(r, l->kind)) {
		record_slide(&s->table, r, l);
		record_begin(r, l);
	}
	return r;
}

/* --- reserving --- */

static void usage_of(struct store_usage *u, const struct record *r, const struct store_limit *l)
{
	*u = (struct store_usage){ .fresh = !r };
	if (!r)
		return;
	u->spent = record_spent(r, l);
	u->reserved = r->reserved;
}

/* Judges all limits and makes nothing; what is found goes to `found`. */
static enum store_result judge(struct shard *s, const struct store_reservation *r, struct store_answer *a,
			       struct record **found)
{
	enum store_result result = STORE_OK;
	uint64_t hash;
	a->retry_us = 0;
	for (unsigned i = 0; i < r->n; i++) {
		const struct store_limit *l = &r->limits[i];
		found[i] = record_find(&s->table, r->scope, l->key, &hash);
		if (found[i] && !record_is(found[i], l->kind))
			return STORE_BROKEN;
		if (found[i])
			record_slide(&s->table, found[i], l);
		usage_of(&a->used[i], found[i], l);
		int64_t wait = record_wait(&s->table, found[i], l);
		if (wait > a->retry_us) {
			a->retry_us = wait;
			a->refused_by = i;
			result = STORE_REFUSED;
		}
	}
	return result;
}

static void hold(struct held *h, unsigned i, struct record *x)
{
	h->holds[i].record = x;
	x->holds++;
}

/*
 * Points to each limit's record before any is changed. Those found come first: making the others drops
 * what nobody holds.
 */
static bool hold_all(struct memory_limits *m, struct shard *s, const struct store_reservation *r,
		     struct record **found, struct held *h)
{
	h->n = r->n;
	for (unsigned i = 0; i < r->n; i++)
		if (found[i])
			hold(h, i, found[i]);
	for (unsigned i = 0; i < r->n; i++) {
		if (found[i])
			continue;
		struct record *x = record_of(m, s, r->scope, &r->limits[i]);
		if (!x || !record_is(x, r->limits[i].kind))
			return false;
		hold(h, i, x);
	}
	return true;
}

static void hold_amounts(struct memory_limits *m, struct shard *s, const struct store_reservation *r,
			 struct held *h, bool spend_requests)
{
	for (unsigned i = 0; i < r->n; i++) {
		struct record *x = h->holds[i].record;
		int64_t amount = store_amount(r->limits[i].amount);
		record_begin(x, &r->limits[i]);
		if (r->limits[i].kind != STORE_REQUESTS) {
			h->holds[i].amount = amount;
			x->reserved += amount;
		} else if (spend_requests) {
			record_spend(x, amount);
		}
	}
	h->state = HELD_LIVE;
	h->due_us = s->table.now_us + m->ttl_us;
	list_append(&s->live, &h->link);
}

static enum store_result grant(struct memory_limits *m, struct shard *s, const struct store_reservation *r,
			       struct record **found, struct store_answer *a)
{
	struct held *h = *held_at(s, r->id);
	if (h)
		return STORE_BROKEN;
	h = held_make(s, r->id, r->n);
	if (!hold_all(m, s, r, found, h)) {
		held_let_go(h);
		held_drop(s, h);
		return STORE_DOWN;
	}
	hold_amounts(m, s, r, h, true);
	for (unsigned i = 0; i < r->n; i++) {
		a->used[i].spent = record_spent(h->holds[i].record, &r->limits[i]);
		a->used[i].reserved = h->holds[i].record->reserved;
	}
	return STORE_OK;
}

enum store_result memory_reserve(struct memory_limits *m, const struct store_reservation *r, struct store_answer *a,
				 bool peek)
{
	struct record *found[STORE_LIMITS_MAX];
	struct shard *s = shard_enter(m, r->scope);
	enum store_result result = judge(s, r, a, found);
	if (result == STORE_OK && !peek)
		result = grant(m, s, r, found, a);
	shard_leave(s);
	return result;
}

/* --- settling --- */

/* Adds what was spent to each limit; a record that is full or broken does not keep the others from it. */
static enum store_result spend_all(struct memory_limits *m, struct shard *s, const struct store_reservation *r,
				   const int64_t *real, bool requests)
{
	enum store_result result = STORE_OK;
	for (unsigned i = 0; i < r->n; i++) {
		const struct store_limit *l = &r->limits[i];
		if (l->kind == STORE_CONCURRENT || (l->kind == STORE_REQUESTS && !requests))
			continue;
		struct record *x = record_of(m, s, r->scope, l);
		if (x && record_is(x, l->kind))
			record_spend(x, store_amount(real[i]));
		else
			result = x ? STORE_BROKEN : STORE_DOWN;
	}
	return result;
}

/* The same of what is held still: its records are at hand. */
static void spend_held(struct shard *s, const struct store_reservation *r, const int64_t *real, const struct held *h)
{
	for (unsigned i = 0; i < h->n && i < r->n; i++) {
		const struct store_limit *l = &r->limits[i];
		struct record *x = h->holds[i].record;
		if (l->kind == STORE_CONCURRENT || l->kind == STORE_REQUESTS)
			continue;
		record_slide(&s->table, x, l);
		record_begin(x, l);
		record_spend(x, store_amount(real[i]));
	}
}

enum store_result memory_settle(struct memory_limits *m, const struct store_reservation *r, const int64_t *real,
				bool unreserved)
{
	struct shard *s = shard_enter(m, r->scope);
	struct held *h = *held_at(s, r->id);
	enum store_result result = STORE_MISSING;
	if (h ? h->state != HELD_OVER : unreserved) {
		bool live = h && h->state == HELD_LIVE;
		if (live)
			spend_held(s, r, real, h);
		if (h)
			held_let_go(h);
		result = live ? STORE_OK : spend_all(m, s, r, real, !h);
		if (unreserved)
			held_remember(s, h ? h : held_make(s, r->id, 0), HELD_OVER);
		else
			held_drop(s, h);
	}
	shard_leave(s);
	return result;
}

/* A lapsed one has let go of its records: it is made anew. */
static enum store_result take_up(struct memory_limits *m, struct shard *s, const struct store_reservation *r,
				 struct held *lapsed)
{
	struct record *none[STORE_LIMITS_MAX] = { NULL };
	struct held *h = held_make(s, r->id, r->n);
	if (!hold_all(m, s, r, none, h)) {
		held_let_go(h);
		held_drop(s, h);
		return STORE_DOWN;
	}
	hold_amounts(m, s, r, h, false);
	held_drop(s, lapsed);
	return STORE_OK;
}

enum store_result memory_renew(struct memory_limits *m, const struct store_reservation *r)
{
	struct shard *s = shard_enter(m, r->scope);
	struct held *h = *held_at(s, r->id);
	enum store_result result = h && h->state != HELD_OVER ? STORE_OK : STORE_MISSING;
	if (result == STORE_OK && h->state == HELD_LAPSED) {
		result = take_up(m, s, r, h);
	} else if (result == STORE_OK) {
		h->due_us = s->table.now_us + m->ttl_us;
		list_remove(&h->link);
		list_append(&s->live, &h->link);
	}
	shard_leave(s);
	return result;
}

enum store_result memory_seed(struct memory_limits *m, struct str scope, const struct store_limit *budget,
			      int64_t spent)
{
	struct shard *s = shard_enter(m, scope);
	struct record *x = record_of(m, s, scope, budget);
	enum store_result result = x ? STORE_BROKEN : STORE_DOWN;
	if (x && record_is(x, STORE_BUDGET)) {
		if (x->start == budget->period_start && x->spent < store_amount(spent))
			x->spent = store_amount(spent);
		result = STORE_OK;
	}
	shard_leave(s);
	return result;
}

void memory_restore(struct memory_limits *m, struct str scope, const struct store_limit *window, int64_t spent, int64_t age_us)
{
	struct shard *s = shard_enter(m, scope);
	struct record *x = record_of(m, s, scope, window);
	if (x && record_is(x, window->kind))
		window_add(&x->window, x->span_s, s->table.now_us - age_us, store_amount(spent));
	shard_leave(s);
}

/* --- life --- */

struct memory_limits *memory_limits_new(unsigned max, int64_t ttl_us, int64_t (*clock)(void))
{
	struct memory_limits *m = aligned_alloc(64, sizeof(*m));
	if (!m)
		abort();
	memset(m, 0, sizeof(*m));
	m->ttl_us = ttl_us;
	m->clock = clock;
	m->max = max;
	m->seed = random_u64();
	m->records_now = counter_of(&records_family, NULL);
	for (struct shard *s = m->shards; s < m->shards + SHARDS; s++) {
		pthread_mutex_init(&s->lock, NULL);
		record_table_init(&s->table);
		s->mask = HELD_BUCKETS_FIRST - 1;
		s->helds = mem_alloc(HELD_BUCKETS_FIRST * sizeof(*s->helds));
		list_init(&s->live);
		list_init(&s->remembered);
	}
	return m;
}

static void helds_free(struct list *of)
{
	list_each(link, of)
		free(list_entry(link, struct held, link));
}

bool memory_limits_crowded(const struct memory_limits *m)
{
	return m->records > m->max / 8 * 7;
}

void memory_limits_free(struct memory_limits *m)
{
	counter_add(m->records_now, -(int64_t)m->records);
	for (struct shard *s = m->shards; s < m->shards + SHARDS; s++) {
		helds_free(&s->live);
		helds_free(&s->remembered);
		free(s->helds);
		record_table_free(&s->table);
		pthread_mutex_destroy(&s->lock);
	}
	free(m);
}
