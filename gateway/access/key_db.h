/*
 * key_db.h: the durable copy of keys made while running, in SQLite; for the main thread.
 */
#ifndef WEIR_ACCESS_KEY_DB_H
#define WEIR_ACCESS_KEY_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct key_db;

/* NULL with one line in `why`. The file is made readable for its owner alone. */
struct key_db *key_db_open(const char *path, struct buf *why);
void key_db_close(struct key_db *db);

const char *key_db_path(const struct key_db *db);
bool key_db_lost(const struct key_db *db);	/* the file was removed, or another one is there */

/* Calls `each` for every record; false with the reason in `why`. */
bool key_db_each(struct key_db *db, void (*each)(struct str record, uint64_t version, void *arg), void *arg, struct buf *why);

bool key_db_put(struct key_db *db, struct str name, struct str record, uint64_t version, struct buf *why);

/* Around several puts. */
bool key_db_begin(struct key_db *db);
bool key_db_commit(struct key_db *db);

#endif
