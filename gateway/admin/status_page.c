/*
 * status_page.c: the state of everything as one page: six numbers, and a line for each target.
 *
 * Plain HTML that renews itself, no script and no foreign address, so the strictest content
 * policy holds. All text that comes from configuration is escaped here.
 */
#include "admin/cascade_page.h"
#include "admin/status.h"

#include "base/clock.h"

const struct str status_style = STR_INIT(
	":root{color-scheme:light dark;--bg:#f7f8fa;--card:#fff;--text:#1b2430;--dim:#667085;--line:#e3e7ee;"
	"--good:#12805c;--bad:#c4320a;--idle:#8590a2;--warn:#b54708;--accent:#2456c7}"
	"@media(prefers-color-scheme:dark){:root{--bg:#0f141b;--card:#171e28;--text:#e4e9f0;--dim:#8d99ab;"
	"--line:#27313f;--good:#3ecf9a;--bad:#ff7a5c;--idle:#6b7789;--warn:#f0b04f;--accent:#7aa5ff}}"
	"*{box-sizing:border-box}"
	"body{margin:0;padding:24px;background:var(--bg);color:var(--text);"
	"font:14px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
	"main{max-width:1280px;margin:0 auto}"
	"header{display:flex;flex-wrap:wrap;align-items:baseline;gap:6px 14px;margin-bottom:18px}"
	"h1{font-size:20px;margin:0;letter-spacing:.01em}"
	".dim{color:var(--dim)}"
	".tag{padding:1px 8px;border-radius:9px;border:1px solid currentColor;font-size:12px}"
	".good{color:var(--good)}.bad{color:var(--bad)}.idle{color:var(--idle)}.warn{color:var(--warn)}"
	".numbers{display:grid;grid-template-columns:repeat(auto-fit,minmax(160px,1fr));gap:12px;margin-bottom:18px}"
	".numbers div{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 14px}"
	".numbers b{display:block;font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}"
	".numbers small{color:var(--dim)}"
	".table{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px}"
	"table{border-collapse:collapse;width:100%}"
	"th,td{padding:8px 12px;text-align:right;white-space:nowrap;border-top:1px solid var(--line);"
	"font-variant-numeric:tabular-nums}"
	"thead th{border-top:0;color:var(--dim);font-weight:500;font-size:12px}"
	"th:first-child,td:first-child,th:nth-child(2),td:nth-child(2),th:last-child,td:last-child{text-align:left}"
	"td:first-child{white-space:normal;overflow-wrap:anywhere;min-width:min(300px,45vw);max-width:480px}"
	"tbody tr:hover{background:color-mix(in srgb,var(--accent) 7%,transparent)}"
	"td.state::before{content:'';display:inline-block;width:8px;height:8px;border-radius:50%;"
	"background:currentColor;margin-right:8px}"
	"footer{margin-top:16px;color:var(--dim);font-size:13px}a{color:var(--accent)}");

void status_add_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		switch (s.p[i]) {
		case '&':  buf_add(b, STR("&amp;")); break;
		case '<':  buf_add(b, STR("&lt;")); break;
		case '>':  buf_add(b, STR("&gt;")); break;
		case '"':  buf_add(b, STR("&quot;")); break;
		case '\'': buf_add(b, STR("&#39;")); break;
		default:   buf_addc(b, s.p[i]); break;
		}
	}
}

/* 12, 3.4k, 5.6M */
static void add_count(struct buf *b, int64_t n)
{
	if (n < 10000)
		buf_addf(b, "%lld", (long long)n);
	else if (n < 1000000)
		buf_addf(b, "%.1fk", (double)n / 1e3);
	else if (n < 1000000000)
		buf_addf(b, "%.1fM", (double)n / 1e6);
	else
		buf_addf(b, "%.1fG", (double)n / 1e9);
}

static void add_money(struct buf *b, int64_t nano)
{
	double usd = (double)nano / 1e9;
	buf_addf(b, "$%.*f", usd == 0 || usd >= 100 ? 2 : usd >= 0.01 ? 4 : 6, usd);
}

static void add_duration(struct buf *b, int64_t us)
{
	int64_t s = us / SECOND_US;
	if (s < 120)
		buf_addf(b, "%lld s", (long long)s);
	else if (s < 7200)
		buf_addf(b, "%lld min", (long long)(s / 60));
	else if (s < 172800)
		buf_addf(b, "%lld h", (long long)(s / 3600));
	else
		buf_addf(b, "%lld d", (long long)(s / 86400));
}

static void add_latency(struct buf *b, double us)
{
	if (us < 0)
		buf_add(b, STR("–"));
	else if (us < 1e6)
		buf_addf(b, "%.0f ms", us / 1e3);
	else
		buf_addf(b, "%.1f s", us / 1e6);
}

static void add_pair(struct buf *b, double p50, double p95)
{
	buf_add(b, STR("<td>"));
	add_latency(b, p50);
	if (p95 >= 0) {
		buf_add(b, STR(" <span class=dim>/ "));
		add_latency(b, p95);
		buf_add(b, STR("</span>"));
	}
	buf_add(b, STR("</td>"));
}

