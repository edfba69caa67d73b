/*
 * explain.c: the stages that decide, run over a request that nobody sent.
 *
 * The same code judges as for real requests (endpoint table, decode, router), so what is
 * explained is what happens; t->dry keeps it from counting.
 */
#include "explain.h"

#include <stdlib.h>

#include "access/key_book.h"
#include "access/made_keys.h"
#include "api/decode.h"
#include "api/endpoints.h"
#include "core/call.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "core/live.h"
#include "core/txn.h"
#include "plugin_host/plugin_host.h"
#include "routing/plan_json.h"
#include "routing/router.h"
#include "wire/http_write.h"
#include "wire/json_cursor.h"

enum { PLUGINS_TEXT = 1024 * 1024 };

struct asked {
	struct str path, key, body;
};

static void read_header(struct txn *t, struct str name, struct str value)
{
	static const struct { struct str name; enum request_header as; } known[] = {
		{ STR_INIT("x-weir-session"), RH_WEIR_SESSION }, { STR_INIT("x-weir-provider"), RH_WEIR_PROVIDER },
		{ STR_INIT("x-weir-fallbacks"), RH_WEIR_FALLBACKS }, { STR_INIT("x-weir-tags"), RH_WEIR_TAGS }, { STR_INIT("user-agent"), RH_USER_AGENT },
	};
	struct str text = json_text(&t->arena, value);
	for (size_t i = 0; i < array_len(known); i++)
		if (str_ieq(known[i].name, name))
			t->req->header[known[i].as] = text;
	if (http_header_fits(name, text))	/* as a head has them, for plugins that look for others */
		t->req->head = arena_printf(&t->arena, "%.*s\r\n%.*s: %.*s", STR_FMT(t->req->head), STR_FMT(name), STR_FMT(text));
}

static void unwrap(struct txn *t, struct str request, struct asked *a)
{
	struct str root = json_value(request), body = json_get(root, STR("body"));
	struct json_cursor c;
	bool wrapped = json_type(body) == JSON_OBJECT;
	a->body = wrapped ? body : request;
	a->path = wrapped ? json_text(&t->arena, json_get(root, STR("path"))) : STR_NONE;
	a->key = wrapped ? json_text(&t->arena, json_get(root, STR("key"))) : STR_NONE;
	if (wrapped && json_cursor_open(&c, json_get(root, STR("headers"))) && c.object)
		while (json_cursor_next(&c))
			read_header(t, c.key, c.value);
	if (str_empty(a->path))
		a->path = json_get(json_value(a->body), STR("messages")).p ? STR("/v1/chat/completions") : STR("/v1/responses");
}

static enum stage_result find_key(struct txn *t, struct str name)
{
	if (str_empty(name))
		return STAGE_NEXT;
	for (unsigned i = 0; i < t->snapshot->n_keys; i++)
		if (str_eq(t->snapshot->keys[i]->name, name))
			t->key = t->snapshot->keys[i];
	struct key_record *made = t->key ? NULL : key_book_named(name);
	if (made)
		t->key = made_key(t->snapshot, made->digest, &t->arena);
	key_record_release(made);
	t->live_key = t->key ? t->key->live : NULL;
	return t->key ? STAGE_NEXT : txn_error(t, ERR_BAD_REQUEST, "There is no key named `%.*s`.", STR_FMT(str_head(name, 100)));
}

static enum stage_result find_endpoint(struct txn *t, struct str path)
{
	struct str id;
	if (endpoint_find(HTTP_POST, path, &t->endpoint, &t->call->path, &id) != ENDPOINT_FOUND ||
	    t->endpoint->body != ENDPOINT_JSON)
		return txn_error(t, ERR_NOT_FOUND, "There is nothing to explain at %.*s.", STR_FMT(str_head(path, 200)));
	t->dialect = t->endpoint->dialect;
	if (t->endpoint->route == ROUTE_PATH)
		t->call->model = id;
	return STAGE_NEXT;
}

static enum stage_result run(struct txn *t, struct str request)
{
	struct asked a;
	unwrap(t, request, &a);
	if (find_key(t, a.key) == STAGE_FAILED || find_endpoint(t, a.path) == STAGE_FAILED ||
	    decode_json(t, a.body) == STAGE_FAILED || plugins_stage.enter(t) == STAGE_FAILED ||
	    decode_changes_stage.enter(t) == STAGE_FAILED)
		return STAGE_FAILED;
	enum stage_result r = router_stage.enter(t);
	return r == STAGE_NEXT ? plugin_targets_stage.enter(t) : r;
}

int explain(const struct snapshot *s, struct loop *l, struct str request, struct buf *out)
{
	struct txn t = { .loop = l, .snapshot = s, .dry = true, .method = HTTP_POST };
	int status = 200;
	arena_init(&t.arena);
	t.req = arena_new(&t.arena, struct request);
	t.call = arena_new(&t.arena, struct call);
	t.dialect = dialect_find(STR("openai"));
	t.began_us = loop_now(l);
	if (run(&t, request) == STAGE_NEXT) {
		struct buf plugins = BUF_INIT(PLUGINS_TEXT);
		plugins_explain(&t, &plugins);
		plan_json(t.plan, buf_str(&plugins), out);
		buf_free(&plugins);
	} else {
		status = error_status(&t.error);
		t.dialect->write_error(out, &t.error, STR_NONE);
	}
	plugins_forget(&t);
	free(t.tags);
	arena_clear(&t.arena);
	return status;
}
