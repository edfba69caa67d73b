/*
 * counters.c: series, and the pages the threads count on.
 *
 * A series owns a run of cells: one for a sum or a gauge; a histogram has one for each
 * bucket, one for what lies above, and its sum. Each counting thread has cells of its own
 * for all series, made a chunk at a time when first touched, which nobody else writes: so
 * adding is a relaxed load and store in a private cache line. Reading sums all threads
 * and the shared page, which holds what ended threads left, what threads without a page
 * add, and gauges that are set. How it is rendered is in counters_render.c.
 */
#include "base/counters.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/counters_state.h"
#include "base/mem.h"

enum {
	CHUNK_BITS = 12,
	CHUNK_CELLS = 1 << CHUNK_BITS,
	CHUNKS = 512,
	SPARE_CELLS = COUNTER_BUCKETS_MAX + 2	/* where series beyond all cells count, unseen */
};

typedef _Atomic int64_t cell;

struct page {
	struct page *next;
	cell *_Atomic chunks[CHUNKS];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct page shared;
static struct page *pages;		/* of living threads; under the lock */
static uint32_t cells_used;
static struct counter spare;
static _Thread_local struct page *mine;

static struct counter_family dropped = {
	.name = "weir_series_dropped_total", .help = "Series not made because their family was full.",
	.kind = COUNTER_SUM, .scale = 1,
};
static struct counter *dropped_series;	/* under the lock */

struct counter_family *counters_families;
static struct counter_family **families_end = &counters_families;

static cell *chunk_make(struct page *p, uint32_t i)
{
	cell *c = mem_alloc(sizeof(cell) * CHUNK_CELLS);
	atomic_store_explicit(&p->chunks[i], c, memory_order_release);
	return c;
}

/* Adds in a page that only the calling thread writes. */
static inline void bump(struct page *p, uint32_t at, int64_t n)
{
	cell *c = atomic_load_explicit(&p->chunks[at >> CHUNK_BITS], memory_order_relaxed);
	if (unlikely(!c))
		c = chunk_make(p, at >> CHUNK_BITS);
	c += at & (CHUNK_CELLS - 1);
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static cell *shared_cell(uint32_t at)
{
	cell *c = atomic_load_explicit(&shared.chunks[at >> CHUNK_BITS], memory_order_acquire);
	return c + (at & (CHUNK_CELLS - 1));
}

static inline void add(uint32_t at, int64_t n)
{
	if (likely(mine))
		bump(mine, at, n);
	else
		atomic_fetch_add_explicit(shared_cell(at), n, memory_order_relaxed);
}

void counter_add(struct counter *c, int64_t n)
{
	add(c->at, n);
}

void counter_set(struct counter *c, int64_t value)
{
	atomic_store_explicit(shared_cell(c->at), value, memory_order_relaxed);
}

void counter_observe(struct counter *c, uint64_t value)
{
	unsigned i = 0;
	while (i < c->n_bounds && value > c->bounds[i])
		i++;
	add(c->at + i, 1);
	add(c->at + c->n_bounds + 1, (int64_t)value);
}

void counters_thread_begin(void)
{
	if (mine)
		return;
	mine = mem_alloc(sizeof *mine);
	pthread_mutex_lock(&lock);
	mine->next = pages;
	pages = mine;
	pthread_mutex_unlock(&lock);
}

static void fold(struct page *p)
{
	for (uint32_t i = 0; i < CHUNKS; i++) {
		cell *c = atomic_load_explicit(&p->chunks[i], memory_order_relaxed);
		if (!c)
			continue;
		cell *to = shared_cell(i << CHUNK_BITS);
		for (uint32_t k = 0; k < CHUNK_CELLS; k++) {
			int64_t n = atomic_load_explicit(&c[k], memory_order_relaxed);
			if (n)
				atomic_fetch_add_explicit(&to[k], n, memory_order_relaxed);
		}
		free((void *)c);
	}
}

void counters_thread_end(void)
{
	if (!mine)
		return;
	pthread_mutex_lock(&lock);
	struct page **p = &pages;
	while (*p != mine)
		p = &(*p)->next;
	*p = mine->next;
	fold(mine);
	pthread_mutex_unlock(&lock);
	free(mine);
	mine = NULL;
}

void counters_lock(void)
{
	pthread_mutex_lock(&lock);
}

void counters_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

int64_t counter_cell(const struct counter *c, unsigned i)
{
	uint32_t at = c->at + i;
	int64_t sum = atomic_load_explicit(shared_cell(at), memory_order_relaxed);
	for (struct page *p = pages; p; p = p->next) {
		cell *chunk = atomic_load_explicit(&p->chunks[at >> CHUNK_BITS], memory_order_acquire);
		if (chunk)
			sum += atomic_load_explicit(&chunk[at & (CHUNK_CELLS - 1)], memory_order_relaxed);
	}
	return sum;
}

int64_t counter_value(struct counter *c)
{
	bool histogram = c->family && c->family->kind == COUNTER_HISTOGRAM;
	int64_t sum = 0;
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i <= (histogram ? c->n_bounds : 0); i++)
		sum += counter_cell(c, i);
	pthread_mutex_unlock(&lock);
	return sum;
}

/* Where, in a histogram's cells, the `rank`th observation lies, taken as evenly spread in its bucket. */
static double value_at_rank(const struct counter *c, const int64_t *buckets, double rank)
{
	double below = 0;
	for (unsigned i = 0; i < c->n_bounds; i++) {
		double n = (double)buckets[i], low = i ? (double)c->bounds[i - 1] : 0;
		if (n > 0 && below + n >= rank)
			return low + ((double)c->bounds[i] - low) * (rank - below) / n;
		below += n;
	}
	return c->n_bounds ? (double)c->bounds[c->n_bounds - 1] : 0;
}

double counter_quantile(struct counter *c, double q)
{
	int64_t buckets[COUNTER_BUCKETS_MAX + 1], all = 0;
	pthread_mutex_lock(&lock);
	for (unsigned i = 0; i <= c->n_bounds; i++)
		all += buckets[i] = counter_cell(c, i);
	pthread_mutex_unlock(&lock);
	return all > 0 ? value_at_rank(c, buckets, q * (double)all) : -1;
}

/* Cells for one more series; 0 when none are left. Under the lock, as all that follows. */
static uint32_t cells_take(uint32_t n)
{
	if (cells_used == 0) {
		chunk_make(&shared, 0);
		cells_used = SPARE_CELLS;
	}
	uint32_t at = cells_used;
	if (at + n > (uint32_t)CHUNKS * CHUNK_CELLS)
		return 0;
	for (uint32_t i = at >> CHUNK_BITS; i <= (at + n - 1) >> CHUNK_BITS; i++)
		if (!atomic_load_explicit(&shared.chunks[i], memory_order_relaxed))
			chunk_make(&shared, i);
	cells_used = at + n;
	return at;
}

static void family_use(struct counter_family *f)
{
	if (f->state)
		return;
	f->state = mem_alloc(sizeof *f->state);
	f->state->end = &f->state->first;
	*families_end = f;
	families_end = &f->state->next_family;
}

static struct counter *series_find(struct counter_family *f, struct str labels, uint64_t hash)
{
	struct counter *c = f->state->table[hash % COUNTER_TABLE];
	while (c && !str_eq(c->labels, labels))
		c = c->same_hash;
	return c;
}

static struct counter *series_make(struct counter_family *f, struct str labels, uint64_t hash)
{
	uint32_t at = cells_take(f->kind == COUNTER_HISTOGRAM ? f->n_bounds + 2 : 1);
	if (!at)
		return &spare;
	struct counter *c = mem_alloc(sizeof *c);
	c->family = f;
	c->at = at;
	c->bounds = f->bounds;
	c->n_bounds = f->kind == COUNTER_HISTOGRAM ? f->n_bounds : 0;
	c->labels = str_of(mem_copy(labels), labels.n);
	c->same_hash = f->state->table[hash % COUNTER_TABLE];
	f->state->table[hash % COUNTER_TABLE] = c;
	*f->state->end = c;
	f->state->end = &c->next;
	f->state->n++;
	return c;
}

static void add_label_value(struct buf *b, struct str v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];
		if (c == '\n')
			buf_add(b, STR("\\n"));
		else if (c == '"' || c == '\\')
			buf_add(b, str_of((char[]){ '\\', c }, 2));
		else
			buf_addc(b, c);
	}
}

