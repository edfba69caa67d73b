/*
 * keys.c: the book's other homes: a file, and Redis.
 *
 * In Redis a hash holds "version live record" by name, a sorted set names by version, a counter the last version; they
 * share one hash tag. A replica asks for names above the highest version it has. A counter lower than
 * that was flushed away: whoever sees it puts back what it knows.
 */
#include "keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "access/key_book.h"
#include "access/key_db.h"
#include "access/made_keys.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/load.h"
#include "wire/json_cursor.h"

static const int64_t POLL_US = 300 * MS_US, FIRST_POLL_US = 10 * MS_US, START_US = 500 * MS_US;

static const char write_script[] =
	"local old = redis.call('HGET', KEYS[1], ARGV[1])\n"
	"local v, live = '0', '0'\n"
	"if old then v, live = string.match(old, '^(%d+) (%d) ') end\n"
	"if ARGV[2] == '0' and live == '1' or ARGV[2] ~= '0' and v ~= ARGV[2] then return 'conflict' end\n"
	"local n = string.format('%d', redis.call('INCR', KEYS[3]))\n"
	"redis.call('HSET', KEYS[1], ARGV[1], n .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])\n"
	"redis.call('ZADD', KEYS[2], n, ARGV[1])\n"
	"return n\n";

static const char read_script[] =
	"local names = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[1], '+inf', 'LIMIT', 0, 200)\n"
	"local out = { redis.call('GET', KEYS[3]) or '0' }\n"
	"for _, name in ipairs(names) do out[#out + 1] = redis.call('HGET', KEYS[1], name) end\n"
	"return table.concat(out, '\\n')\n";

static const char seed_script[] =
	"if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then\n"
	"  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])\n"
	"  redis.call('ZADD', KEYS[2], ARGV[2], ARGV[1])\n"
	"end\n"
	"if tonumber(redis.call('GET', KEYS[3]) or '0') < tonumber(ARGV[5]) then redis.call('SET', KEYS[3], ARGV[5]) end\n"
	"return 'seeded'\n";

static struct {
	struct key_db *db;		/* NULL: no file */
	struct store *store;		/* NULL: no Redis */
	struct timer poll;
	struct store_call call;		/* the poll's */
	bool asking;
	bool starting;			/* the loop runs for its first answer only */
	uint64_t seen;			/* the highest version that was read, or is the book's own */
	struct key_record **seeds;	/* to be put back into a Redis that lost them */
	unsigned n_seeds, next_seed;
} keys;

bool keys_kept(void)
{
	return keys.db || keys.store;
}

/* --- the file --- */

static void on_row(struct str record, uint64_t version, void *arg)
{
	unsigned *bad = arg;
	*bad += !key_book_put(record, version);
}

static bool load_file(const char *path, struct buf *why)
{
	unsigned bad = 0;
	keys.db = key_db_open(path, why);
	if (!keys.db || !key_db_each(keys.db, on_row, &bad, why))
		return false;
	if (bad)
		log_error("%s: %u records are no keys and are passed over", path, bad);
	if (key_book_count())
		log_info("%s: %u keys", path, key_book_count());
	return true;
}

static void put_back(struct key_record *r, void *arg)
{
	struct buf why = BUF_INIT(512);
	bool *good = arg;
	*good = *good && key_db_put(keys.db, r->name, r->text, r->version, &why);
	buf_free(&why);
}

/* All keys are known here: a file that was removed or replaced under way gets them again. */
static bool have_file(struct buf *why)
{
	if (!keys.db || !key_db_lost(keys.db))
		return true;
	struct key_db *fresh = key_db_open(key_db_path(keys.db), why);
	bool good = fresh != NULL;
	if (!good)
		return false;
	log_error("the file of keys %s was removed under way: it is written anew", key_db_path(fresh));
	key_db_close(keys.db);
	keys.db = fresh;
	good = key_db_begin(fresh);
	key_book_each(put_back, &good);
	return key_db_commit(fresh) && good;
}

