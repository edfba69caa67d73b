/*
 * items.h: a batch of embeddings that is looked up, bought and kept item by item.
 *
 * Each item lies in the store as the answer to a request for it alone. What is not there is asked for as a smaller batch,
 * the same item once; what comes of it is put together with what was there, in the caller's order. The caller's usage is
 * that of all items, as if all had been asked for; what is paid and metered is that of the smaller batch.
 */
#ifndef WEIR_CACHE_ITEMS_H
#define WEIR_CACHE_ITEMS_H

#include "base/digest.h"
#include "cache/batch.h"
#include "cache/batch_answer.h"
#include "cache/cached.h"

enum { ITEMS_BYTES = 32 << 20 };	/* of the answers of one batch that are looked up, and of what is made of them */

struct cache_item {
	struct store_call call;
	struct cache_items *all;
	bool asking, bought;
	struct str input;		/* in the request as it came */
	uint64_t weight;		/* its part of what a batch costs: tokens, or bytes of text */
	char key[CACHE_KEY_SIZE];
	unsigned first;			/* where it stands first in the batch: there it is asked for and kept */
	struct buf found, unpacked;	/* its answer in the store */
	struct entry entry;		/* no type: there is none that can be read */
	const char *missed;		/* why it is asked for; NULL: it is known */
	struct batch_frame frame;
	struct batch_vector vector;
};

struct cache_items {
	struct sink sink;		/* where the smaller batch's answer becomes that of the whole */
	struct cached *c;
	struct str body;		/* of the request as it came */
	struct shared_bytes *shared;	/* the same, as core/call.h has them */
	const struct json_scan *json;
	size_t input_at, input_length;	/* in `body` */
	unsigned asking;		/* the store is to say of so many; one more while they are told */
	unsigned n_known;		/* by places in the batch */
	unsigned n_bought;		/* items that are asked for, each once */
	size_t bytes;			/* of what the store said */
	bool narrowed;			/* the request is the smaller batch */
	bool merging, told, refused;	/* of the sink: at work; has said all but the end; this was an error */
	char told_items[16];		/* x-weir-cache-items */
	struct batch_frame frame;	/* of the provider's answer */
	struct buf answer;		/* it, while the sink is at work */
	unsigned n;
	struct cache_item item[];
};

/* Of a batch of two or more. NULL: there is no memory for it. */
struct cache_items *items_new(struct cached *c, const struct batch *b);
void items_free(struct cache_items *s);

/* Asks the store for all of them at once. */
void items_ask(struct cache_items *s);
void items_stop(struct cache_items *s);

/* Once it has said all: is every item there, and young enough? Then c->entry is the whole answer. Else why the first one is not. */
const char *items_judge(struct cache_items *s);
/* The same of answers that are up to `over_us` over their time. */
bool items_stale(struct cache_items *s, int64_t over_us);

/* Cuts the request down to what is not known. */
void items_narrow(struct cache_items *s);

/* --- items_answer.c --- */

/* Makes c->entry the whole answer. False: it grew too large. */
bool items_compose(struct cache_items *s);
/* The smaller batch goes out: its answer will be put together with what is known. Behind lead_begin(). */
void items_begin(struct cache_items *s);
/* Counts its items and tells the caller; `known`: how the metrics call those that are. */
void items_count(struct cache_items *s, const char *known);
/*
 * Keeps what was bought, out of the flight's record where nothing was put together. The last one is left to be kept: its entry, written by
 * way of the two buffers, and its key. STR_NONE: nothing is.
 */
struct str items_keep(struct cache_items *s, const struct buf *recorded, struct buf *entry, struct buf *small, struct str *key);

#endif
