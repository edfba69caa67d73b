/*
 * body.c: a request body collected in memory, scanned as it arrives.
 *
 * A body of known length is read straight into its memory, which grows as it arrives; the scanner
 * follows behind each read, so that a large body is never looked at in one go.
 */
#include "api/body.h"

#include <stdio.h>

#include "core/snapshot.h"

enum { SMALL = 16 * 1024, FIRST = 4 * 1024 };

static struct body *body_of(struct body_reader *r)
{
	return container_of(r, struct body, reader);
}

static void release(void *object)
{
	shared_bytes_let_go(*(struct shared_bytes **)object);
}

static bool grow(struct body *b, size_t need)
{
	if (need <= b->cap)
		return true;
	size_t cap = b->cap ? b->cap * 2 : FIRST;
	while (cap < need)
		cap *= 2;
	struct shared_bytes *p = shared_bytes_resize(b->shared, cap);
	if (!p)
		return false;
	b->shared = p;
	b->bytes = p->data;
	b->cap = cap;
	return true;
}

static void fail(struct body *b, enum error_kind kind, const char *why)
{
	if (!b->bad)
		b->t->ops->body_failed(b->t, kind, why);
	b->bad = true;
}

/* Returns false when the document is no good; the error goes out at once, the rest is not read. */
static bool scan(struct body *b, bool last)
{
	if (!b->is_json || json_scan_feed(&b->scan, b->bytes, b->n, last) != JSON_BAD)
		return true;
	const struct request *req = b->t->req;
	if (b->complete || (req->body_length_known && b->n >= req->body_length))
		return !b->complete;	/* all of it is here: decode tells it, the connection can go on */
	char why[160];
	snprintf(why, sizeof(why), "The body is not valid JSON: %s at byte %zu.", b->scan.error, b->scan.error_at);
	fail(b, ERR_BAD_JSON, why);
	return false;
}

static struct str space(struct body_reader *r, size_t least)
{
	struct body *b = body_of(r);
	if (!grow(b, b->n + least)) {
		fail(b, ERR_MEMORY, "There is no memory for the request's body just now.");
		return STR_NONE;
	}
	return str_of(b->bytes + b->n, b->cap - b->n);
}

static bool take(struct body_reader *r, struct str bytes)
{
	struct body *b = body_of(r);
	if (b->bad)
		return false;
	if (bytes.p != b->bytes + b->n) {
		if (!grow(b, b->n + bytes.n)) {
			fail(b, ERR_MEMORY, "There is no memory for the request's body just now.");
			return false;
		}
		memcpy(b->bytes + b->n, bytes.p, bytes.n);
	}
	b->n += bytes.n;
	return scan(b, false);
}

static void end(struct body_reader *r)
{
	struct body *b = body_of(r);
	if (b->bad)
		return;
	b->complete = true;
	b->bad = !scan(b, true);
	if (!b->reading)
		txn_resume(b->t, b->t->generation);
}

static void prepare(struct body *b)
{
	const struct request *req = b->t->req;
	if (req->body_length_known && req->body_length <= SMALL) {
		b->cap = (size_t)req->body_length + 1;
		b->bytes = arena_alloc(&b->t->arena, b->cap);
		return;
	}
	arena_own(&b->t->arena, &b->shared, release);
	if (req->body_length_known && grow(b, 1))
		b->reader.space = space;
}

bool body_collect(struct txn *t, struct body *b, bool is_json)
{
	b->t = t;
	b->is_json = is_json;
	b->reader = (struct body_reader){ .take = take, .end = end, .max = t->snapshot->settings.listen.max_body };
	if (is_json)
		json_scan_init(&b->scan, &t->arena);
	prepare(b);
	b->reading = true;
	client_read_body(t->client, &b->reader);
	b->reading = false;
	return b->complete;
}
