/*
 * plan_json.c: every target that was considered, what was expected of it, and why it is not asked.
 */
#include "routing/plan_json.h"

#include <math.h>

#include "core/money.h"
#include "core/price.h"
#include "routing/strategy.h"

static void add_text(struct buf *b, const char *key, const char *text)
{
	if (!text)
		return;
	buf_addf(b, ",\"%s\":", key);
	buf_add_json(b, str_c(text));
}

static void add_expectations(struct buf *b, const struct plan_entry *e)
{
	char money[MONEY_SIZE];
	if (e->input >= 0)
		buf_addf(b, ",\"expected\":{\"input_tokens\":%lld,\"output_tokens\":%lld", (long long)e->input, (long long)e->output);
	else
		return;
	if (e->cost >= 0) {
		buf_add(b, STR(",\"cost_usd\":"));
		buf_add(b, money_format(money, e->cost));
	} else {
		buf_add(b, STR(",\"cost_usd\":null"));
	}
	if (e->time_us >= 0)
		buf_addf(b, ",\"ms\":%.1f}", e->time_us / 1000);
	else
		buf_add(b, STR(",\"ms\":null}"));
}

static void add_entry(struct buf *b, const struct plan_entry *e, unsigned place)
{
	const struct price *p = e->target->price;
	buf_add(b, STR("{\"target\":"));
	buf_add_json(b, e->target->name);
	buf_addf(b, ",\"rung\":%u", e->rung);
	if (e->excluded)
		add_text(b, "excluded", e->excluded);
	else
		buf_addf(b, ",\"place\":%u", place);
	if (!e->excluded && isfinite(e->score))
		buf_addf(b, ",\"score\":%.9g", e->score);
	add_text(b, "because", e->placed);
	buf_addf(b, ",\"price\":\"%s\"", !p ? "unknown" : p->free ? "free" : p->estimated ? "estimated" : "listed");
	add_expectations(b, e);
	buf_addc(b, '}');
}

/* What is tried in which order; targets of other models are among the targets, by their rung. */
static void add_ladder(struct buf *b, const struct model *m)
{
	buf_add(b, STR(",\"ladder\":[\"targets\""));
	for (unsigned i = 0; i < m->n_fallbacks; i++) {
		buf_add(b, STR(",{\"model\":"));
		buf_add_json(b, m->fallbacks[i]);
		buf_addc(b, '}');
	}
	for (unsigned i = 0; i < m->n_ladder; i++)
		buf_addf(b, ",\"%s\"", m->ladder[i] == LADDER_STALE ? "stale" : "rule");
	buf_add(b, STR(",\"error\"]"));
}

void plan_json(const struct plan *p, struct str plugins, struct buf *b)
{
	unsigned place = 0;
	buf_add(b, STR("{\"model\":"));
	buf_add_json(b, p->model->name);
	buf_addf(b, ",\"strategy\":\"%s\",\"session\":%s,\"targets\":[", strategy_of(p->model->strategy)->name,
		 p->session ? "true" : "false");
	for (unsigned i = 0; i < p->n; i++) {
		buf_add(b, i ? STR(",") : STR(""));
		place += !p->entries[i].excluded;
		add_entry(b, &p->entries[i], place);
	}
	buf_addc(b, ']');
	add_ladder(b, p->model);
	if (plugins.n)
		buf_addf(b, ",\"plugins\":[%.*s]", STR_FMT(plugins));
	buf_add(b, STR("}\n"));
}
