/*
 * cli_admin.c: commands for operators: explain a request, say why one went where it went.
 */
#include "cli_admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "cli_http.h"
#include "config/load.h"
#include "explain.h"
#include "wire/json_cursor.h"

enum { TEXT_MAX = 32 * 1024 * 1024 };

static struct arena arena;

/* --- words --- */

static struct str text(struct str object, const char *key)
{
	return json_text(&arena, json_get(object, str_c(key)));
}

static struct str number(struct str object, const char *key)
{
	struct str v = json_get(object, str_c(key));
	return json_type(v) == JSON_NUMBER ? v : STR_NONE;
}

static void print_expected(struct str e)
{
	struct str money = number(e, "cost_usd"), ms = number(e, "ms");
	if (number(e, "input_tokens").n)
		printf(", about %.*s + %.*s tokens", STR_FMT(number(e, "input_tokens")), STR_FMT(number(e, "output_tokens")));
	if (money.n)
		printf(", $%.*s", STR_FMT(money));
	if (ms.n)
		printf(", %.*s ms", STR_FMT(ms));
}

static void print_target(struct str t, unsigned place)
{
	struct str excluded = text(t, "excluded"), because = text(t, "because");
	struct str expected = json_get(t, STR("expected"));
	if (excluded.n)
		printf("   -  %.*s: not asked: %.*s", STR_FMT(text(t, "target")), STR_FMT(excluded));
	else
		printf("  %2u. %.*s", place, STR_FMT(text(t, "target")));
	print_expected(expected.p ? expected : t);
	if (str_eq(text(t, "price"), STR("estimated")) || str_eq(text(t, "price"), STR("unknown")))
		printf(" (price %.*s)", STR_FMT(text(t, "price")));
	if (because.n)
		printf(" [%.*s]", STR_FMT(because));
	printf("\n");
}

static void print_targets(struct str targets)
{
	struct json_cursor c;
	unsigned place = 0;
	if (!json_cursor_open(&c, targets))
		return;
	while (json_cursor_next(&c)) {
		place += !json_get(c.value, STR("excluded")).p;
		print_target(c.value, place);
	}
}

static void print_attempts(struct str attempts)
{
	struct json_cursor c;
	unsigned n = 0;
	if (!json_cursor_open(&c, attempts))
		return;
	while (json_cursor_next(&c)) {
		struct str status = number(c.value, "status");
		printf("  attempt %u, after %.*s ms: %.*s: %.*s%s%.*s in %.*s ms\n", ++n, STR_FMT(number(c.value, "after_ms")),
		       STR_FMT(text(c.value, "target")), STR_FMT(text(c.value, "result")), status.n ? " " : "", STR_FMT(status),
		       STR_FMT(number(c.value, "ms")));
	}
}

static void print_plugins(struct str plugins)
{
	struct json_cursor c;
	if (!json_cursor_open(&c, plugins))
		return;
	while (json_cursor_next(&c)) {
		struct str by = text(c.value, "answered_by");
		if (by.n)
			printf("  answered by %.*s: %.*s\n", STR_FMT(by), STR_FMT(text(c.value, "answer")));
		else if (text(c.value, "cut_off").n)
			printf("  plugin %.*s: a pattern of %.*s took too many steps\n", STR_FMT(text(c.value, "plugin")), STR_FMT(text(c.value, "cut_off")));
		else
			printf("  plugin %.*s: matched %.*s\n", STR_FMT(text(c.value, "plugin")), STR_FMT(text(c.value, "matched")));
	}
}

static void print_ladder(struct str ladder)
{
	struct json_cursor c;
	const char *comma = "  ladder: ";
	for (bool open = json_cursor_open(&c, ladder); open && json_cursor_next(&c); comma = ", ")
		if (json_type(c.value) == JSON_OBJECT)
			printf("%smodel %.*s", comma, STR_FMT(text(c.value, "model")));
		else
			printf("%s%.*s", comma, STR_FMT(json_raw(c.value)));
	printf("%s", comma[0] == ',' ? "\n" : "");
}