static void add_head(struct buf *b, const struct status *st)
{
	buf_add(b, STR("<!doctype html><html lang=en><head><meta charset=utf-8><title>weir</title>"
		       "<meta name=viewport content=\"width=device-width,initial-scale=1\">"
		       "<meta http-equiv=refresh content=5><link rel=stylesheet href=\"/status.css\"></head><body><main>"));
	buf_addf(b, "<header><h1>weir</h1><span class=dim>%s</span>", WEIR_VERSION);
	if (st->draining)
		buf_add(b, STR("<span class=\"tag warn\">draining</span>"));
	buf_add(b, STR("<span class=dim>"));
	status_add_text(b, st->source.n ? st->source : STR("no configuration yet"));
	if (st->reloaded_us) {
		buf_add(b, STR(", loaded "));
		add_duration(b, clock_wall_us() - st->reloaded_us);
		buf_add(b, STR(" ago"));
	}
	buf_add(b, STR("</span>"));
	if (!st->reload_ok)
		buf_add(b, STR("<span class=\"tag bad\">last reload refused, see the log</span>"));
	buf_add(b, STR("</header>"));
}

static void add_numbers(struct buf *b, const struct status *st)
{
	buf_addf(b, "<section class=numbers><div><b>%.*f</b><small>requests/s</small></div>",
		 st->requests_per_s < 10 ? 2 : 0, st->requests_per_s);
	buf_addf(b, "<div><b class=%s>%.1f %%</b><small>failed</small></div>", st->failed_share > 0.01 ? "bad" : "good",
		 st->failed_share * 100);
	buf_addf(b, "<div><b>%.0f</b><small>tokens/s, ", st->tokens_per_s);
	add_count(b, st->input + st->output);
	buf_add(b, STR(" in all</small></div><div><b>"));
	add_money(b, st->cost);
	buf_addf(b, "</b><small>spent</small></div><div><b>%lld</b><small>in flight</small></div>", (long long)st->in_flight);
	buf_addf(b, "<div><b>%u</b><small>connections</small></div><div><b>", st->connections);
	add_duration(b, st->uptime_us);
	buf_add(b, STR("</b><small>up, "));
	add_count(b, st->requests);
	buf_add(b, STR(" requests</small></div></section>"));
}

static void add_state(struct buf *b, const struct status_target *t)
{
	static const char *const classes[] = {
		[STATE_UP] = "good", [STATE_UNKNOWN] = "idle", [STATE_OPEN] = "bad", [STATE_TRIAL] = "warn",
		[STATE_DOWN] = "bad",
		[STATE_UNUSABLE] = "idle",
	};
	buf_addf(b, "<td class=\"state %s\">%s%s", classes[t->state], t->state == STATE_OPEN ? "open: " : "", t->state_text);
	if (t->since_us) {
		buf_add(b, STR(" <span class=dim>for "));
		add_duration(b, clock_wall_us() - t->since_us);
		buf_add(b, STR("</span>"));
	}
	if (t->state == STATE_OPEN && t->back_in_us) {
		buf_add(b, STR(" <span class=dim>, again in "));
		add_duration(b, t->back_in_us + SECOND_US);
		buf_add(b, STR("</span>"));
	}
	buf_add(b, STR("</td>"));
}

/* What a target cost; where no table lists its price, that, and how much of it is a guess. */
static void add_price(struct buf *b, const struct status_target *t)
{
	buf_add(b, STR("<td>"));
	if (t->price[0] == 'f')
		buf_add(b, STR("<span class=dim>free</span>"));
	else
		add_money(b, t->cost);
	if (t->price[0] == 'u' || t->price[0] == 'e')
		buf_addf(b, " <span class=\"tag warn\">price %s</span>", t->price);
	else if (t->cost_estimated)
		buf_add(b, STR(" <span class=dim>in part estimated</span>"));
	buf_add(b, STR("</td>"));
}

static void add_target(struct buf *b, const struct status_target *t)
{
	double failed = t->attempts ? 100.0 * (double)t->failed / (double)t->attempts : 0;
	buf_add(b, STR("<tr><td><span class=dim>"));
	status_add_text(b, t->provider);
	buf_add(b, STR("/</span>"));
	status_add_text(b, t->model);
	buf_add(b, STR("</td>"));
	add_state(b, t);
	buf_addf(b, "<td>%lld</td><td>", (long long)t->in_flight);
	add_count(b, t->attempts);
	buf_addf(b, "</td><td%s>%.1f %%</td>", failed > 1 ? " class=bad" : "", failed);
	add_pair(b, t->first_p50_us, t->first_p95_us);
	add_pair(b, t->p50_us, t->p95_us);
	buf_add(b, STR("<td>"));
	add_count(b, t->input);
	buf_add(b, STR(" <span class=dim>/ "));
	add_count(b, t->output);
	buf_add(b, STR("</span></td>"));
	add_price(b, t);
	buf_add(b, STR("<td class=dim>"));
	if (t->last_error)
		buf_addf(b, "%s", t->last_error);
	if (t->last_error && t->last_status)
		buf_addf(b, " (%d)", t->last_status);
	buf_add(b, STR("</td></tr>"));
}

bool status_write_page(const struct status *st, struct buf *b)
{
	add_head(b, st);
	add_numbers(b, st);
	buf_add(b, STR("<div class=table tabindex=0 role=region aria-label=\"targets\"><table><thead><tr><th>target<th>state<th>in flight<th>attempts<th>failed"
		       "<th>first token p50 / p95<th>duration p50 / p95<th>tokens in / out<th>spent<th>last error</tr></thead><tbody>"));
	for (unsigned i = 0; i < st->n_targets; i++)
		add_target(b, &st->targets[i]);
	if (st->n_targets == 0)
		buf_add(b, STR("<tr><td class=dim>no targets are configured</tr>"));
	buf_add(b, STR("</tbody></table></div>"));
	cascade_html(b);
	buf_add(b, STR("<footer>Rates cover the last minute, the table everything since the start. "));
	return buf_add(b, STR("<a href=\"/metrics\">metrics</a> · <a href=\"/status.json\">status.json</a> · "
			      "<a href=\"/readyz?verbose\">readyz</a></footer></main></body></html>\n"));
}
