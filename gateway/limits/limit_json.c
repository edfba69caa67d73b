/*
 * limit_json.c: {"limit":"50 usd per month","of":"key `web`","most":50,"used":1.5,"held":0,"remaining":48.5}
 */
#include "limits/limit_json.h"

#include "core/money.h"
#include "core/refused.h"

static void add_amount(struct buf *b, const char *name, const struct limit_rule *rule, int64_t n)
{
	char text[MONEY_SIZE];
	buf_addf(b, ",\"%s\":", name);
	if (rule->unit == LIMIT_USD)
		buf_add(b, money_format(text, n));
	else
		buf_addf(b, "%lld", (long long)n);
}

void limit_json(const struct limit_rule *rule, const struct store_usage *u, int64_t period_end, bool first, struct buf *b)
{
	struct arena a = ARENA_INIT;
	int64_t left = rule->most - u->spent - u->reserved;
	buf_add(b, first ? STR("{\"limit\":") : STR(",{\"limit\":"));
	buf_add_json(b, rule->name);
	buf_add(b, STR(",\"of\":"));
	buf_add_json(b, rule->owner);
	add_amount(b, "most", rule, rule->most);
	add_amount(b, "used", rule, u->spent);
	add_amount(b, "held", rule, u->reserved);
	add_amount(b, "remaining", rule, left > 0 ? left : 0);
	if (period_end) {
		buf_add(b, STR(",\"begins_anew\":"));
		buf_add_json(b, moment_text(&a, period_end));
	}
	buf_addc(b, '}');
	arena_clear(&a);
}
