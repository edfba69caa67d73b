/*
 * restore.c: a restart without Redis must not give back a spent budget.
 */
#include "restore.h"

#include "access/key_book.h"
#include "base/clock.h"
#include "config/load.h"
#include "core/limit.h"
#include "limits/known.h"
#include "metering/ledger_db.h"
#include "store/store.h"
#include "wire/json_cursor.h"

static void on_seeded(struct store_call *c)
{
	(void)c;	/* memory answers at once */
}

/* "key/web/budget/..." or "team/shop/budget/...": whose rule it is. */
static const char *owner_of(const struct limit_rule *rule, struct str *name)
{
	bool team = str_starts(rule->store_key, STR("team/"));
	struct str rest = str_skip(rule->store_key, team ? 5 : 4);
	ptrdiff_t end = str_find(rest, STR("/budget/"));
	*name = str_head(rest, end < 0 ? 0 : (size_t)end);
	return team ? "team" : "key";
}

static void restore_window(struct store *store, struct str scope, const struct spending_part *p, int64_t age_us)
{
	struct store_limit limit = { .key = p->key, .kind = STORE_WINDOW, .span_s = p->span_s };
	store_restore(store, scope, &limit, p->amount, age_us > 0 ? age_us : 0);
}

/*
 * Rows of before the roll-up knew this rolling budget: as if they were spent just now, so that they count longer than they
 * should, never shorter.
 */
static int restore_rolling(struct ledger_db *db, struct store *store, const struct limit_set *set, const struct limit_rule *rule)
{
	struct str name;
	struct spending_part oldest, p = { .key = rule->store_key, .span_s = rule->span_s };
	const char *owner = owner_of(rule, &name);
	bool known = ledger_db_oldest(db, set->scope, rule->store_key, &oldest);
	int64_t until_us = known ? (oldest.period_end - rule->span_s) * SECOND_US : INT64_MAX, nano, tokens;
	if (!ledger_db_spent(db, owner, name, store_wall_us(store) - rule->span_s * SECOND_US, until_us, &nano, &tokens))
		return 0;
	p.amount = (rule->unit == LIMIT_USD ? nano : tokens) - (known ? oldest.amount : 0);
	if (p.amount > 0)
		restore_window(store, set->scope, &p, 0);
	return p.amount > 0;
}

/* Rows know whose they are: they tell of budgets of all requests of a key or team. */
static int restore_rule(struct ledger_db *db, struct store *store, const struct limit_set *set, const struct limit_rule *rule)
{
	struct store_call call = { .done = on_seeded };
	struct store_limit limit = { .key = rule->store_key, .kind = STORE_BUDGET, .limit = rule->most };
	struct str name;
	int64_t nano, tokens;
	const char *owner = owner_of(rule, &name);
	if (rule->per != LIMIT_ALL)
		return 0;
	if (rule->span_s)
		return restore_rolling(db, store, set, rule);
	period_bounds(rule->period, rule->zone, store_wall_us(store) / SECOND_US, &limit.period_start, &limit.period_end);
	int64_t until_us = limit.period_end ? limit.period_end * SECOND_US : INT64_MAX;
	if (!ledger_db_spent(db, owner, name, limit.period_start * SECOND_US, until_us, &nano, &tokens))
		return 0;
	int64_t spent = rule->unit == LIMIT_USD ? nano : tokens;
	if (spent > 0)
		store_seed(store, &call, set->scope, &limit, spent);
	return spent > 0;
}

struct seeding {
	struct store *store;
	int n;
};

/* The roll-up knows exactly what was settled, whatever the limit is of. */
static void on_period(void *arg, struct str scope, const struct spending_part *p)
{
	struct seeding *to = arg;
	struct store_call call = { .done = on_seeded };
	struct store_limit limit = { .key = p->key, .kind = STORE_BUDGET, .period_start = p->period_start, .period_end = p->period_end };
	int64_t spent = p->amount > p->seen ? p->amount : p->seen;
	bool wrong_clock = !p->span_s && p->period_start > store_wall_us(to->store) / SECOND_US;
	if (spent <= 0 || wrong_clock)
		return;
	if (p->span_s)		/* its part of the window ended a span before it no longer counts */
		restore_window(to->store, scope, p, store_wall_us(to->store) - (p->period_end - p->span_s) * SECOND_US);
	else
		store_seed(to->store, &call, scope, &limit, spent);
	to->n++;
}

struct restoring {
	struct ledger_db *db;
	struct store *store;
	const struct snapshot *snapshot;
	int n;
};

static void restore_set(struct restoring *r, const struct limit_set *set)
{
	for (unsigned i = 0; set && i < set->n; i++)
		if (set->rules[i].budget)
			r->n += restore_rule(r->db, r->store, set, &set->rules[i]);
}

/* A key made while running; those without a budget of their own or a team's need no working out. */
static void restore_made(struct key_record *record, void *arg)
{
	struct restoring *r = arg;
	struct arena a = ARENA_INIT;
	struct str of = json_get(record->text, STR("of"));
	bool team = r->snapshot->teams && json_get(of, STR("team")).p;
	if (record->revoked || (!team && !json_get(of, STR("budgets")).p))
		return;
	const struct key *k = config_key(r->snapshot, record->name, of, &a, NULL);
	if (k)
		restore_set(r, k->limits);
	arena_clear(&a);
}

/* A budget that is new, or of another period than before, is told by the rows. Returns how many keys' budgets had spent. */
static int restore_rules(struct ledger_db *db, struct store *store, const struct snapshot *s)
{
	struct restoring r = { db, store, s, 0 };
	for (unsigned i = 0; i < s->n_keys; i++)
		restore_set(&r, s->keys[i]->limits);
	key_book_each(restore_made, &r);
	return r.n;
}

int restore_spending(const struct snapshot *s, struct store_home *home, struct loop *l)
{
	struct buf why = BUF_INIT(512);
	struct ledger_db *db = ledger_db_open(s->settings.ledger.p, true, &why);
	struct seeding to = { .store = db ? store_open(home, l) : NULL };
	int rules = -1;
	if (to.store) {
		ledger_db_periods(db, store_wall_us(to.store) / SECOND_US, on_period, &to);
		rules = restore_rules(db, to.store, s);
		store_close(to.store);
	}
	ledger_db_close(db);
	buf_free(&why);
	return rules > to.n ? rules : to.n;
}

static void on_known(void *arg, struct str scope, const struct spending_part *p)
{
	(void)arg;
	if (!p->span_s)
		known_spent(scope, p->key, p->period_start, p->amount > p->seen ? p->amount : p->seen);
}

void restore_known(const struct snapshot *s)
{
	struct buf why = BUF_INIT(512);
	struct ledger_db *db = ledger_db_open(s->settings.ledger.p, true, &why);
	if (db)
		ledger_db_periods(db, clock_wall_us() / SECOND_US, on_known, NULL);
	ledger_db_close(db);
	buf_free(&why);
}

bool restore_wanted(const struct snapshot *s)
{
	for (unsigned i = 0; i < s->n_keys; i++)
		for (unsigned k = 0; s->keys[i]->limits && k < s->keys[i]->limits->n; k++)
			if (s->keys[i]->limits->rules[k].budget)
				return true;
	return false;
}
