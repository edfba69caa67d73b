/*
 * ledger_db.c: every request for as long as rows are kept, what each key and team spent ever, and what budgets
 * spent in their present periods.
 */
#include "metering/ledger_db.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

enum { BUSY_MS = 2000 };

struct ledger_db {
	sqlite3 *db;
	sqlite3_stmt *insert, *total, *period;
	char *path;
	struct stat file;	/* that was opened */
};

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=NORMAL;"
	"CREATE TABLE IF NOT EXISTS requests("
	" time INTEGER NOT NULL, id TEXT, key TEXT, team TEXT, tags TEXT, model TEXT, target TEXT, endpoint TEXT, status INTEGER,"
	" error TEXT, attempts INTEGER, stream INTEGER, input INTEGER, output INTEGER, cached INTEGER, cache_write INTEGER,"
	" reasoning INTEGER, cost INTEGER, cost_estimated INTEGER, cost_incomplete INTEGER, price_date INTEGER, us INTEGER,"
	" first_us INTEGER, cache TEXT, rule TEXT);"
	"CREATE INDEX IF NOT EXISTS requests_time ON requests(time);"
	"CREATE TABLE IF NOT EXISTS totals(owner TEXT, name TEXT, cost INTEGER, tokens INTEGER, PRIMARY KEY(owner, name)) WITHOUT ROWID;"
	"CREATE TABLE IF NOT EXISTS periods(scope TEXT, name TEXT, began INTEGER, ends INTEGER, amount INTEGER, seen INTEGER,"
	" span INTEGER DEFAULT 0, PRIMARY KEY(scope, name, began)) WITHOUT ROWID;";

/* A file of before these columns. */
static const char columns_added[] = "ALTER TABLE requests ADD COLUMN cache TEXT; ALTER TABLE requests ADD COLUMN rule TEXT;";
static const char span_added[] = "ALTER TABLE periods ADD COLUMN span INTEGER DEFAULT 0;";

static const char insert_sql[] = "INSERT INTO requests VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
static const char total_sql[] = "INSERT INTO totals VALUES(?1,?2,?3,?4) ON CONFLICT(owner,name) DO UPDATE SET cost=cost+?3,"
				"tokens=tokens+?4";
static const char period_sql[] = "INSERT INTO periods VALUES(?1,?2,?3,?4,?5,?6,?7) ON CONFLICT(scope,name,began) DO UPDATE SET "
				 "ends=?4,amount=amount+?5,seen=max(seen,?6)";

static void *fail(struct ledger_db *db, const char *path, struct buf *why)
{
	buf_addf(why, "cannot use the ledger %s: %s. Make its folder writable, name another file, or say `ledger: off`", path,
		 db->db ? sqlite3_errmsg(db->db) : "no memory");
	ledger_db_close(db);
	return NULL;
}

static bool prepare(struct ledger_db *db, const char *sql, sqlite3_stmt **to)
{
	return sqlite3_prepare_v2(db->db, sql, -1, to, NULL) == SQLITE_OK;
}

