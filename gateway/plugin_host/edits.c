/*
 * edits.c: what plugins change, as splices of the body's bytes.
 */
#include "core/call.h"
#include "plugin_host/run.h"
#include "wire/json_scan.h"

/* The same place changed twice is changed to what came last. They are in order, and mostly made so: the last ones are looked at first. */
static struct edit *find(struct edits *e, size_t at, size_t remove, struct str name)
{
	for (unsigned i = e->n; i > 0 && e->items[i - 1].at >= at; i--)
		if (e->items[i - 1].at == at && e->items[i - 1].remove == remove && str_eq(e->items[i - 1].name, name))
			return &e->items[i - 1];
	return NULL;
}

bool run_edit(struct weir_request *r, size_t at, size_t remove, struct str name, struct str insert)
{
	struct edits *e = &r->edits;
	struct arena *a = &r->t->arena;
	struct edit *same = find(e, at, remove, name);
	if (same) {
		same->insert = arena_copy(a, insert);
		return true;
	}
	if (e->n == e->cap) {
		struct edit *more = arena_array(a, struct edit, e->cap ? 2 * e->cap : 8);
		if (e->n)
			memcpy(more, e->items, e->n * sizeof(*more));
		e->cap = e->cap ? 2 * e->cap : 8;
		e->items = more;
	}
	unsigned i = e->n++;
	for (; i > 0 && e->items[i - 1].at > at; i--)
		e->items[i] = e->items[i - 1];
	e->items[i] = (struct edit){ .at = at, .remove = remove, .insert = arena_copy(a, insert), .name = arena_copy(a, name) };
	return true;
}

static bool is_json(struct arena *a, struct str text)
{
	struct json_scan scan;
	json_scan_init(&scan, a);
	return json_scan_feed(&scan, text.p, text.n, true) == JSON_DONE;
}

static struct str spliced(struct weir_request *r, struct str body)
{
	const struct edits *e = &r->edits;
	size_t size = body.n, from = 0, n = 0;
	for (unsigned i = 0; i < e->n; i++)
		size += e->items[i].insert.n;
	char *out = arena_alloc(&r->t->arena, size + 1);
	for (unsigned i = 0; i < e->n; i++) {
		const struct edit *x = &e->items[i];
		if (x->at < from)
			continue;	/* inside of what is gone already */
		memcpy(out + n, body.p + from, x->at - from);
		n += x->at - from;
		memcpy(out + n, x->insert.p, x->insert.n);
		n += x->insert.n;
		from = x->at + x->remove;
	}
	memcpy(out + n, body.p + from, body.n - from);
	return str_of(out, n + body.n - from);
}

bool run_apply(struct weir_request *r)
{
	struct call *call = r->t->call;
	struct str body = r->edits.whole;
	if (!body.p && !r->edits.n)
		return true;
	if (!body.p)
		body = spliced(r, call->body);
	r->edits = (struct edits){ .n = 0 };
	r->view.read = false;
	if (!is_json(&r->t->arena, body))
		return false;
	call->body = body;
	call->shared = NULL;
	call->prompt = (struct prompt){ .measured = false };
	call->changed = true;
	return true;
}
