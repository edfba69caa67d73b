/*
 * keys_admin.c: what is asked of keys becomes records, and records answers.
 */
#include "keys_admin.h"

#include <stdlib.h>
#include <time.h>

#include "access/key_book.h"
#include "access/key_secret.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "config/load.h"
#include "keys.h"
#include "keys_use.h"
#include "wire/date.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"
#include "wire/url.h"

enum { LIST_USUAL = 100, LIST_MOST = 1000, ANSWER_MAX = 64 << 20 };

/* One question, while it is worked on. */
struct work {
	struct keys_change change;
	void *ticket;
	bool returned;			/* the answer is no more waited for by who asked */
	int status;
	struct buf *out;		/* until then */
	struct str name;
	struct arena arena;
	char secret[KEY_SECRET_SIZE];	/* to be shown once; empty: none */
};

static int error(struct buf *out, int status, const char *type, struct str text)
{
	buf_clear(out);
	buf_add(out, STR("{\"error\":{\"message\":"));
	buf_add_json(out, text);
	buf_addf(out, ",\"type\":\"%s\",\"param\":null,\"code\":null}}\n", type);
	return status;
}

static int wrong(struct buf *out, int status, const char *text)
{
	return error(out, status, status < 500 ? "invalid_request_error" : "api_error", str_c(text));
}

/* --- showing --- */

static void add_moment(struct buf *b, const char *name, int64_t at)
{
	struct tm tm;
	time_t t = (time_t)at;
	if (at == 0) {
		buf_addf(b, ",\"%s\":null", name);
		return;
	}
	gmtime_r(&t, &tm);
	buf_addf(b, ",\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02dZ\"", name, tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		 tm.tm_min, tm.tm_sec);
}

static const char *status_of(const struct key_record *r)
{
	if (r->revoked)
		return "revoked";
	if (r->disabled)
		return "disabled";
	return key_record_valid(r, clock_wall_us() / SECOND_US) ? "active" : "expired";
}

/* What it may do stands beside its name, in the configuration's words. */
static void add_key(struct buf *b, const struct key_record *r, const char *secret)
{
	struct json_cursor c;
	buf_addf(b, "{\"object\":\"key\",\"name\":\"%.*s\",\"status\":\"%s\"", STR_FMT(r->name), status_of(r));
	if (secret && *secret)
		buf_addf(b, ",\"secret\":\"%s\"", secret);
	add_moment(b, "created", json_count(r->text, STR("created")));
	add_moment(b, "expires", r->ends_s);
	buf_addf(b, ",\"version\":%llu", (unsigned long long)r->version);
	if (json_cursor_open(&c, json_get(r->text, STR("of"))))
		while (json_cursor_next(&c))
			buf_addf(b, ",\"%.*s\":%.*s", STR_FMT(c.key), STR_FMT(c.value));
	buf_addc(b, '}');
}

static int show(struct str name, struct buf *out)
{
	struct key_record *r = key_book_named(name);
	if (!r)
		return wrong(out, 404, "There is no key of this name that was made here; keys of the configuration are not shown.");
	add_key(out, r, NULL);
	buf_addc(out, '\n');
	key_record_release(r);
	return 200;
}

struct listing {
	struct str team, after;
	bool all;			/* revoked ones, too */
	const struct key_record **records;
	unsigned n;
};

static struct str team_of(const struct key_record *r)
{
	return json_raw(json_get(json_get(r->text, STR("of")), STR("team")));
}

static int compare(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return order ? order : a.n < b.n ? -1 : a.n > b.n;
}

static int by_name(const void *a, const void *b)
{
	return compare((*(const struct key_record *const *)a)->name, (*(const struct key_record *const *)b)->name);
}

static void gather(struct key_record *r, void *arg)
{
	struct listing *l = arg;
	bool wanted = (l->all || !r->revoked) && (str_empty(l->team) || str_eq(team_of(r), l->team)) &&
		      (str_empty(l->after) || compare(r->name, l->after) > 0);
	if (wanted)
		l->records[l->n++] = r;
}