static bool execute(struct ledger_db *db, const char *sql)
{
	return sqlite3_exec(db->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* How many columns a table has; 0: it cannot be read. */
static int columns_of(struct ledger_db *db, const char *select)
{
	sqlite3_stmt *all = NULL;
	int n = prepare(db, select, &all) ? sqlite3_column_count(all) : 0;
	sqlite3_finalize(all);
	return n;
}

static bool make_tables(struct ledger_db *db)
{
	if (!execute(db, schema))
		return false;
	int requests = columns_of(db, "SELECT * FROM requests"), periods = columns_of(db, "SELECT * FROM periods");
	return requests && periods && (requests != 23 || execute(db, columns_added)) && (periods != 6 || execute(db, span_added));
}

struct ledger_db *ledger_db_open(const char *path, bool read_only, struct buf *why)
{
	struct ledger_db *db = mem_alloc(sizeof(*db));
	int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	db->path = mem_copy(str_c(path));
	if (sqlite3_open_v2(path, &db->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return fail(db, path, why);
	sqlite3_busy_timeout(db->db, BUSY_MS);
	if (read_only)
		return db;
	if (!make_tables(db) || !prepare(db, insert_sql, &db->insert) || !prepare(db, total_sql, &db->total) ||
	    !prepare(db, period_sql, &db->period) || stat(path, &db->file) != 0)
		return fail(db, path, why);
	return db;
}

void ledger_db_close(struct ledger_db *db)
{
	if (!db)
		return;
	sqlite3_finalize(db->insert);
	sqlite3_finalize(db->total);
	sqlite3_finalize(db->period);
	sqlite3_close(db->db);
	free(db->path);
	free(db);
}

/* --- writing --- */

static void bind_text(sqlite3_stmt *s, int i, const char *text)
{
	if (text && *text)
		sqlite3_bind_text(s, i, text, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(s, i);
}

static bool insert_row(struct ledger_db *db, const struct ledger_row *r)
{
	const char *texts[] = { r->id, r->key, r->team, r->tags, r->model, r->target, r->endpoint };
	const int64_t numbers[] = { r->attempts, r->stream, r->input, r->output, r->cached, r->cache_write, r->reasoning, r->cost,
				    r->estimated, r->incomplete, r->price_date, r->took_us, r->first_us };
	int at = 1;
	sqlite3_reset(db->insert);
	sqlite3_bind_int64(db->insert, at++, r->at_us);
	for (size_t i = 0; i < array_len(texts); i++)
		bind_text(db->insert, at++, texts[i]);
	sqlite3_bind_int(db->insert, at++, r->status);
	bind_text(db->insert, at++, r->error);
	for (size_t i = 0; i < array_len(numbers); i++)
		sqlite3_bind_int64(db->insert, at++, numbers[i]);
	bind_text(db->insert, at++, r->cache);
	bind_text(db->insert, at, r->rule);
	return sqlite3_step(db->insert) == SQLITE_DONE;
}

static bool add_total(struct ledger_db *db, const char *owner, const char *name, const struct ledger_row *r)
{
	if (!*name || (r->cost == 0 && r->input + r->output == 0))
		return true;
	sqlite3_reset(db->total);
	bind_text(db->total, 1, owner);
	bind_text(db->total, 2, name);
	sqlite3_bind_int64(db->total, 3, r->cost);
	sqlite3_bind_int64(db->total, 4, r->input + r->output);
	return sqlite3_step(db->total) == SQLITE_DONE;
}

static void bind_str(sqlite3_stmt *s, int i, struct str text)
{
	sqlite3_bind_text(s, i, text.p, (int)text.n, SQLITE_STATIC);
}

static bool add_periods(struct ledger_db *db, const struct spending *s)
{
	bool good = true;
	for (unsigned i = 0; s && i < s->n && good; i++) {
		const struct spending_part *p = &s->parts[i];
		const int64_t numbers[] = { p->period_start, p->period_end, p->amount, p->seen, p->span_s };
		sqlite3_reset(db->period);
		bind_str(db->period, 1, s->scope);
		bind_str(db->period, 2, p->key);
		for (size_t k = 0; k < array_len(numbers); k++)
			sqlite3_bind_int64(db->period, 3 + (int)k, numbers[k]);
		good = sqlite3_step(db->period) == SQLITE_DONE;
	}
	return good;
}

bool ledger_db_write(struct ledger_db *db, const struct ledger_row *rows, unsigned n, struct buf *why)
{
	bool good = execute(db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < n && good; i++)
		good = insert_row(db, &rows[i]) && add_total(db, "key", rows[i].key, &rows[i]) &&
		       add_total(db, "team", rows[i].team, &rows[i]) && add_periods(db, rows[i].spending);
	good = good && execute(db, "COMMIT");
	if (good)
		return true;
	buf_addf(why, "%s", sqlite3_errmsg(db->db));
	sqlite3_reset(db->insert);
	sqlite3_reset(db->total);
	sqlite3_reset(db->period);
	execute(db, "ROLLBACK");
	return false;
}

bool ledger_db_lost(const struct ledger_db *db)
{
	struct stat now;
	return stat(db->path, &now) != 0 || now.st_ino != db->file.st_ino || now.st_dev != db->file.st_dev;
}

bool ledger_db_forget(struct ledger_db *db, int64_t before_us)
{
	char sql[192];
	sqlite3_snprintf(sizeof(sql), sql, "DELETE FROM requests WHERE time < %lld; "
			 "DELETE FROM periods WHERE ends > 0 AND ends < strftime('%%s','now')-86400", (long long)before_us);
	return execute(db, sql);
}

/* --- asking --- */

static struct str text_at(sqlite3_stmt *s, int i)
{
	const unsigned char *text = sqlite3_column_text(s, i);
	return text ? str_of((const char *)text, (size_t)sqlite3_column_bytes(s, i)) : STR_NONE;
}

bool ledger_db_spent(struct ledger_db *db, const char *owner, struct str name, int64_t since_us, int64_t until_us, int64_t *nano,
		     int64_t *tokens)
{
	bool team = strcmp(owner, "team") == 0;
	const char *sql = since_us == 0 ? "SELECT cost, tokens FROM totals WHERE owner = ?3 AND name = ?1" :
			  team ? "SELECT sum(cost), sum(input + output) FROM requests WHERE team = ?1 AND time >= ?2 AND time < ?4" :
				 "SELECT sum(cost), sum(input + output) FROM requests WHERE key = ?1 AND time >= ?2 AND time < ?4";
	sqlite3_stmt *s = NULL;
	*nano = *tokens = 0;
	if (sqlite3_prepare_v2(db->db, sql, -1, &s, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_text(s, 1, name.p, (int)name.n, SQLITE_STATIC);
	if (since_us) {
		sqlite3_bind_int64(s, 2, since_us);
		sqlite3_bind_int64(s, 4, until_us);
	} else {
		sqlite3_bind_text(s, 3, owner, -1, SQLITE_STATIC);
	}
	bool found = sqlite3_step(s) == SQLITE_ROW;
	*nano = found ? sqlite3_column_int64(s, 0) : 0;
	*tokens = found ? sqlite3_column_int64(s, 1) : 0;
	sqlite3_finalize(s);
	return true;
}

static struct spending_part part_at(sqlite3_stmt *s, int first)
{
	return (struct spending_part){
		.period_start = sqlite3_column_int64(s, first), .period_end = sqlite3_column_int64(s, first + 1),
		.amount = sqlite3_column_int64(s, first + 2), .seen = sqlite3_column_int64(s, first + 3),
		.span_s = sqlite3_column_int64(s, first + 4),
	};
}

bool ledger_db_oldest(struct ledger_db *db, struct str scope, struct str name, struct spending_part *p)
{
	sqlite3_stmt *s = NULL;
	if (!prepare(db, "SELECT began, ends, amount, seen, span FROM periods WHERE scope = ?1 AND name = ?2 ORDER BY began", &s))
		return false;
	bind_str(s, 1, scope);
	bind_str(s, 2, name);
	bool found = sqlite3_step(s) == SQLITE_ROW;
	if (found)
		*p = part_at(s, 0);
	sqlite3_finalize(s);
	return found;
}

int ledger_db_periods(struct ledger_db *db, int64_t now_s, void (*each)(void *arg, struct str scope, const struct spending_part *p),
		      void *arg)
{
	sqlite3_stmt *s = NULL;
	int n = 0;
	if (!prepare(db, "SELECT scope, name, began, ends, amount, seen, span FROM periods WHERE ends = 0 OR ends > ?1", &s))
		return 0;
	for (sqlite3_bind_int64(s, 1, now_s); sqlite3_step(s) == SQLITE_ROW; n++) {
		struct str scope = text_at(s, 0);
		struct spending_part p = part_at(s, 2);
		p.key = text_at(s, 1);
		each(arg, scope, &p);
	}
	sqlite3_finalize(s);
	return n;
}

/* --- reports --- */

static const char *const columns[USAGE_COLUMNS] = {
	[USAGE_KEY] = "key", [USAGE_TEAM] = "team", [USAGE_TAGS] = "tags", [USAGE_MODEL] = "model", [USAGE_TARGET] = "target",
	[USAGE_ENDPOINT] = "endpoint", [USAGE_STATUS] = "status", [USAGE_DAY] = "date(time / 1000000, 'unixepoch')",
};

static void write_query(const struct usage_report *r, struct buf *sql)
{
	buf_add(sql, STR("SELECT "));
	for (unsigned i = 0; i < r->n_by; i++)
		buf_addf(sql, "%s, ", columns[r->by[i]]);
	buf_add(sql, STR("count(*), sum(status >= 400), sum(input), sum(output), sum(cost), sum(cost_estimated * cost) "
			 "FROM requests WHERE time >= ?1 GROUP BY "));
	for (unsigned i = 0; i < r->n_by; i++)
		buf_addf(sql, "%s%s", i ? ", " : "", columns[r->by[i]]);
	buf_addc(sql, '\0');
}

bool ledger_db_usage(struct ledger_db *db, int64_t since_us, struct usage_report *r, struct buf *why)
{
	struct buf sql = BUF_INIT(4096);
	struct str cells[USAGE_BY_MAX];
	sqlite3_stmt *s = NULL;
	int n = (int)r->n_by;
	write_query(r, &sql);
	bool good = prepare(db, sql.p, &s);
	if (good)
		sqlite3_bind_int64(s, 1, since_us);
	int step = good ? sqlite3_step(s) : SQLITE_DONE;
	for (; step == SQLITE_ROW; step = sqlite3_step(s)) {
		const struct usage_counts c = {
			sqlite3_column_int64(s, n), sqlite3_column_int64(s, n + 1), sqlite3_column_int64(s, n + 2),
			sqlite3_column_int64(s, n + 3), sqlite3_column_int64(s, n + 4), sqlite3_column_int64(s, n + 5),
		};
		for (int i = 0; i < n; i++)
			cells[i] = text_at(s, i);
		usage_report_add(r, cells, &c);
	}
	good = good && step == SQLITE_DONE;
	if (!good)
		buf_addf(why, "cannot read the ledger: %s", sqlite3_errmsg(db->db));
	buf_free(&sql);
	sqlite3_finalize(s);
	return good;
}
