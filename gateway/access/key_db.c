/*
 * key_db.c: one table, a row for each name.
 */
#include "access/key_db.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/mem.h"

enum { BUSY_MS = 1000 };

struct key_db {
	sqlite3 *db;
	sqlite3_stmt *put;
	char *path;
	dev_t device;
	ino_t inode;
};

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=FULL;"
	"CREATE TABLE IF NOT EXISTS keys(name TEXT PRIMARY KEY, version INTEGER NOT NULL, record TEXT NOT NULL) WITHOUT ROWID;";

struct key_db *key_db_open(const char *path, struct buf *why)
{
	static const char put[] = "INSERT INTO keys VALUES(?1,?2,?3) ON CONFLICT(name) DO UPDATE SET version=?2,record=?3 "
				  "WHERE version<?2";
	struct key_db *db = mem_alloc(sizeof(*db));
	mode_t mask = umask(077);
	bool good = sqlite3_open_v2(path, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
		    sqlite3_busy_timeout(db->db, BUSY_MS) == SQLITE_OK &&
		    sqlite3_exec(db->db, schema, NULL, NULL, NULL) == SQLITE_OK &&
		    sqlite3_prepare_v2(db->db, put, -1, &db->put, NULL) == SQLITE_OK;
	umask(mask);
	struct stat st;
	if (good && stat(path, &st) == 0) {
		db->device = st.st_dev;
		db->inode = st.st_ino;
		db->path = mem_copy(str_c(path));
		return db;
	}
	buf_addf(why, "cannot use the file of keys %s: %s. Make its folder writable, or name another one as keys_file", path,
		 db->db ? sqlite3_errmsg(db->db) : "no memory");
	key_db_close(db);
	return NULL;
}

void key_db_close(struct key_db *db)
{
	if (!db)
		return;
	sqlite3_finalize(db->put);
	sqlite3_close(db->db);
	free(db->path);
	free(db);
}

bool key_db_lost(const struct key_db *db)
{
	struct stat st;
	return stat(db->path, &st) < 0 || st.st_dev != db->device || st.st_ino != db->inode;
}

const char *key_db_path(const struct key_db *db)
{
	return db->path;
}

bool key_db_each(struct key_db *db, void (*each)(struct str record, uint64_t version, void *arg), void *arg, struct buf *why)
{
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(db->db, "SELECT record, version FROM keys", -1, &s, NULL);
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(s);
		const char *text = code == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : NULL;
		if (text)
			each(str_of(text, (size_t)sqlite3_column_bytes(s, 0)), (uint64_t)sqlite3_column_int64(s, 1), arg);
	}
	sqlite3_finalize(s);
	if (code != SQLITE_DONE)
		buf_addf(why, "%s", sqlite3_errmsg(db->db));
	return code == SQLITE_DONE;
}

bool key_db_put(struct key_db *db, struct str name, struct str record, uint64_t version, struct buf *why)
{
	sqlite3_reset(db->put);
	sqlite3_bind_text(db->put, 1, name.p, (int)name.n, SQLITE_STATIC);
	sqlite3_bind_int64(db->put, 2, (int64_t)version);
	sqlite3_bind_text(db->put, 3, record.p, (int)record.n, SQLITE_STATIC);
	bool good = sqlite3_step(db->put) == SQLITE_DONE;
	if (!good)
		buf_addf(why, "%s", sqlite3_errmsg(db->db));
	sqlite3_reset(db->put);
	return good;
}

bool key_db_begin(struct key_db *db)
{
	return sqlite3_exec(db->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK;
}

bool key_db_commit(struct key_db *db)
{
	if (sqlite3_exec(db->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
		return true;
	sqlite3_exec(db->db, "ROLLBACK", NULL, NULL, NULL);
	return false;
}