/* name="value",... as it will be shown; it tells series of a family apart. `values` NULL: the overflow series. */
static void add_labels(struct buf *b, const struct counter_family *f, const struct str *values)
{
	for (unsigned i = 0; i < COUNTER_LABELS_MAX && f->labels[i]; i++) {
		buf_addf(b, "%s%s=\"", i ? "," : "", f->labels[i]);
		add_label_value(b, values ? values[i] : STR("other"));
		buf_addc(b, '"');
	}
}

static struct counter *series_of(struct counter_family *f, struct buf *labels)
{
	uint64_t hash = str_hash(buf_str(labels));
	struct counter *c = series_find(f, buf_str(labels), hash);
	if (c)
		return c;
	if (f->state->n < COUNTER_SERIES_MAX && !labels->failed)
		return series_make(f, buf_str(labels), hash);
	counter_add(dropped_series, 1);
	buf_clear(labels);
	add_labels(labels, f, NULL);
	hash = str_hash(buf_str(labels));
	c = series_find(f, buf_str(labels), hash);
	return c ? c : series_make(f, buf_str(labels), hash);
}

struct counter *counter_of(struct counter_family *f, const struct str *values)
{
	struct buf labels = BUF_INIT(4096);
	add_labels(&labels, f, values);
	pthread_mutex_lock(&lock);
	if (!dropped_series) {
		family_use(&dropped);
		dropped_series = series_make(&dropped, STR(""), str_hash(STR("")));
	}
	family_use(f);
	struct counter *c = series_of(f, &labels);
	pthread_mutex_unlock(&lock);
	buf_free(&labels);
	return c;
}
