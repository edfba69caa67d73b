/*
 * host.c: the functions plugins are given. What makes no sense is refused with 0 or an empty text.
 */
#include "base/clock.h"
#include "core/calendar.h"
#include "core/call.h"
#include "core/endpoint.h"
#include "core/estimate.h"
#include "core/live.h"
#include "core/plan.h"
#include "core/snapshot.h"
#include "core/target.h"
#include "plugin_host/run.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"

enum { MESSAGE_MOST = 2048, NAME_MOST = 128, NOTES_MOST = 64 * 1024 };

static void local_time(const struct weir_zone *z, int64_t at, struct weir_time *out)
{
	struct local_time t = zone_local((const struct zone *)z, at);
	if (out->size < sizeof(*out))
		return;
	*out = (struct weir_time){ .size = out->size, .year = (int)t.year, .month = t.month, .day = t.day, .weekday = t.weekday,
				   .minute = t.minute };
}

static int64_t now(struct weir_request *r)
{
	(void)r;
	return clock_wall_us() / SECOND_US;
}

/* The scan wants an object around it, and the value has to be all that stands there. */
static int is_json(struct weir_text text)
{
	struct arena a;
	struct json_scan scan;
	struct str all = str_trim(run_str(text)), value = json_value(all);
	arena_init(&a);
	json_scan_init(&scan, &a);
	struct str object = arena_printf(&a, "{\"a\":%.*s}", STR_FMT(all));
	bool is = all.n && value.n == all.n && json_scan_feed(&scan, object.p, object.n, true) == JSON_DONE;
	arena_clear(&a);
	return is;
}

/* --- reading --- */

static struct str header(const struct weir_request *r, enum request_header h)
{
	return r->t->req ? r->t->req->header[h] : STR_NONE;
}

/* Credentials are nobody's but weir's. */
static bool is_secret(struct str name)
{
	static const char *const secret[] = { "authorization", "proxy-authorization", "x-api-key", "x-goog-api-key", "cookie" };
	for (size_t i = 0; i < array_len(secret); i++)
		if (str_ieq(name, str_c(secret[i])))
			return true;
	return false;
}

static struct weir_text any_header(struct weir_request *r, struct weir_text name)
{
	struct str rest = r->inside && r->t->req && !is_secret(run_str(name)) ? r->t->req->head : STR_NONE, line;
	str_split(&rest, '\n', &line);	/* the request line */
	while (str_split(&rest, '\n', &line)) {
		ptrdiff_t colon = str_chr(line, ':');
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (colon > 0 && str_ieq(str_head(line, (size_t)colon), run_str(name)))
			return run_text(str_trim(str_skip(line, (size_t)colon + 1)));
	}
	return run_text(STR_NONE);
}

static struct weir_text fact(struct weir_request *r, enum weir_fact f)
{
	const struct txn *t = r->t;
	struct str s = STR_NONE;
	if (f == WEIR_REQUEST_ID)
		return run_text(str_c(t->id));
	if (!r->inside || !t->call)
		return run_text(s);
	switch (f) {
	case WEIR_MODEL:      s = t->call->model; break;
	case WEIR_KEY:        s = t->key ? t->key->name : STR_NONE; break;
	case WEIR_TEAM:       s = t->key ? t->key->team : STR_NONE; break;
	case WEIR_ENDPOINT:   s = str_c(t->endpoint->name); break;
	case WEIR_USER_AGENT: s = header(r, RH_USER_AGENT); break;
	case WEIR_SESSION:    s = header(r, RH_WEIR_SESSION); break;
	case WEIR_PEER:       s = t->req ? t->req->peer : STR_NONE; break;
	case WEIR_LAST_TEXT:  s = run_last_text(r); break;
	case WEIR_BODY:       s = t->call->body; break;
	case WEIR_REQUEST_ID: case WEIR_FACTS: break;
	}
	return run_text(s);
}

/* As most models would count. */
static uint64_t tokens(struct txn *t)
{
	const struct prompt *p = txn_prompt(t);
	return p->measured ? (uint64_t)estimate_input(NULL, p) : 0;
}