static bool keep(struct str name, struct str record, uint64_t version)
{
	struct buf why = BUF_INIT(512);
	bool good = have_file(&why) && (!keys.db || key_db_put(keys.db, name, record, version, &why));
	if (!good)
		log_error("a key cannot be kept in its file: %.*s", STR_FMT(buf_str(&why)));
	buf_free(&why);
	return good;
}

/* --- Redis --- */

static struct store_script script(const char *text, unsigned n_args)
{
	return (struct store_script){
		.text = text, .n_keys = 3, .n_args = n_args,
		.keys = { STR("weir:{keys}:records"), STR("weir:{keys}:changes"), STR("weir:{keys}:version") },
	};
}

static struct str number(char to[24], uint64_t n)
{
	return str_of(to, (size_t)snprintf(to, 24, "%llu", (unsigned long long)n));
}

static void take_row(struct str row)
{
	struct str version, live, name;
	uint64_t n;
	if (!str_split(&row, ' ', &version) || !str_split(&row, ' ', &live) || !str_u64(version, &n) || !key_book_put(row, n)) {
		log_error("the store holds a record that is no key");
		return;
	}
	keys.seen = n > keys.seen ? n : keys.seen;
	ptrdiff_t at = str_find(row, STR("\"name\":\""));
	name = str_skip(row, (size_t)(at + 8));
	keep(str_head(name, (size_t)str_chr(name, '"')), row, n);
}

static void seeds_drop(void)
{
	while (keys.next_seed < keys.n_seeds)
		key_record_release(keys.seeds[keys.next_seed++]);
	free(keys.seeds);
	keys.seeds = NULL;
	keys.n_seeds = keys.next_seed = 0;
}

static void add_seed(struct key_record *r, void *arg)
{
	(void)arg;
	atomic_fetch_add(&r->refs, 1);
	keys.seeds[keys.n_seeds++] = r;
}

static void seeds_gather(void)
{
	log_warn("the store has lost keys: those known here are put back");
	seeds_drop();
	keys.seeds = mem_alloc((key_book_count() + 1) * sizeof(struct key_record *));
	key_book_each(add_seed, NULL);
	keys.seen = 0;
}

/* True when there may be more. */
static bool take_rows(struct str rows)
{
	struct str line;
	uint64_t version = 0;
	if (!str_split(&rows, '\n', &line) || !str_u64(line, &version))
		return false;
	if (version < keys.seen) {
		seeds_gather();
		return true;
	}
	if (str_empty(rows))
		return false;
	struct buf why = BUF_INIT(512);
	if (keys.db && have_file(&why))
		key_db_begin(keys.db);
	buf_free(&why);
	while (str_split(&rows, '\n', &line))
		take_row(line);
	if (keys.db && !key_db_commit(keys.db))
		log_error("keys cannot be kept in their file");
	return keys.seen < version;
}

static void on_polled(struct store_call *c)
{
	bool more = false;
	keys.asking = false;
	if (c->result == STORE_OK)
		key_book_set_unknown(false);
	if (c->result == STORE_OK && keys.n_seeds)
		key_record_release(keys.seeds[keys.next_seed++]);
	else if (c->result == STORE_OK)
		more = take_rows(c->value);
	if (keys.n_seeds && keys.next_seed == keys.n_seeds)
		seeds_drop();
	bool again = c->result == STORE_OK && (more || keys.n_seeds);
	timer_in(&keys.poll, again ? 0 : keys.starting ? FIRST_POLL_US : POLL_US);
	if (keys.starting && !again && c->result == STORE_OK)
		loop_stop(keys.poll.loop);
}

static void seed(void)
{
	const struct key_record *r = keys.seeds[keys.next_seed];
	struct store_script e = script(seed_script, 5);
	char version[24], last[24];
	e.args[0] = r->name;
	e.args[1] = number(version, r->version);
	e.args[2] = r->revoked ? STR("0") : STR("1");
	e.args[3] = r->text;
	e.args[4] = number(last, key_book_version());
	store_eval(keys.store, &keys.call, &e);
}

