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
#include "core/spending.h"
#include "metering/ledger_row.h"
#include "metering/usage_report.h"

struct ledger_db;

/* Makes what is missing. NULL with one line in `why`, which says what to do. */
struct ledger_db *ledger_db_open(const char *path, bool read_only, struct buf *why);
void ledger_db_close(struct ledger_db *db);

/* All rows and what they spent of budgets in one transaction; false with the reason in `why`. */
bool ledger_db_write(struct ledger_db *db, const struct ledger_row *rows, unsigned n, struct buf *why);

/* The file is not there any more, or another one is: what is written would be seen by nobody. */
bool ledger_db_lost(const struct ledger_db *db);

/* Forgets rows that ended before, and budgets' periods that are over; what totals hold stays. */
bool ledger_db_forget(struct ledger_db *db, int64_t before_us);

/* What a key or team ("key" or "team", its name) spent since, and before `until_us`; `since_us` 0: ever. */
bool ledger_db_spent(struct ledger_db *db, const char *owner, struct str name, int64_t since_us, int64_t until_us, int64_t *nano,
		     int64_t *tokens);

/* The oldest part of a rolling budget that the roll-up holds, without its names. False: none. */
bool ledger_db_oldest(struct ledger_db *db, struct str scope, struct str name, struct spending_part *p);

/*
 * Every budget's present period, and the parts of rolling ones: `amount` is what this process's requests spent of it, `seen` the most that the store
 * told. Returns how many there were.
 */
int ledger_db_periods(struct ledger_db *db, int64_t now_s, void (*each)(void *arg, struct str scope, const struct spending_part *p),
		      void *arg);

/* Spending since then, into a report that names its columns. False with a line in `why`. */
bool ledger_db_usage(struct ledger_db *db, int64_t since_us, struct usage_report *r, struct buf *why);

#endif