static void print_explanation(struct str root, bool cold)
{
	printf("%.*s, %.*s%s:\n", STR_FMT(text(root, "model")), STR_FMT(text(root, "strategy")),
	       cold ? ", cold (nothing was learned, nothing is known to be down)" : "");
	print_targets(json_get(root, STR("targets")));
	print_ladder(json_get(root, STR("ladder")));
	print_plugins(json_get(root, STR("plugins")));
}

static void print_why(struct str root)
{
	struct str cost = number(root, "cost_usd"), tokens = json_get(root, STR("tokens"));
	printf("%.*s at %.*s: %.*s, %.*s\n", STR_FMT(text(root, "id")), STR_FMT(text(root, "time")), STR_FMT(text(root, "model")),
	       STR_FMT(text(root, "strategy")));
	print_targets(json_get(root, STR("targets")));
	print_attempts(json_get(root, STR("attempts")));
	if (!number(root, "status").n) {
		printf("  still running\n");
		return;
	}
	printf("  %.*s after %.*s ms", STR_FMT(number(root, "status")), STR_FMT(number(root, "ms")));
	if (text(root, "error").n)
		printf(" (%.*s)", STR_FMT(text(root, "error")));
	if (number(tokens, "input").n)
		printf(", %.*s + %.*s tokens", STR_FMT(number(tokens, "input")), STR_FMT(number(tokens, "output")));
	if (cost.n)
		printf(", $%.*s%s", STR_FMT(cost), json_get(root, STR("cost_estimated")).p ? " (estimated)" : "");
	printf("\n");
}

static int print_error(struct str body)
{
	struct str message = text(json_get(json_value(body), STR("error")), "message");
	fprintf(stderr, "weir: %.*s\n", STR_FMT(message.n ? message : str_head(body, 500)));
	arena_clear(&arena);
	return 1;
}

/* --- the commands --- */

static bool read_stdin(struct buf *to)
{
	size_t n = 1;
	while (n && buf_reserve(to, 65536)) {
		n = fread(to->p + to->n, 1, 65536, stdin);
		to->n += n;
	}
	return !to->failed && to->n > 0;
}

/* Without a running gateway: what the file alone says. */
static int explain_cold(const char *config, struct str request, struct buf *out)
{
	struct config_report r;
	struct loop loop;
	int status = 0;
	report_init(&r);
	struct snapshot *s = config_load(config, &r);
	fprintf(stderr, "%.*s", STR_FMT(buf_str(&r.errors)));
	if (s && loop_open(&loop)) {
		status = explain(s, &loop, request, out);
		loop_close(&loop);
	}
	snapshot_unref(s);
	report_free(&r);
	return status;
}

int cli_explain(const char *config, bool json)
{
	struct buf request = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX);
	int status;
	if (!read_stdin(&request)) {
		fprintf(stderr, "usage: weir explain [-c FILE] [--json] < request.json\n");
		return 2;
	}
	status = config ? explain_cold(config, buf_str(&request), &out) : (int)cli_admin("/admin/explain", &request, &out);
	int result = status == 200 ? 0 : status ? print_error(buf_str(&out)) : config ? 2 : 1;
	if (status == 200 && json)
		printf("%.*s", STR_FMT(buf_str(&out)));
	else if (status == 200)
		print_explanation(json_value(buf_str(&out)), config != NULL);
	arena_clear(&arena);
	buf_free(&request);
	buf_free(&out);
	return result;
}

int cli_why(const char *id, bool json)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	char path[256];
	snprintf(path, sizeof(path), "/admin/why?id=%.200s", id);
	long status = cli_admin(path, NULL, &out);
	int result = status == 200 ? 0 : status ? print_error(buf_str(&out)) : 1;
	if (status == 200 && json)
		printf("%.*s", STR_FMT(buf_str(&out)));
	else if (status == 200)
		print_why(json_value(buf_str(&out)));
	arena_clear(&arena);
	buf_free(&out);
	return result;
}