static void on_poll(struct timer *t)
{
	struct store_script e = script(read_script, 1);
	char after[24];
	(void)t;
	if (keys.asking)
		return;
	keys.asking = true;
	keys.call = (struct store_call){ .done = on_polled };
	if (keys.n_seeds) {
		seed();
		return;
	}
	e.args[0] = number(after, keys.seen);
	store_eval(keys.store, &keys.call, &e);
}

/* --- changes --- */

struct writing {
	struct store_call call;
	struct keys_change *change;
	struct str name, record;	/* behind this struct */
};

static void on_written(struct store_call *c)
{
	struct writing *w = container_of(c, struct writing, call);
	struct keys_change *change = w->change;
	uint64_t version;
	enum keys_put result = c->result != STORE_OK ? KEYS_AWAY : str_u64(c->value, &version) ? KEYS_KEPT : KEYS_CONFLICT;
	if (result == KEYS_KEPT && key_book_put(w->record, version))
		keep(w->name, w->record, version);
	free(w);
	change->done(change, result, "the store of keys cannot be reached; nothing was changed as far as is known");
}

static void write_to_store(struct keys_change *c)
{
	struct writing *w = mem_alloc(sizeof(*w) + c->name.n + c->record.n);
	char *bytes = (char *)w + sizeof(*w), before[24];
	w->call = (struct store_call){ .done = on_written };
	w->change = c;
	w->name = str_of(memcpy(bytes, c->name.p, c->name.n), c->name.n);
	w->record = str_of(memcpy(bytes + c->name.n, c->record.p, c->record.n), c->record.n);
	struct store_script e = script(write_script, 4);
	e.args[0] = w->name;
	e.args[1] = number(before, c->before);
	e.args[2] = c->revoked ? STR("0") : STR("1");
	e.args[3] = w->record;
	store_eval(keys.store, &w->call, &e);
}

void keys_change(struct keys_change *c)
{
	uint64_t version = key_book_version() + 1;
	if (keys.store)
		write_to_store(c);
	else if (!keep(c->name, c->record, version) || !key_book_put(c->record, version))
		c->done(c, KEYS_AWAY, "the file of keys takes nothing; see the log");
	else
		c->done(c, KEYS_KEPT, NULL);
}

/* --- life --- */

static struct key *make(const struct snapshot *s, struct str record, struct arena *a)
{
	struct str name = json_raw(json_get(record, STR("name")));
	return config_key(s, name, json_get(record, STR("of")), a, NULL);
}

static void on_start_over(struct timer *t)
{
	loop_stop(t->loop);
}

/* A moment before the first request is taken, in which the store can say who may call; one that is away holds up no start. */
static void wait_for_first(struct loop *l)
{
	struct timer most;
	timer_open(&most, l, on_start_over);
	timer_in(&most, START_US);
	keys.starting = true;
	loop_run(l);
	keys.starting = false;
	timer_close(&most);
}

bool keys_open(struct loop *l, const struct settings *s, struct store_home *shared, struct buf *why)
{
	made_keys_use(make);
	/* Without an admin token none are made, but there may be some. */
	bool wanted = !str_empty(s->keys_file) && (!str_empty(s->admin.token) || access(s->keys_file.p, F_OK) == 0);
	if (wanted && !load_file(s->keys_file.p, why))
		return false;
	keys.seen = key_book_version();
	if (!shared)
		return true;
	keys.store = store_open(shared, l);
	key_book_set_unknown(!str_empty(s->admin.token));	/* without a token nobody makes any */
	timer_open(&keys.poll, l, on_poll);
	timer_in(&keys.poll, 0);
	wait_for_first(l);
	return true;
}

void keys_close(void)
{
	if (keys.store) {
		timer_close(&keys.poll);
		store_close(keys.store);
	}
	seeds_drop();
	key_db_close(keys.db);
	key_book_clear();
	keys.store = NULL;
	keys.db = NULL;
}
