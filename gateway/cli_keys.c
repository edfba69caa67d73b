/*
 * cli_keys.c: words become the admin API's questions, its answers lines.
 */
#include "cli_keys.h"

#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "cli_http.h"
#include "wire/json_cursor.h"

enum { TEXT_MAX = 64 * 1024 * 1024 };

static struct arena arena;

const char cli_keys_lines[] =
	"  create NAME [--team TEAM] [--models M,M] [--usd 50/month] [--expires 30d]   shows the secret once\n"
	"  list [--team TEAM] [--json]\n"
	"  show NAME\n"
	"  use NAME          what it has used of its limits, and what is left\n"
	"  update NAME [--team ...] [--models ...] [--usd ...] [--expires ...]\n"
	"  disable|enable NAME\n"
	"  rotate NAME       a new secret; the old one ends\n"
	"  revoke NAME       for good\n\n";

static int usage(void)
{
	fprintf(stderr, "usage: weir keys ACTION NAME\n%s", cli_keys_lines);
	return 2;
}

static struct str text(struct str object, const char *name)
{
	return json_text(&arena, json_get(object, str_c(name)));
}

static int complain(struct str body)
{
	struct str message = text(json_get(json_value(body), STR("error")), "message");
	fprintf(stderr, "weir: %.*s\n", STR_FMT(message.n ? message : str_head(body, 500)));
	return 1;
}

/* --- asking --- */

static void add_text(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return;
	buf_addf(b, "%s\"%s\":", b->n > 1 ? "," : "", name);
	buf_add_json(b, str_c(value));
}

static void add_models(struct buf *b, const char *models)
{
	struct str rest = str_c(models), one;
	if (!models)
		return;
	buf_addf(b, "%s\"models\":[", b->n > 1 ? "," : "");
	for (bool first = true; str_split(&rest, ',', &one); first = false) {
		buf_add(b, first ? STR("") : STR(","));
		buf_add_json(b, str_trim(one));
	}
	buf_addc(b, ']');
}

/* "50/month": the gateway says what is wrong with either. */
static void add_budget(struct buf *b, const char *usd)
{
	struct str per = str_c(usd), amount;
	if (!usd)
		return;
	str_split(&per, '/', &amount);
	bool number = amount.n > 0 && strspn(usd, "0123456789.") == amount.n;
	buf_addf(b, "%s\"budgets\":[{\"usd\":", b->n > 1 ? "," : "");
	if (number)
		buf_add(b, amount);
	else
		buf_add_json(b, amount);
	buf_add(b, STR(",\"per\":"));
	buf_add_json(b, str_empty(per) ? STR("month") : per);
	buf_add(b, STR("}]"));
}

static void write_fields(const struct keys_arguments *a, struct buf *b)
{
	buf_addc(b, '{');
	add_text(b, "name", strcmp(a->action, "create") == 0 ? a->name : NULL);
	add_text(b, "team", a->team);
	add_models(b, a->models);
	add_budget(b, a->usd);
	add_text(b, "expires", a->expires);
	buf_addc(b, '}');
}

/* As a part of a path or a query, whose own signs it may have: `a#b` is not `a`. */
static struct str in_url(struct str s)
{
	static const char hex[] = "0123456789ABCDEF";
	struct str plain = STR("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~");
	char *out = arena_alloc(&arena, 3 * s.n + 1), *to = out;
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		bool good = str_chr(plain, s.p[i]) >= 0;
		if (!good) {
			*to++ = '%';
			*to++ = hex[c >> 4];
		}
		*to++ = good ? s.p[i] : hex[c & 15];
	}
	return str_of(out, (size_t)(to - out));
}

/* --- showing --- */

static void print_secret(struct str key)
{
	struct str secret = text(key, "secret");
	printf("%.*s\n", STR_FMT(secret));
	fprintf(stderr, "This is the secret of key `%.*s`. It is shown this once: only its digest is kept.\n", STR_FMT(text(key, "name")));
}

