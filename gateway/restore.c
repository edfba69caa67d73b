/*
 * restore.c: a restart without Redis must not give back a spent budget.
 */
#include "restore.h"

#include "base/clock.h"
#include "core/limit.h"
#include "limits/known.h"
#include "metering/ledger_db.h"
#include "store/store.h"

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

static int restore_rule(struct ledger_db *db, struct store *store, const struct limit_set *set, const struct limit_rule *rule)
{
	struct store_call call = { .done = on_seeded };
	struct store_limit limit = { .key = rule->store_key, .kind = STORE_BUDGET, .limit = rule->most };
	struct str name;
	int64_t nano, tokens;
	const char *owner = owner_of(rule, &name);
	period_bounds(rule->period, rule->zone, store_wall_us(store) / SECOND_US, &limit.period_start, &limit.period_end);
	if (!ledger_db_spent(db, owner, name, limit.period_start * SECOND_US, &nano, &tokens))
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
	if (spent <= 0)
		return;
	store_seed(to->store, &call, scope, &limit, spent);
	to->n++;
}

/* A budget that is new, or of another period than before, is told by the rows. Returns how many keys' budgets had spent. */
static int restore_rules(struct ledger_db *db, struct store *store, const struct snapshot *s)
{
	int n = 0;
	for (unsigned i = 0; i < s->n_keys; i++) {
		const struct limit_set *set = s->keys[i]->limits;
		for (unsigned k = 0; set && k < set->n; k++)
			if (set->rules[k].budget)
				n += restore_rule(db, store, set, &set->rules[k]);
	}
	return n;
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