/* Empty when it is not there, or cannot be read. */
static struct str parameter(struct arena *a, struct str query, struct str name)
{
	struct str value = STR_NONE;
	return url_query_find(query, name, &value) && url_decode(a, value, true, &value) ? value : STR_NONE;
}

static int list(struct str query, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct listing l = { .team = parameter(&a, query, STR("team")), .after = parameter(&a, query, STR("after")),
			     .all = str_eq(parameter(&a, query, STR("revoked")), STR("true")) };
	uint64_t most = LIST_USUAL;
	struct str limit = parameter(&a, query, STR("limit"));
	bool good = str_empty(limit) || (str_u64(limit, &most) && most >= 1 && most <= LIST_MOST);
	if (!good) {
		arena_clear(&a);
		return wrong(out, 400, "`limit`: expected 1 to 1000.");
	}
	l.records = mem_alloc((key_book_count() + 1) * sizeof(*l.records));
	key_book_each(gather, &l);
	qsort(l.records, l.n, sizeof(*l.records), by_name);
	buf_add(out, STR("{\"object\":\"list\",\"data\":["));
	for (unsigned i = 0; i < l.n && i < most; i++) {
		buf_add(out, i ? STR(",\n") : STR("\n"));
		add_key(out, l.records[i], NULL);
	}
	buf_addf(out, "],\"has_more\":%s}\n", l.n > most ? "true" : "false");
	free(l.records);
	arena_clear(&a);
	return 200;
}

/* --- changing --- */

static void work_free(struct work *w)
{
	secret_wipe(w->secret, sizeof(w->secret));
	arena_clear(&w->arena);
	free(w);
}

static int write_result(struct work *w, enum keys_put result, const char *why, struct buf *out)
{
	if (result == KEYS_CONFLICT && w->change.before == 0)
		return wrong(out, 409, "There is a key of this name already.");
	if (result == KEYS_CONFLICT)
		return wrong(out, 409, "This key was changed by another meanwhile: look at it again.");
	if (result == KEYS_AWAY)
		return wrong(out, 503, why);
	struct key_record *r = key_book_named(w->name);
	if (!r)
		return wrong(out, 500, "The key is not there.");
	add_key(out, r, w->secret);
	buf_addc(out, '\n');
	key_record_release(r);
	return w->change.before == 0 ? 201 : 200;
}

static void on_done(struct keys_change *c, enum keys_put result, const char *why)
{
	struct work *w = container_of(c, struct work, change);
	if (!w->returned) {
		w->status = write_result(w, result, why, w->out);
		return;
	}
	struct buf out = BUF_INIT(ANSWER_MAX);
	int status = write_result(w, result, why, &out);
	admin_answer(w->ticket, status, buf_str(&out));
	secret_wipe(out.p, out.n);
	buf_free(&out);
	work_free(w);
}

static bool is_own_field(struct str key)
{
	return str_eq(key, STR("name")) || str_eq(key, STR("expires")) || str_eq(key, STR("disabled"));
}

/* The fields of before that are not said anew, then those that are and are not null. */
static void merge(struct buf *b, struct str before, struct str now)
{
	struct json_cursor c;
	bool first = true;
	buf_addc(b, '{');
	if (json_cursor_open(&c, before))
		while (json_cursor_next(&c)) {
			if (json_get(now, c.key).p)
				continue;
			buf_addf(b, "%s\"%.*s\":%.*s", first ? "" : ",", STR_FMT(c.key), STR_FMT(c.value));
			first = false;
		}
	if (json_cursor_open(&c, now))
		while (json_cursor_next(&c)) {
			if (is_own_field(c.key) || json_type(c.value) == JSON_NULL)
				continue;
			buf_addf(b, "%s\"%.*s\":%.*s", first ? "" : ",", STR_FMT(c.key), STR_FMT(c.value));
			first = false;
		}
	buf_addc(b, '}');
	for (size_t i = 0; i < b->n; i++)	/* one line, as it is stored; within texts there is none */
		b->p[i] = b->p[i] == '\n' || b->p[i] == '\r' || b->p[i] == '\t' ? ' ' : b->p[i];
}

