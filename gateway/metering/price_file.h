/*
 * price_file.h: a table of prices as text, comma separated.
 *
 * The first line that is no comment (#) names the columns, in any order; `model` must be among
 * them. Prices are US dollars per million tokens, `request` dollars a request; an empty
 * field is unknown. `above` has up to three tiers "TOKENS:input/output/cached", separated
 * by blanks, tokens rising; `flex`, `priority`, `batch` "input/output/cached". A comment's first date (yyyy-mm-dd)
 * is the table's. Without quotes: a model's name has no comma.
 */
#ifndef WEIR_METERING_PRICE_FILE_H
#define WEIR_METERING_PRICE_FILE_H

#include "base/arena.h"
#include "core/price_book.h"

enum { PRICE_FILE_MAX = 8 * 1024 * 1024 };

struct price_fault {
	unsigned line, column;		/* from 1 */
	char message[160];
};

/*
 * Names point into `text`, rows lie in `arena`: both must live as long as the book. False: the first mistake
 * stands in `fault` and the book is empty.
 */
bool price_file_parse(struct str text, struct arena *arena, struct price_book *book, struct price_fault *fault) must_check;

/* The table that is part of the binary; read once, shared by all. */
const struct price_book *price_file_builtin(void);

#endif
