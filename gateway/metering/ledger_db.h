/*
 * ledger_db.h: the ledger's file: SQLite, one writer, any number of readers. The one file that meets SQLite
 * is ledger_db.c.
 */
#ifndef WEIR_METERING_LEDGER_DB_H
#define WEIR_METERING_LEDGER_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum { LEDGER_TEXT = 128 };

/* One transaction that is over. Texts are cut to fit. */
struct ledger_row {
	int64_t at_us;			/* wall clock, when it ended */
	char id[40];
	char key[LEDGER_TEXT], team[LEDGER_TEXT], tags[LEDGER_TEXT], model[LEDGER_TEXT], target[LEDGER_TEXT];
	const char *endpoint, *error;	/* constant texts; error is NULL for none */
	int status, attempts;
	bool stream, estimated, incomplete;	/* of the cost: by estimate in part; without a part whose price is not known */
	int64_t input, output, cached, cache_write, reasoning;
	int64_t cost;			/* nano-dollars */
	int32_t price_date;		/* of the newest table, yyyymmdd */
	int64_t took_us, first_us;	/* first: 0 for none */
};

struct ledger_db;

/* Makes what is missing. NULL with one line in `why`, which says what to do. */
struct ledger_db *ledger_db_open(const char *path, bool read_only, struct buf *why);
void ledger_db_close(struct ledger_db *db);

/* All rows in one transaction; false with the reason in `why`. */
bool ledger_db_write(struct ledger_db *db, const struct ledger_row *rows, unsigned n, struct buf *why);

/* Forgets rows that ended before; what totals hold stays. */
bool ledger_db_forget(struct ledger_db *db, int64_t before_us);

/* What a key or team ("key" or "team", its name) spent since; `since_us` 0: ever. */
bool ledger_db_spent(struct ledger_db *db, const char *owner, struct str name, int64_t since_us, int64_t *nano, int64_t *tokens);

enum usage_format { USAGE_TABLE, USAGE_CSV, USAGE_JSON };

/*
 * Spending by columns ("key,model"; of key, team, tags, model, target, endpoint, status, day) since then. False when a
 * column is unknown, which `out` then says.
 */
bool ledger_db_usage(struct ledger_db *db, struct str by, int64_t since_us, enum usage_format format, struct buf *out);

#endif