/* --- cascades --- */

static void print_share(struct str target, int64_t all)
{
	int64_t n = json_count(target, STR("answered"));
	printf("  %-44.*s %8lld  %3lld %%  %8lld\n", STR_FMT(text(target, "target")), (long long)n,
	       (long long)(all ? (100 * n + all / 2) / all : 0), (long long)json_count(target, STR("escalated")));
}

/* Those that are not 0. */
static void print_counts(const char *title, struct str counts)
{
	struct json_cursor c;
	const char *comma = title;
	for (bool open = json_cursor_open(&c, counts); open && json_cursor_next(&c);) {
		if (str_eq(c.value, STR("0")))
			continue;
		printf("%s%.*s %.*s", comma, STR_FMT(c.key), STR_FMT(c.value));
		comma = ", ";
	}
	printf("%s", comma[0] == ',' ? "\n" : "");
}

static void print_cascade(struct str m)
{
	struct json_cursor c;
	printf("%.*s: %lld requests\n  %-44s answered  share   sent on\n", STR_FMT(text(m, "model")), (long long)json_count(m, STR("requests")),
	       "target");
	for (bool open = json_cursor_open(&c, json_get(m, STR("targets"))); open && json_cursor_next(&c);)
		print_share(c.value, json_count(m, STR("requests")));
	print_counts("  sent on by: ", json_get(m, STR("failed_checks")));
	print_counts("  compared with the last target: ", json_get(m, STR("compared")));
	printf("  spent $%.*s, the last target alone $%.*s: saved $%.*s\n", STR_FMT(number(m, "spent_usd")), STR_FMT(number(m, "large_usd")),
	       STR_FMT(number(m, "saved_usd")));
}

static void print_cascades(struct str models)
{
	struct json_cursor c;
	unsigned n = 0;
	for (bool open = json_cursor_open(&c, models); open && json_cursor_next(&c); n++)
		print_cascade(c.value);
	if (n == 0)
		fprintf(stderr, "weir: no model has `strategy: cascade`\n");
}

int cli_cascade(bool json)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	long status = cli_admin("/admin/cascade", NULL, &out);
	int result = status == 200 ? 0 : status ? print_error(buf_str(&out)) : 1;
	if (status == 200 && json)
		printf("%.*s", STR_FMT(buf_str(&out)));
	else if (status == 200)
		print_cascades(json_get(json_value(buf_str(&out)), STR("models")));
	arena_clear(&arena);
	buf_free(&out);
	return result;
}

/* An answer's id, or model=NAME, or tag=K=V. */
static void add_evicted(struct buf *path, const char *what)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~=";
	bool query = str_starts(str_c(what), STR("model=")) || str_starts(str_c(what), STR("tag="));
	buf_add(path, query ? STR("/admin/cache?") : STR("/admin/cache/"));
	for (const char *p = what; *p; p++) {	/* nothing that would change the path */
		if (strchr(plain, *p))
			buf_addc(path, *p);
		else
			buf_addf(path, "%%%02X", (unsigned char)*p);
	}
	buf_addc(path, '\0');
}

int cli_cache_evict(const char *id)
{
	struct buf body = BUF_INIT(1), answer = BUF_INIT(TEXT_MAX), whole = BUF_INIT(8192);
	add_evicted(&whole, id);
	long status = cli_admin_method("DELETE", whole.p, &body, &answer);
	struct str message = text(json_get(json_value(buf_str(&answer)), STR("error")), "message");
	if (status == 200)
		printf("%s: is not kept any more\n", id);
	else if (status)
		fprintf(stderr, "weir: %.*s\n", STR_FMT(message.n ? message : str_head(buf_str(&answer), 500)));
	buf_free(&whole);
	buf_free(&answer);
	arena_clear(&arena);
	return status == 200 ? 0 : 1;
}