static uint64_t count(struct weir_request *r, enum weir_count c)
{
	if (!r->inside)
		return 0;
	switch (c) {
	case WEIR_BODY_BYTES: return r->t->call->body.n;
	case WEIR_PIECES:     return run_view(r)->texts.n;
	case WEIR_MESSAGES:   return run_view(r)->messages;
	case WEIR_TOOLS:      return run_tools(r);
	case WEIR_IMAGES:     return run_view(r)->images;
	case WEIR_STREAM:     return r->t->stream;
	case WEIR_DRY:        return r->t->dry;
	case WEIR_TOKENS:     return tokens(r->t);
	case WEIR_CODE:       return run_code(r);
	case WEIR_COUNTS:     break;
	}
	return 0;
}

static int show_piece(struct weir_request *r, const struct pieces *all, unsigned i, struct weir_piece *out)
{
	if (out->size < sizeof(*out) || i >= all->n)
		return 0;
	struct piece *p = &all->p[i];
	out->role = p->role;
	out->message = p->message;
	out->text = run_text(run_piece_text(r, p));
	return 1;
}

static int piece(struct weir_request *r, unsigned i, struct weir_piece *out)
{
	return r->inside && show_piece(r, &run_view(r)->texts, i, out);
}

static int argument(struct weir_request *r, unsigned i, struct weir_piece *out)
{
	return r->inside && show_piece(r, &run_view(r)->arguments, i, out);
}

static struct str member(const struct weir_request *r, const char *name)
{
	return r->t->call->json ? json_get(json_value(r->t->call->body), str_c(name)) : STR_NONE;
}

static struct weir_text parameter(struct weir_request *r, const char *name)
{
	return run_text(r->inside ? member(r, name) : STR_NONE);
}

static struct weir_text tag(struct weir_request *r, struct weir_text name)
{
	struct str rest = r->inside ? header(r, RH_WEIR_TAGS) : STR_NONE, part;
	while (str_split(&rest, ',', &part)) {
		ptrdiff_t equals = str_chr(part, '=');
		if (equals > 0 && str_eq(str_trim(str_head(part, (size_t)equals)), run_str(name)))
			return run_text(str_trim(str_skip(part, (size_t)equals + 1)));
	}
	return run_text(STR_NONE);
}

/* --- changing --- */

static struct str as_json(struct weir_request *r, struct str text)
{
	struct buf out = BUF_INIT(6 * text.n + 16);
	buf_add_json(&out, text);
	struct str json = arena_copy(&r->t->arena, buf_str(&out));
	buf_free(&out);
	return json;
}

static size_t offset_of(const struct weir_request *r, struct str span)
{
	return (size_t)(span.p - r->t->call->body.p);
}

static int set_piece(struct weir_request *r, unsigned i, struct weir_text text)
{
	if (!r->inside || i >= run_view(r)->texts.n)
		return 0;
	struct str value = r->view.texts.p[i].value;
	return run_edit(r, offset_of(r, value), value.n, STR_NONE, as_json(r, run_str(text)));
}

static int set_argument(struct weir_request *r, unsigned i, struct weir_text json)
{
	if (!r->inside || i >= run_view(r)->arguments.n)
		return 0;
	struct str value = r->view.arguments.p[i].value, text = run_str(json);
	return run_edit(r, offset_of(r, value), value.n, STR_NONE, json_type(value) == JSON_STRING ? as_json(r, text) : text);
}

/* A member of the root: its value replaced, or the whole put behind the opening brace. */
static int set_member(struct weir_request *r, const char *name, struct str json)
{
	struct str value = member(r, name);
	struct str body = r->t->call->body;
	if (!r->t->call->json)
		return 0;
	if (value.p)
		return run_edit(r, offset_of(r, value), value.n, STR_NONE, json);
	struct str key = as_json(r, str_c(name));
	bool empty = json_first(json_value(body)) == 0;
	return run_edit(r, (size_t)str_chr(body, '{') + 1, 0, str_c(name),
			arena_printf(&r->t->arena, "%.*s:%.*s%s", STR_FMT(key), STR_FMT(json), empty ? "" : ","));
}

/* With the comma before it, or behind it where it stands first. */
static int take_member(struct weir_request *r, struct str name)
{
	struct json_cursor c;
	const char *end = NULL, *begin = NULL;
	if (!r->t->call->json || !json_cursor_open(&c, json_value(r->t->call->body)))
		return 0;
	while (json_cursor_next(&c)) {
		if (begin)	/* it was the first: up to the next key */
			return run_edit(r, offset_of(r, str_of(begin, 0)), (size_t)(c.key.p - 1 - begin), name, STR(""));
		if (str_eq(c.key, name) && end)
			return run_edit(r, offset_of(r, str_of(end, 0)), (size_t)(c.value.p + c.value.n - end), name, STR(""));
		if (str_eq(c.key, name))
			begin = c.key.p - 1;
		end = c.value.p + c.value.n;
	}
	return begin ? run_edit(r, offset_of(r, str_of(begin, 0)), (size_t)(end - begin), name, STR("")) : 1;
}

