/*
 * memory_record.h: one limit as memory keeps it, and the table of them that one lock guards.
 *
 * The table's owner holds that lock around every call. What is dead (windows that slid empty,
 * budgets of periods gone by, slots nobody holds) makes room when the bound is reached; what still
 * counts never does.
 */
#ifndef WEIR_STORE_MEMORY_RECORD_H
#define WEIR_STORE_MEMORY_RECORD_H

#include <stdatomic.h>

#include "base/list.h"
#include "store/window.h"

enum record_class { RECORD_WINDOW, RECORD_CONCURRENT, RECORD_BUDGET };

struct record {
	struct record *next;		/* of the same bucket */
	struct list ring;		/* all of the table, for the search for dead ones */
	uint64_t hash;
	enum record_class class;
	unsigned holds;			/* reservations that point here */
	int64_t reserved;
	size_t key_n;
	char *key;			/* behind the record */
	union {				/* last: only windows have room for a window */
		struct {
			int64_t start, end, spent;
		};
		struct {
			int64_t span_s;
			struct window window;
		};
	};
};

struct record_table {
	struct record **buckets;
	size_t mask, n;
	struct list ring;
	uint64_t scope_hash;		/* seeded; of the operation under way, as are these: */
	int64_t now_us;
};

void record_table_init(struct record_table *t);
void record_table_free(struct record_table *t);

/* NULL: there is none. `hash` is kept for record_make(). */
struct record *record_find(struct record_table *t, struct str scope, struct str key, uint64_t *hash);
struct record *record_make(struct record_table *t, struct str scope, const struct store_limit *l, uint64_t hash);
/* Takes away one dead record, looking at a few only, at others the next time. */
bool record_drop_dead(struct record_table *t);

bool record_is(const struct record *r, enum store_kind kind);
/* Windows slide to the present: what anybody may do. */
void record_slide(struct record_table *t, struct record *r, const struct store_limit *l);
/* A later period begins: only for who is going to spend in it. */
void record_begin(struct record *r, const struct store_limit *l);
int64_t record_spent(const struct record *r, const struct store_limit *l);	/* as of the limit's period */
void record_spend(struct record *r, int64_t amount);
/* 0: `l->amount` fits; otherwise how long to wait. The record may be NULL: nothing spent yet. */
int64_t record_wait(struct record_table *t, const struct record *r, const struct store_limit *l);

#endif
