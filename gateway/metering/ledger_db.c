/*
 * ledger_db.c: two tables: every request, for as long as rows are kept, and what each key and team spent ever.
 */
#include "metering/ledger_db.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "core/money.h"

enum { BUSY_MS = 2000, BY_MAX = 4 };

struct ledger_db {
	sqlite3 *db;
	sqlite3_stmt *insert, *total;
};

static const char schema[] =
	"PRAGMA journal_mode=WAL;"
	"PRAGMA synchronous=NORMAL;"
	"CREATE TABLE IF NOT EXISTS requests("
	" time INTEGER NOT NULL, id TEXT, key TEXT, team TEXT, tags TEXT, model TEXT, target TEXT, endpoint TEXT, status INTEGER,"
	" error TEXT, attempts INTEGER, stream INTEGER, input INTEGER, output INTEGER, cached INTEGER, cache_write INTEGER,"
	" reasoning INTEGER, cost INTEGER, cost_estimated INTEGER, cost_incomplete INTEGER, price_date INTEGER, us INTEGER,"
	" first_us INTEGER);"
	"CREATE INDEX IF NOT EXISTS requests_time ON requests(time);"
	"CREATE TABLE IF NOT EXISTS totals(owner TEXT, name TEXT, cost INTEGER, tokens INTEGER, PRIMARY KEY(owner, name)) WITHOUT ROWID;";

static void *fail(struct ledger_db *db, const char *path, struct buf *why)
{
	buf_addf(why, "cannot use the ledger %s: %s. Make its folder writable, name another file, or say `ledger: off`", path,
		 db->db ? sqlite3_errmsg(db->db) : "no memory");
	ledger_db_close(db);
	return NULL;
}