static int set_model(struct weir_request *r, struct weir_text model)
{
	return r->inside && model.n ? set_member(r, "model", as_json(r, run_str(model))) : 0;
}

static int set_parameter(struct weir_request *r, const char *name, struct weir_text json)
{
	static const char *const kept[] = { "model", "messages", "input", "prompt", "stream" };
	for (size_t i = 0; i < array_len(kept); i++)
		if (str_eq(str_c(kept[i]), str_c(name)))
			return 0;
	if (!r->inside || !name || str_c(name).n > NAME_MOST)
		return 0;
	if (json.n)
		return set_member(r, name, run_str(json));
	return take_member(r, str_c(name));
}

static bool is_tag_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == ',' || s.p[i] == '=' || s.p[i] == 0x7f)
			return false;
	return s.n <= NAME_MOST;
}

static int set_tag(struct weir_request *r, struct weir_text name, struct weir_text value)
{
	struct str old = header(r, RH_WEIR_TAGS), rest = old, part;
	struct buf out = BUF_INIT(old.n + name.n + value.n + 16);
	if (!r->inside || !r->t->req || !name.n || !is_tag_text(run_str(name)) || !is_tag_text(run_str(value)))
		return 0;
	while (str_split(&rest, ',', &part)) {
		struct str trimmed = str_trim(part);
		ptrdiff_t equals = str_chr(trimmed, '=');
		if (equals < 0 || !str_eq(str_trim(str_head(trimmed, (size_t)equals)), run_str(name)))
			buf_addf(&out, "%.*s,", STR_FMT(trimmed));
	}
	buf_addf(&out, "%.*s=%.*s", STR_FMT(run_str(name)), STR_FMT(run_str(value)));
	r->t->req->header[RH_WEIR_TAGS] = arena_copy(&r->t->arena, buf_str(&out));
	txn_set_tags(r->t, buf_str(&out));
	buf_free(&out);
	return 1;
}

static int set_cache(struct weir_request *r, enum weir_cache c)
{
	if (!r->inside || (c != WEIR_CACHE_SKIP && c != WEIR_CACHE_FORCE))
		return 0;
	r->t->cache_wish = (signed char)c;
	return 1;
}

static int set_body(struct weir_request *r, struct weir_text json)
{
	if (!r->inside || !r->t->call->json || !json.n)
		return 0;
	r->edits.whole = arena_copy(&r->t->arena, run_str(json));
	return 1;
}

/* --- JSON of others --- */

static bool is_json_object(struct weir_request *r, struct str text)
{
	struct json_scan scan;
	json_scan_init(&scan, &r->t->arena);
	return json_scan_feed(&scan, text.p, text.n, true) == JSON_DONE;
}

static struct weir_text json_member(struct weir_request *r, struct weir_text object, const char *name)
{
	return run_text(is_json_object(r, run_str(object)) ? json_get(json_value(run_str(object)), str_c(name)) : STR_NONE);
}

static struct weir_text json_text_of(struct weir_request *r, struct weir_text value)
{
	return run_text(value.p ? json_text(&r->t->arena, run_str(value)) : STR_NONE);
}

/* --- verdicts --- */

/* It goes into a header: what has no place there becomes `?`. */
static void keep_why(struct weir_request *r, const char *why)
{
	struct str given = why ? str_head(str_c(why), WHY_MOST) : STR_NONE;
	char *kept = arena_alloc(&r->t->arena, given.n + 1);
	for (size_t i = 0; i < given.n; i++)
		kept[i] = (unsigned char)given.p[i] < ' ' || given.p[i] == 0x7f ? '?' : given.p[i];
	r->why = str_of(kept, given.n);
}

static int answer(struct weir_request *r, struct weir_text text, const char *why)
{
	if (!r->inside || !can_speak(r->t))
		return 0;
	r->answered = true;
	r->answer = arena_copy(&r->t->arena, run_str(text));
	keep_why(r, why);
	return 1;
}

