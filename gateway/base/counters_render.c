/*
 * counters_render.c: all families as Prometheus text 0.0.4 or OpenMetrics 1.0.0.
 *
 * The two differ little: OpenMetrics names a counter's family without `_total`, wants
 * bounds as floats and an end mark. The lock is held throughout: it only keeps new series
 * and ending threads waiting, never a thread that counts.
 */
#include "base/counters_state.h"

static void add_number(struct buf *b, const struct counter_family *f, int64_t n)
{
	if (f->scale == 1 || f->scale == 0)
		buf_addf(b, "%lld\n", (long long)n);
	else
		buf_addf(b, "%.15g\n", (double)n * f->scale);
}

static struct str family_name(const struct counter_family *f, bool openmetrics)
{
	struct str name = str_c(f->name);
	if (openmetrics && f->kind == COUNTER_SUM && str_ends(name, STR("_total")))
		name.n -= sizeof "_total" - 1;
	return name;
}

static void add_header(struct buf *b, const struct counter_family *f, bool openmetrics)
{
	static const char *const types[] = {
		[COUNTER_SUM] = "counter", [COUNTER_GAUGE] = "gauge", [COUNTER_HISTOGRAM] = "histogram",
	};
	struct str name = family_name(f, openmetrics);
	buf_addf(b, "# HELP %.*s %s\n", STR_FMT(name), f->help);
	buf_addf(b, "# TYPE %.*s %s\n", STR_FMT(name), types[f->kind]);
}

static void add_sample(struct buf *b, const struct counter *c, const char *suffix, int64_t n, bool scaled)
{
	buf_addf(b, "%s%s", c->family->name, suffix);
	if (c->labels.n)
		buf_addf(b, "{%.*s}", STR_FMT(c->labels));
	buf_addc(b, ' ');
	if (scaled)
		add_number(b, c->family, n);
	else
		buf_addf(b, "%lld\n", (long long)n);
}

static void add_bound(struct buf *b, const struct counter *c, unsigned i, bool openmetrics)
{
	double scale = c->family->scale == 0 ? 1 : c->family->scale;
	if (i == c->n_bounds) {
		buf_add(b, STR("+Inf"));
		return;
	}
	size_t before = b->n;
	buf_addf(b, "%.15g", (double)c->bounds[i] * scale);
	struct str text = str_of(b->p + before, b->n - before);
	if (openmetrics && b->n > before && str_chr(text, '.') < 0 && str_chr(text, 'e') < 0)
		buf_add(b, STR(".0"));
}

static void add_histogram(struct buf *b, const struct counter *c, bool openmetrics)
{
	int64_t count = 0;
	for (unsigned i = 0; i <= c->n_bounds; i++) {
		count += counter_cell(c, i);
		buf_addf(b, "%s_bucket{%.*s%sle=\"", c->family->name, STR_FMT(c->labels), c->labels.n ? "," : "");
		add_bound(b, c, i, openmetrics);
		buf_addf(b, "\"} %lld\n", (long long)count);
	}
	add_sample(b, c, "_sum", counter_cell(c, c->n_bounds + 1), true);
	add_sample(b, c, "_count", count, false);
}

bool counters_render(struct buf *out, bool openmetrics)
{
	counters_lock();
	for (struct counter_family *f = counters_families; f && !out->failed; f = f->state->next_family) {
		add_header(out, f, openmetrics);
		for (struct counter *c = f->state->first; c; c = c->next) {
			if (f->kind == COUNTER_HISTOGRAM)
				add_histogram(out, c, openmetrics);
			else
				add_sample(out, c, "", counter_cell(c, 0), true);
		}
	}
	counters_unlock();
	if (openmetrics)
		buf_add(out, STR("# EOF\n"));
	return !out->failed;
}
