/*
 * compare.c: a caller made of nothing, whose answer is looked at and let go.
 */
#include "upstream/compare.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "core/call.h"
#include "core/families.h"
#include "core/live.h"

enum { COMPARISONS_MAX = 32, WORDS_MAX = 8192, BODY_MOST = 1 << 20 };
static const double SIMILAR = 0.6;

struct comparison {
	struct list link;
	struct client client;
	struct loop_task start_task, body_task, end_task;
	struct arena arena;
	struct request req;		/* all spans in the arena */
	struct str body, text;		/* text: the first answer's */
	struct body_reader *reader;
	struct live_model *model;
	char peer[PEER_SIZE];
	const char *result;		/* NULL: not judged */
	uint64_t sent;
	bool counted, over;
};

static _Thread_local struct list running;
static _Thread_local unsigned n_running;
static _Thread_local struct loop *thread_loop;
static _Thread_local void *maker;
static _Thread_local struct txn *(*make)(void *owner, struct client *);

/* --- texts --- */

static bool is_word(unsigned char c)
{
	return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static uint64_t hash_word(struct str w)
{
	uint64_t h = UINT64_C(0xCBF29CE484222325);
	for (size_t i = 0; i < w.n; i++) {
		unsigned char c = (unsigned char)w.p[i];
		h = (h ^ (c >= 'A' && c <= 'Z' ? c + 32u : c)) * UINT64_C(0x100000001B3);
	}
	return h;
}

static size_t read_words(struct str s, uint64_t *to)
{
	size_t n = 0, at = 0;
	while (at < s.n && n < WORDS_MAX) {
		size_t from = at;
		while (at < s.n && is_word((unsigned char)s.p[at]))
			at++;
		if (at > from)
			to[n++] = hash_word(str_of(s.p + from, at - from));
		else
			at++;
	}
	return n;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static size_t in_common(uint64_t *a, size_t n, uint64_t *b, size_t m)
{
	size_t common = 0;
	qsort(a, n, sizeof(*a), by_value);
	qsort(b, m, sizeof(*b), by_value);
	for (size_t i = 0, j = 0; i < n && j < m;) {
		common += a[i] == b[j];
		bool left = a[i] <= b[j], right = b[j] <= a[i];
		i += left;
		j += right;
	}
	return common;
}

double compare_texts(struct str a, struct str b)
{
	uint64_t *x = mem_alloc(2 * WORDS_MAX * sizeof(*x)), *y = x + WORDS_MAX;
	size_t n = read_words(a, x), m = read_words(b, y);
	double share = 2;
	if (n != m || (n && memcmp(x, y, n * sizeof(*x)) != 0))
		share = 2 * (double)in_common(x, n, y, m) / (double)(n + m);
	free(x);
	return share;
}

/* --- the caller that is none --- */

static struct comparison *of(struct client *c)
{
	return container_of(c, struct comparison, client);
}

static void deliver_body(struct loop_task *task)
{
	struct comparison *c = container_of(task, struct comparison, body_task);
	c->reader->take(c->reader, c->body);
	if (!c->over)
		c->reader->end(c->reader);
}

static void read_body(struct client *client, struct body_reader *r)
{
	struct comparison *c = of(client);
	c->reader = r;
	loop_defer(thread_loop, &c->body_task);
}

static void more_body(struct client *client unused_arg)
{
}

static bool begin_answer(struct client *client unused_arg, const struct answer_head *head unused_arg)
{
	return true;
}

static void write_nowhere(struct client *client, const struct str *parts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		of(client)->sent += parts[i].n;
}

static void comparison_free(struct comparison *c)
{
	if (!c->counted)
		families_cascade_compared(c->model, "not_answered", 0);
	loop_task_cancel(&c->start_task);
	loop_task_cancel(&c->body_task);
	loop_task_cancel(&c->end_task);
	list_remove(&c->link);
	n_running--;
	arena_clear(&c->arena);
	free(c);
}

static void on_end(struct loop_task *task)
{
	comparison_free(container_of(task, struct comparison, end_task));
}

/* What holds it may look once more in this turn. */
static void end(struct client *client)
{
	struct comparison *c = of(client);
	c->over = true;
	loop_task_cancel(&c->body_task);
	loop_defer(thread_loop, &c->end_task);
}

static size_t queued(const struct client *client unused_arg)
{
	return 0;
}

static uint64_t sent(const struct client *client)
{
	return of((struct client *)(uintptr_t)client)->sent;
}

static const struct client_ops nobody = {
	.read_body = read_body, .more_body = more_body, .begin = begin_answer, .write = write_nowhere, .flush = more_body,
	.end = end, .abort = end, .queued = queued, .sent = sent,
};

/* --- life --- */

void compare_open(struct loop *l, void *owner, struct txn *(*begin)(void *owner, struct client *))
{
	list_init(&running);
	n_running = 0;
	thread_loop = l;
	maker = owner;
	make = begin;
}

void compare_close(void)
{
	while (running.next && !list_empty(&running))
		comparison_free(list_entry(running.next, struct comparison, link));
}

static void start(struct loop_task *task)
{
	struct comparison *c = container_of(task, struct comparison, start_task);
	struct txn *t = make(maker, &c->client);
	t->req = arena_new(&t->arena, struct request);
	*t->req = c->req;
	t->req->began_us = loop_now(thread_loop);
	t->comparison = c;
	t->cache_wish = -1;
	memcpy(t->peer, c->peer, sizeof(t->peer));
	t->ops->start(t);
}

/* The head as the caller sent it, but for its id; and a word for the ledger. */
static void copy_request(struct comparison *c, const struct txn *t)
{
	struct arena *a = &c->arena;
	struct str tags = t->req->header[RH_WEIR_TAGS];
	c->req = *t->req;
	c->req.method_text = arena_copy(a, t->req->method_text);
	c->req.path = arena_copy(a, t->req->path);
	c->req.query = arena_copy(a, t->req->query);
	c->req.peer = arena_copy(a, t->req->peer);
	for (unsigned i = 0; i < REQUEST_HEADERS; i++)
		if (c->req.header[i].p)
			c->req.header[i] = arena_copy(a, t->req->header[i]);
	c->req.header[RH_REQUEST_ID] = STR_NONE;
	c->req.header[RH_WEIR_TAGS] = arena_printf(a, "%.*s%scompare=large", STR_FMT(tags), tags.n ? "," : "");
	c->body = arena_copy(a, t->call->body);
	c->req.has_body = c->req.body_length_known = true;
	c->req.body_length = c->body.n;
}

void compare_maybe(struct txn *t, int per_cent, struct str text)
{
	if (!make || !t->req || t->call->body.n > BODY_MOST || n_running == COMPARISONS_MAX || random_u64() % 100 >= (uint64_t)per_cent)
		return;
	struct comparison *c = mem_alloc(sizeof(*c));
	c->client.ops = &nobody;
	c->model = t->live_model;
	arena_init(&c->arena);
	loop_task_init(&c->start_task, start);
	loop_task_init(&c->body_task, deliver_body);
	loop_task_init(&c->end_task, on_end);
	copy_request(c, t);
	c->text = arena_copy(&c->arena, text);
	memcpy(c->peer, t->peer, sizeof(c->peer));
	list_append(&running, &c->link);
	n_running++;
	loop_defer(thread_loop, &c->start_task);
}

/* --- what comes of it --- */

void compare_judged(struct txn *t, const struct attempt_verdict *v)
{
	double share = compare_texts(t->comparison->text, v->text);
	t->comparison->result = v->failed != CASCADE_CHECKS ? "large_failed" : share > 1 ? "same" : share >= SIMILAR ? "similar" : "different";
}

void compare_completed(struct txn *t)
{
	struct comparison *c = t->comparison;
	if (!c->result)
		return;
	c->counted = true;
	families_cascade_compared(c->model, c->result, t->cost_known && !t->cost_missing ? t->cost : 0);
}