static void print_row(struct str key)
{
	struct str team = text(key, "team"), expires = text(key, "expires"), models = json_get(key, STR("models"));
	printf("%-32.*s %-10.*s %-20.*s %-22.*s %.*s\n", STR_FMT(text(key, "name")), STR_FMT(text(key, "status")),
	       STR_FMT(team.n ? team : STR("-")), STR_FMT(expires.n ? expires : STR("never")), STR_FMT(models.n ? models : STR("*")));
}

/* One page's keys, and the last one's name where there are more. */
static struct str print_page(struct str root, bool json, bool first)
{
	struct json_cursor c;
	struct str last = STR_NONE;
	if (json_cursor_open(&c, json_get(root, STR("data"))))
		for (; json_cursor_next(&c); first = false) {
			if (json)
				printf("%s\n%.*s", first ? "" : ",", STR_FMT(c.value));
			else
				print_row(c.value);
			last = text(c.value, "name");
		}
	return json_type(json_get(root, STR("has_more"))) == JSON_TRUE ? last : STR_NONE;
}

/* Page after page, as one list. */
static int list(const struct keys_arguments *a)
{
	struct str after = STR_NONE, team = in_url(str_c(a->team ? a->team : ""));
	struct buf out = BUF_INIT(TEXT_MAX);
	int result = 0;
	for (bool first = true; result == 0 && (first || after.n > 0); first = false) {
		struct str path = arena_printf(&arena, "/admin/keys?limit=1000&after=%.*s&team=%.*s", STR_FMT(in_url(after)), STR_FMT(team));
		buf_clear(&out);
		long status = cli_admin(path.p, NULL, &out);
		result = status == 200 ? 0 : status ? complain(buf_str(&out)) : 1;
		if (result == 0 && first && a->json)
			printf("{\"object\":\"list\",\"data\":[");
		else if (result == 0 && first)
			printf("%-32s %-10s %-20s %-22s %s\n", "key", "status", "team", "expires", "models");
		after = result == 0 ? print_page(json_value(buf_str(&out)), a->json, first) : STR_NONE;
	}
	if (result == 0 && a->json)
		printf("],\"has_more\":false}\n");
	buf_free(&out);
	arena_clear(&arena);
	return result;
}

/* --- the command --- */

static const struct action {
	const char *name, *method, *path;	/* path: behind the key's name */
	const char *body;			/* NULL: the fields that are given; "": none */
	bool secret;				/* what is shown */
} actions[] = {
	{ "create", "POST", NULL, NULL, true }, { "show", "GET", "", "", false }, { "use", "GET", "/use", "", false },
	{ "update", "PATCH", "", NULL, false },
	{ "disable", "PATCH", "", "{\"disabled\":true}", false }, { "enable", "PATCH", "", "{\"disabled\":false}", false },
	{ "rotate", "POST", "/rotate", "", true }, { "revoke", "DELETE", "", "", false },
};

static int act(const struct keys_arguments *a, const struct action *x)
{
	struct buf body = BUF_INIT(TEXT_MAX), out = BUF_INIT(TEXT_MAX);
	struct str path = STR("/admin/keys");
	if (x->path)
		path = arena_printf(&arena, "/admin/keys/%.*s%s", STR_FMT(in_url(str_c(a->name))), x->path);
	if (!x->body)
		write_fields(a, &body);
	else
		buf_add(&body, str_c(x->body));
	long status = cli_admin_method(x->method, path.p, &body, &out);
	struct str key = json_value(buf_str(&out));
	int result = status == 200 || status == 201 ? 0 : status ? complain(buf_str(&out)) : 1;
	if (!result && x->secret && !a->json)
		print_secret(key);
	else if (!result)
		printf("%.*s", STR_FMT(buf_str(&out)));
	secret_wipe(out.p, out.n);
	buf_free(&body);
	buf_free(&out);
	arena_wipe(&arena);
	return result;
}

int cli_keys(const struct keys_arguments *a)
{
	if (a->action && !a->name && strcmp(a->action, "list") == 0)
		return list(a);
	for (size_t i = 0; a->action && a->name && i < array_len(actions); i++)
		if (strcmp(actions[i].name, a->action) == 0)
			return act(a, &actions[i]);
	return usage();
}
