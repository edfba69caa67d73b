/*
 * price_book.h: tables of prices, and what a target costs by them.
 *
 * Three books lie over each other: the configuration's `prices:`, its `prices_file:`, and
 * the table weir carries. The first that knows a price gives it whole; what is known of
 * the model beside (context, capabilities, retirement) is looked up likewise. Names are
 * "provider/model" or "preset/model".
 */
#ifndef WEIR_CORE_PRICE_BOOK_H
#define WEIR_CORE_PRICE_BOOK_H

#include "core/price.h"

struct target;

struct price_book {
	struct str source;			/* a file's name, or words for it */
	int32_t date;				/* yyyymmdd of its prices; 0: not said */
	const struct model_facts *rows;		/* sorted by the bytes of their names, each name once */
	size_t n;
};

enum unpriced { UNPRICED_REFUSE, UNPRICED_ESTIMATE, UNPRICED_ALLOW };
enum { PRICE_BOOKS = 3 };

struct pricing {
	const struct price_book *books[PRICE_BOOKS];	/* the first has precedence */
	unsigned n;
	enum unpriced unpriced;
};

/* The row of `scope`/`model`, or NULL. */
const struct model_facts *price_book_find(const struct price_book *b, struct str scope, struct str model);

/*
 * Fills in what the books know of `t`: its price, and whatever the configuration did not say
 * of context, most output, features, retirement. A model that no book prices gets an
 * estimate where the policy allows one: the price of the same vendor's model with the longest
 * common name (the dearest of several), else the 90th percentile of the vendor's chat models.
 */
void pricing_apply(const struct pricing *p, struct target *t);

/* Does a book know this model of the vendor? */
bool pricing_knows(const struct pricing *p, struct str preset, struct str model);

/* The newest date of the books that price by table; 0: none is dated. */
int32_t pricing_date(const struct pricing *p);

#endif