static int reject(struct weir_request *r, int status, const char *code, struct weir_text message, const char *why)
{
	struct error *e = &r->t->error;
	if (!r->inside && !r->in_delta)
		return 0;
	e->kind = ERR_PLUGIN;
	e->status = status >= 400 && status <= 599 ? status : 0;
	e->message = arena_copy(&r->t->arena, str_head(run_str(message), MESSAGE_MOST));
	e->code = code ? arena_copy(&r->t->arena, str_head(str_c(code), NAME_MOST)) : STR_NONE;
	e->final = true;
	keep_why(r, why);
	return 1;
}

static int hold_answer(struct weir_request *r)
{
	if (!r->inside || !run_use(r)->plugin->answered)
		return 0;
	r->holds |= UINT32_C(1) << r->at;
	return 1;
}

static void note(struct weir_request *r, const char *verb, struct str why)
{
	if (r->notes.max == 0)
		buf_init(&r->notes, NOTES_MOST);
	buf_addf(&r->notes, "%s{\"plugin\":", r->notes.n ? "," : "");
	buf_add_json(&r->notes, run_use(r)->name);
	buf_addf(&r->notes, ",\"%s\":", verb);
	buf_add_json(&r->notes, why);
	buf_addc(&r->notes, '}');
}

static void hit(struct weir_request *r, const char *why)
{
	if (r->t->dry)
		note(r, "matched", str_head(str_c(why), WHY_MOST));
	else
		count_hit(run_use(r), str_head(str_c(why), WHY_MOST));
}

static void cut_off(struct weir_request *r, const char *why)
{
	if (r->t->dry)
		note(r, "cut_off", str_head(str_c(why), WHY_MOST));
	else
		count_cut_off(run_use(r));
}

/* --- targets --- */

static unsigned targets(struct weir_request *r)
{
	return r->routing && r->t->plan ? r->t->plan->n : 0;
}

static struct weir_text target(struct weir_request *r, unsigned i)
{
	const struct plan_entry *e = i < targets(r) ? &r->t->plan->entries[i] : NULL;
	return run_text(e && !e->excluded ? e->target->name : STR_NONE);
}

static int exclude(struct weir_request *r, unsigned i, const char *why)
{
	if (i >= targets(r) || !why)
		return 0;
	struct plan_entry *e = &r->t->plan->entries[i];
	e->excluded = why;
	e->excluded_as = ERR_PLUGIN;
	e->full = e->passing = e->unfit = false;
	return 1;
}

static int prefer(struct weir_request *r, unsigned i)
{
	if (i >= targets(r))
		return 0;
	struct plan_entry *all = r->t->plan->entries, chosen = all[i];
	chosen.placed = "a plugin prefers it";
	chosen.preferred = true;
	memmove(all + 1, all, i * sizeof(*all));
	all[0] = chosen;
	return 1;
}

/* --- deltas --- */

static int set_delta(struct weir_request *r, struct weir_text text)
{
	if (!r->in_delta)
		return 0;
	buf_clear(&r->replaced);
	r->was_replaced = buf_add(&r->replaced, run_str(text));
	return r->was_replaced;
}

static void **own(struct weir_request *r)
{
	return &r->own[r->at];
}

const struct weir_host plugin_host = {
	.abi = WEIR_PLUGIN_ABI, .size = sizeof(struct weir_host), .weir_version = WEIR_VERSION,
	.log = host_log, .tell = host_tell, .read_yaml = host_read_yaml, .read_file = host_read_file, .http_place = host_place,
	.fact = fact, .count = count, .piece = piece, .parameter = parameter, .tag = tag,
	.set_piece = set_piece, .set_model = set_model, .set_parameter = set_parameter, .set_tag = set_tag, .set_cache = set_cache,
	.set_body = set_body, .answer = answer, .reject = reject, .hit = hit, .timer = run_timer, .http = run_http, .work = run_work,
	.targets = targets, .target = target, .exclude = exclude, .prefer = prefer, .set_delta = set_delta, .own = own, .argument = argument, .set_argument = set_argument,
	.json_member = json_member, .json_text = json_text_of, .hold_answer = hold_answer, .is_json = is_json,
	.header = any_header, .zone = host_zone, .now = now, .local_time = local_time, .counts = host_counts, .cut_off = cut_off,
};