struct ledger_db *ledger_db_open(const char *path, bool read_only, struct buf *why)
{
	static const char insert[] = "INSERT INTO requests VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
	static const char total[] = "INSERT INTO totals VALUES(?1,?2,?3,?4) ON CONFLICT(owner,name) DO UPDATE SET cost=cost+?3,"
				    "tokens=tokens+?4";
	struct ledger_db *db = mem_alloc(sizeof(*db));
	int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	if (sqlite3_open_v2(path, &db->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
		return fail(db, path, why);
	sqlite3_busy_timeout(db->db, BUSY_MS);
	if (read_only)
		return db;
	if (sqlite3_exec(db->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db->db, insert, -1, &db->insert, NULL) != SQLITE_OK ||
	    sqlite3_prepare_v2(db->db, total, -1, &db->total, NULL) != SQLITE_OK)
		return fail(db, path, why);
	return db;
}

void ledger_db_close(struct ledger_db *db)
{
	if (!db)
		return;
	sqlite3_finalize(db->insert);
	sqlite3_finalize(db->total);
	sqlite3_close(db->db);
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

static bool execute(struct ledger_db *db, const char *sql)
{
	return sqlite3_exec(db->db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

bool ledger_db_write(struct ledger_db *db, const struct ledger_row *rows, unsigned n, struct buf *why)
{
	bool good = execute(db, "BEGIN IMMEDIATE");
	for (unsigned i = 0; i < n && good; i++)
		good = insert_row(db, &rows[i]) && add_total(db, "key", rows[i].key, &rows[i]) &&
		       add_total(db, "team", rows[i].team, &rows[i]);
	good = good && execute(db, "COMMIT");
	if (good)
		return true;
	buf_addf(why, "%s", sqlite3_errmsg(db->db));
	execute(db, "ROLLBACK");
	return false;
}

bool ledger_db_forget(struct ledger_db *db, int64_t before_us)
{
	char sql[96];
	sqlite3_snprintf(sizeof(sql), sql, "DELETE FROM requests WHERE time < %lld", (long long)before_us);
	return execute(db, sql);
}

/* --- asking --- */

bool ledger_db_spent(struct ledger_db *db, const char *owner, struct str name, int64_t since_us, int64_t *nano, int64_t *tokens)
{
	bool team = strcmp(owner, "team") == 0;
	const char *sql = since_us == 0 ? "SELECT cost, tokens FROM totals WHERE owner = ?3 AND name = ?1" :
			  team ? "SELECT sum(cost), sum(input + output) FROM requests WHERE team = ?1 AND time >= ?2" :
				 "SELECT sum(cost), sum(input + output) FROM requests WHERE key = ?1 AND time >= ?2";
	sqlite3_stmt *s = NULL;
	*nano = *tokens = 0;
	if (sqlite3_prepare_v2(db->db, sql, -1, &s, NULL) != SQLITE_OK)
		return false;
	sqlite3_bind_text(s, 1, name.p, (int)name.n, SQLITE_STATIC);
	if (since_us)
		sqlite3_bind_int64(s, 2, since_us);
	else
		sqlite3_bind_text(s, 3, owner, -1, SQLITE_STATIC);
	bool found = sqlite3_step(s) == SQLITE_ROW;
	*nano = found ? sqlite3_column_int64(s, 0) : 0;
	*tokens = found ? sqlite3_column_int64(s, 1) : 0;
	sqlite3_finalize(s);
	return true;
}

/* --- reports --- */

static const struct { struct str name; const char *sql; } columns[] = {
	{ STR_INIT("key"), "key" }, { STR_INIT("team"), "team" }, { STR_INIT("tags"), "tags" }, { STR_INIT("model"), "model" },
	{ STR_INIT("target"), "target" }, { STR_INIT("endpoint"), "endpoint" }, { STR_INIT("status"), "status" },
	{ STR_INIT("day"), "date(time / 1000000, 'unixepoch')" },
};

static const char *column_of(struct str name)
{
	for (size_t i = 0; i < array_len(columns); i++)
		if (str_eq(columns[i].name, name))
			return columns[i].sql;
	return NULL;
}

/* "SELECT key, model, count(*) ..."; false when a column is unknown. */
static bool write_query(struct str by, struct str names[BY_MAX], int *n, struct buf *sql, struct buf *out)
{
	struct buf group = BUF_INIT(1024);
	struct str name;
	bool good = true;
	*n = 0;
	buf_add(sql, STR("SELECT "));
	while (good && str_split(&by, ',', &name)) {
		const char *column = column_of(str_trim(name));
		good = column && *n < BY_MAX;
		if (!good) {
			buf_addf(out, "cannot report by `%.*s`: there are key, team, tags, model, target, endpoint, status, day, at most %d\n",
				 STR_FMT(str_head(name, 40)), BY_MAX);
			break;
		}
		names[(*n)++] = str_trim(name);
		buf_addf(sql, "%s, ", column);
		buf_addf(&group, "%s%s", *n > 1 ? ", " : "", column);
	}
	buf_add(sql, STR("count(*), sum(status >= 400), sum(input), sum(output), sum(cost), sum(cost_estimated * cost) "
			 "FROM requests WHERE time >= ?1 GROUP BY "));
	buf_add(sql, buf_str(&group));
	buf_add(sql, STR(" ORDER BY sum(cost) DESC, count(*) DESC"));
	buf_addc(sql, '\0');
	buf_free(&group);
	return good;
}

enum { COUNTS = 6 };
static const char *const count_names[COUNTS] = { "requests", "failed", "input", "output", "cost_usd", "estimated_usd" };

static struct str cell(sqlite3_stmt *s, int i, int n, char money[MONEY_SIZE])
{
	const unsigned char *text = sqlite3_column_text(s, i);
	if (i >= n + 4)
		return money_format(money, sqlite3_column_int64(s, i));
	return text ? str_of((const char *)text, (size_t)sqlite3_column_bytes(s, i)) : i < n ? STR("-") : STR("0");
}

static void write_csv_row(sqlite3_stmt *s, int n, struct buf *out)
{
	char money[MONEY_SIZE];
	for (int i = 0; i < n + COUNTS; i++) {
		struct str text = cell(s, i, n, money);
		bool quoted = str_chr(text, ',') >= 0 || str_chr(text, '"') >= 0;
		buf_add(out, i ? STR(",") : STR(""));
		for (size_t k = 0; quoted && k <= text.n; k++) {
			if (k == 0 || k == text.n)
				buf_addc(out, '"');
			if (k < text.n && text.p[k] == '"')
				buf_addc(out, '"');
			if (k < text.n)
				buf_addc(out, text.p[k]);
		}
		if (!quoted)
			buf_add(out, text);
	}
	buf_addc(out, '\n');
}

static void write_json_row(sqlite3_stmt *s, const struct str *names, int n, bool first, struct buf *out)
{
	char money[MONEY_SIZE];
	buf_add(out, first ? STR("{") : STR(",\n {"));
	for (int i = 0; i < n; i++) {
		buf_add_json(out, names[i]);
		buf_addc(out, ':');
		buf_add_json(out, cell(s, i, n, money));
		buf_addc(out, ',');
	}
	for (int i = 0; i < COUNTS; i++) {
		buf_addf(out, "%s\"%s\":", i ? "," : "", count_names[i]);
		buf_add(out, cell(s, n + i, n, money));
	}
	buf_addc(out, '}');
}

static void write_table_row(sqlite3_stmt *s, int n, struct buf *out)
{
	char money[MONEY_SIZE];
	for (int i = 0; i < n; i++)
		buf_addf(out, "%-32.*s ", STR_FMT(cell(s, i, n, money)));
	for (int i = n; i < n + COUNTS; i++)
		buf_addf(out, "%14.*s", STR_FMT(cell(s, i, n, money)));
	buf_addc(out, '\n');
}

static void write_head(const struct str *names, int n, enum usage_format format, struct buf *out)
{
	for (int i = 0; i < n && format == USAGE_TABLE; i++)
		buf_addf(out, "%-32.*s ", STR_FMT(names[i]));
	for (int i = 0; i < n && format == USAGE_CSV; i++)
		buf_addf(out, "%.*s,", STR_FMT(names[i]));
	for (int i = 0; i < COUNTS && format != USAGE_JSON; i++)
		buf_addf(out, format == USAGE_TABLE ? "%14s" : i ? ",%s" : "%s", count_names[i]);
	buf_add(out, format == USAGE_JSON ? STR("{\"usage\":[") : STR("\n"));
}

bool ledger_db_usage(struct ledger_db *db, struct str by, int64_t since_us, enum usage_format format, struct buf *out)
{
	struct buf sql = BUF_INIT(4096);
	struct str names[BY_MAX];
	sqlite3_stmt *s = NULL;
	int n;
	bool good = write_query(by, names, &n, &sql, out);
	if (good && sqlite3_prepare_v2(db->db, sql.p, -1, &s, NULL) != SQLITE_OK) {
		buf_addf(out, "%s\n", sqlite3_errmsg(db->db));
		good = false;
	}
	buf_free(&sql);
	if (!good)
		return false;
	sqlite3_bind_int64(s, 1, since_us);
	write_head(names, n, format, out);
	for (bool first = true; sqlite3_step(s) == SQLITE_ROW; first = false) {
		if (format == USAGE_JSON)
			write_json_row(s, names, n, first, out);
		else if (format == USAGE_CSV)
			write_csv_row(s, n, out);
		else
			write_table_row(s, n, out);
	}
	if (format == USAGE_JSON)
		buf_add(out, STR("]}\n"));
	sqlite3_finalize(s);
	return true;
}
