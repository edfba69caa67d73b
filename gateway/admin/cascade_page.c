/*
 * cascade_page.c: the account of the cascades, out of their counters.
 */
#include "admin/cascade_page.h"

#include "admin/status.h"
#include "core/money.h"
#include "telemetry/cascade_counters.h"

static int64_t requests_of(struct cascade_model *m)
{
	int64_t n = 0;
	for (struct cascade_target *t = atomic_load(&m->targets); t; t = atomic_load(&t->next))
		n += counter_value(t->answered);
	return n;
}

static void add_money(struct buf *b, int64_t nano)
{
	char text[MONEY_SIZE];
	if (nano < 0)
		buf_addc(b, '-');
	buf_add(b, money_format(text, nano < 0 ? -nano : nano));
}

/* --- JSON --- */

static void add_targets(struct buf *b, struct cascade_model *m)
{
	const char *comma = "";
	for (struct cascade_target *t = atomic_load(&m->targets); t; t = atomic_load(&t->next), comma = ",") {
		buf_addf(b, "%s{\"target\":", comma);
		buf_add_json(b, t->name);
		buf_addf(b, ",\"answered\":%lld,\"escalated\":%lld}", (long long)counter_value(t->answered), (long long)counter_value(t->escalated));
	}
}

static void add_checks(struct buf *b, struct cascade_model *m)
{
	for (enum cascade_check c = 0; c < CASCADE_CHECKS; c++)
		buf_addf(b, "%s\"%s\":%lld", c ? "," : "", cascade_check_name(c), (long long)counter_value(m->failed[c]));
}

static void add_model(struct buf *b, struct cascade_model *m)
{
	int64_t spent = counter_value(m->spent), large = counter_value(m->large);
	buf_add(b, STR("{\"model\":"));
	buf_add_json(b, m->name);
	buf_addf(b, ",\"requests\":%lld,\"unjudged\":%lld,\"targets\":[", (long long)requests_of(m), (long long)counter_value(m->unjudged));
	add_targets(b, m);
	buf_add(b, STR("],\"failed_checks\":{"));
	add_checks(b, m);
	buf_add(b, STR("},\"compared\":{"));
	for (unsigned i = 0; i < COMPARE_RESULTS; i++)
		buf_addf(b, "%s\"%s\":%lld", i ? "," : "", compare_results[i], (long long)counter_value(m->compared[i]));
	buf_add(b, STR("},\"compare_usd\":"));
	add_money(b, counter_value(m->compare_cost));
	buf_add(b, STR(",\"spent_usd\":"));
	add_money(b, spent);
	buf_add(b, STR(",\"large_usd\":"));
	add_money(b, large);
	buf_add(b, STR(",\"saved_usd\":"));
	add_money(b, large - spent);
	buf_addc(b, '}');
}

void cascade_json(struct buf *b)
{
	buf_add(b, STR("{\"models\":["));
	for (struct cascade_model *m = cascade_models(); m; m = m->next) {
		add_model(b, m);
		if (m->next)
			buf_addc(b, ',');
	}
	buf_add(b, STR("]}\n"));
}

/* --- the status page --- */

static void add_row(struct buf *b, struct cascade_model *m, struct cascade_target *t, int64_t all)
{
	int64_t n = counter_value(t->answered);
	buf_add(b, STR("<tr><td>"));
	status_add_text(b, m->name);
	buf_add(b, STR("<td>"));
	status_add_text(b, t->name);
	buf_addf(b, "<td>%lld<td>%lld %%<td>%lld", (long long)n, (long long)(all ? (100 * n + all / 2) / all : 0), (long long)counter_value(t->escalated));
}

static void add_saved(struct buf *b, struct cascade_model *m)
{
	int64_t spent = counter_value(m->spent);
	buf_add(b, STR("<td>$"));
	add_money(b, spent);
	buf_add(b, STR("<td>$"));
	add_money(b, counter_value(m->large) - spent);
}

void cascade_html(struct buf *b)
{
	struct cascade_model *m = cascade_models();
	if (!m)
		return;
	buf_add(b, STR("<div class=table tabindex=0 role=region aria-label=cascades><table><thead><tr><th>cascade<th>target<th>answered<th>share<th>sent on<th>spent<th>saved"
		       "</thead><tbody>"));
	for (; m; m = m->next) {
		int64_t all = requests_of(m);
		struct cascade_target *first = atomic_load(&m->targets);
		for (struct cascade_target *t = first; t; t = atomic_load(&t->next)) {
			add_row(b, m, t, all);
			if (t == first)
				add_saved(b, m);
			else
				buf_add(b, STR("<td><td>"));
		}
	}
	buf_add(b, STR("</tbody></table></div>"));
}