/* "2027-01-01T00:00:00Z", or "30d" from now; null: never. False: neither. */
static bool read_expiry(struct str value, int64_t *ends_s)
{
	static const struct { char unit; int64_t s; } units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct str text = json_raw(value);
	uint64_t n;
	if (!value.p)
		return true;
	*ends_s = 0;
	if (json_type(value) == JSON_NULL)
		return true;
	if (date_iso(text, ends_s)) {
		*ends_s += *ends_s == 0;	/* 0 is never */
		return true;
	}
	for (size_t i = 0; text.n > 1 && i < array_len(units); i++)
		if (units[i].unit == text.p[text.n - 1] && str_u64(str_head(text, text.n - 1), &n) && n <= 36500 * UINT64_C(86400)) {
			*ends_s = clock_wall_us() / SECOND_US + (int64_t)n * units[i].s;
			return true;
		}
	return false;
}

/* What is asked for, as a whole key. */
struct wanted {
	struct str name, body;
	const struct key_record *before;	/* NULL: a new one */
	bool rotate, revoke;
};

static int write_record(struct work *w, const struct snapshot *s, const struct wanted *x, struct buf *record, struct buf *out)
{
	struct buf of = BUF_INIT(KEY_RECORD_MAX), why = BUF_INIT(2048);
	int64_t ends_s = x->before ? x->before->ends_s : 0, now = clock_wall_us() / SECOND_US;
	struct str disabled = json_get(x->body, STR("disabled"));
	bool off = disabled.p ? json_type(disabled) == JSON_TRUE : x->before && x->before->disabled;
	uint8_t digest[DIGEST_SIZE];
	char hex[2 * DIGEST_SIZE + 1];
	int status = 0;
	merge(&of, x->before ? json_get(x->before->text, STR("of")) : STR_NONE, x->body);
	if (!read_expiry(json_get(x->body, STR("expires")), &ends_s))
		status = wrong(out, 400, "`expires`: expected a time such as 2027-01-01T00:00:00Z, or how long from now: 30d.");
	else if (disabled.p && json_type(disabled) != JSON_TRUE && json_type(disabled) != JSON_FALSE && json_type(disabled) != JSON_NULL)
		status = wrong(out, 400, "`disabled`: expected true or false.");
	else if (of.failed)
		status = wrong(out, 413, "The key is larger than is kept: 8 KiB.");
	else if (!x->revoke && !config_key(s, x->name, buf_str(&of), &w->arena, &why))
		status = error(out, 400, "invalid_request_error", buf_str(&why));
	if (x->before && !x->rotate) {
		memcpy(digest, x->before->digest, sizeof(digest));
	} else {
		key_secret_make(w->secret);
		digest_sha256(str_c(w->secret), digest);
	}
	digest_to_hex(digest, hex);
	buf_addf(record, "{\"name\":\"%.*s\",\"digest\":\"%s\",\"created\":%lld,\"expires\":%lld,\"disabled\":%s,\"revoked\":%s,\"of\":%.*s}",
		 STR_FMT(x->name), hex, (long long)(x->before ? json_count(x->before->text, STR("created")) : now), (long long)ends_s,
		 off ? "true" : "false", x->revoke ? "true" : "false", STR_FMT(buf_str(&of)));
	buf_free(&of);
	buf_free(&why);
	return status ? status : record->failed ? wrong(out, 413, "The key is larger than is kept: 8 KiB.") : 0;
}

static int change(const struct snapshot *s, const struct wanted *x, void *ticket, struct buf *out)
{
	struct work *w = mem_alloc(sizeof(*w));
	struct buf record = BUF_INIT(2 * KEY_RECORD_MAX);
	w->ticket = ticket;
	w->out = out;
	w->name = arena_copy(&w->arena, x->name);
	int status = write_record(w, s, x, &record, out);
	if (status == 0) {
		w->change = (struct keys_change){ .name = w->name, .record = buf_str(&record), .revoked = x->revoke,
						  .before = x->before ? x->before->version : 0, .done = on_done };
		w->status = ADMIN_LATER;
		keys_change(&w->change);
		status = w->status;
		w->returned = true;
	}
	buf_free(&record);
	if (status != ADMIN_LATER)
		work_free(w);
	return status;
}

/* It is a part of paths. */
static bool name_good(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '/' || s.p[i] == '%' || s.p[i] == '?' ||
		    s.p[i] == '&' || s.p[i] == '#')
			return false;
	return s.n > 0 && s.n <= KEY_NAME_MAX && !str_eq(s, STR(".")) && !str_eq(s, STR(".."));
}

static bool is_configured(const struct snapshot *s, struct str name)
{
	for (unsigned i = 0; i < s->n_keys; i++)
		if (str_eq(s->keys[i]->name, name))
			return true;
	return false;
}

static int create(const struct snapshot *s, const struct admin_call *c, struct buf *out)
{
	struct wanted x = { .name = json_raw(json_get(c->body, STR("name"))), .body = c->body };
	if (!name_good(x.name))
		return wrong(out, 400, "`name`: expected 1 to 128 printable characters without blanks, quotes, / ? & # % and backslash.");
	if (is_configured(s, x.name))
		return wrong(out, 409, "The configuration has a key of this name.");
	struct key_record *old = key_book_named(x.name);
	bool taken = old && !old->revoked;
	key_record_release(old);
	return taken ? wrong(out, 409, "There is a key of this name already.") : change(s, &x, c->ticket, out);
}

static int change_one(const struct snapshot *s, const struct admin_call *c, struct wanted *x, struct buf *out)
{
	struct key_record *r = key_book_named(x->name);
	int status;
	if (!r && is_configured(s, x->name))
		status = wrong(out, 409, "This key is of the configuration, and is changed there.");
	else if (!r || r->revoked)
		status = wrong(out, 404, r ? "This key is revoked." : "There is no key of this name.");
	else if (json_get(x->body, STR("name")).p && !str_eq(json_raw(json_get(x->body, STR("name"))), x->name))
		status = wrong(out, 400, "`name`: a key keeps its name: limits and the ledger go by it.");
	else {
		x->before = r;
		status = change(s, x, c->ticket, out);
	}
	key_record_release(r);
	return status;
}

static bool body_good(struct str body)
{
	struct arena a = ARENA_INIT;
	struct json_scan s;
	json_scan_init(&s, &a);
	bool good = json_scan_feed(&s, body.p, body.n, true) == JSON_DONE;
	arena_clear(&a);
	return good;
}

static int answer(const struct snapshot *s, const struct admin_call *c, struct arena *a, struct buf *out)
{
	struct str rest = str_skip(c->rest, 1), action = rest;
	struct wanted x = { .body = c->body };
	bool root = str_empty(c->rest) || str_eq(c->rest, STR("/"));
	str_split(&action, '/', &x.name);
	if (!url_decode(a, x.name, false, &x.name))
		return wrong(out, 400, "The key's name in the path cannot be read: it has a broken %XX.");
	if (c->method == HTTP_GET || c->method == HTTP_HEAD)
		return root ? list(c->query, out) : str_empty(action) ? show(x.name, out) : str_eq(action, STR("use")) ?
		       keys_use(s, x.name, c->ticket, out) : wrong(out, 404, "There is nothing at this path.");
	if (!keys_kept())
		return wrong(out, 409, "There is nowhere to keep keys: set `keys_file`, `ledger` or a Redis `store` in the configuration.");
	bool with_body = (c->method == HTTP_POST && root) || c->method == HTTP_PATCH;
	if (with_body && !body_good(c->body))
		return wrong(out, 400, "The body must be one JSON object.");
	if (!with_body)
		x.body = STR_NONE;
	if (c->method == HTTP_POST && root)
		return create(s, c, out);
	x.rotate = c->method == HTTP_POST;
	x.revoke = c->method == HTTP_DELETE;
	bool known = !root && (x.rotate ? str_eq(action, STR("rotate")) : str_empty(action));
	return known ? change_one(s, c, &x, out) : wrong(out, 404, "There is nothing at this path.");
}

int keys_admin(const struct snapshot *s, const struct admin_call *c, struct buf *out)
{
	struct arena a = ARENA_INIT;
	int status = answer(s, c, &a, out);
	arena_clear(&a);
	return status;
}
