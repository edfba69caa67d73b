/*
 * health_check.c: asking servers how they are.
 *
 * One question at a time to each provider, with a deadline of its own. The answer is kept in
 * the live rows of the provider's targets, which the router reads.
 */
#include "upstream/health_check.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/live.h"
#include "upstream/transport.h"
#include "wire/http_parser.h"

static const int64_t EVERY_US = 5 * SECOND_US, DEADLINE_US = 3 * SECOND_US;

struct question {
	struct list link;
	struct snapshot *snapshot;	/* referenced: the provider is in it */
	const struct provider *provider;
	struct exchange *exchange;
	struct arena arena;
	struct iovec part;
	int64_t asked_us;
	bool good;
};

struct health_checks {
	struct loop *loop;
	struct transport_state *transport;
	struct snapshot *snapshot;
	struct list questions;
	struct timer timer;
};

static void question_free(struct question *q)
{
	list_remove(&q->link);
	arena_clear(&q->arena);
	snapshot_unref(q->snapshot);
	free(q);
}

static void keep_answer(const struct question *q, bool good, const char *why)
{
	const struct snapshot *s = q->snapshot;
	bool changed = false;
	for (unsigned i = 0; i < s->n_targets; i++) {
		struct live_target *live = s->targets[i]->live;
		if (s->targets[i]->provider != q->provider || !live)
			continue;
		int32_t before = atomic_exchange(&live->healthy, good);
		if (before != good) {
			atomic_store(&live->since_us, clock_wall_us());
			changed |= before >= 0 || !good;	/* that it is well from the start needs no word */
		}
	}
	if (changed && good)
		log_info("provider %.*s is healthy again", STR_FMT(q->provider->name));
	else if (changed)
		log_warn("provider %.*s fails its health check: %s", STR_FMT(q->provider->name), why);
}

static void on_head(void *owner, const struct http_head *head)
{
	struct question *q = owner;
	q->good = head->status >= 200 && head->status < 300;
}

static bool on_body(void *owner, struct str bytes, bool more)
{
	(void)owner, (void)bytes, (void)more;
	return true;
}

static void on_end(void *owner)
{
	struct question *q = owner;
	keep_answer(q, q->good, "it answers with an error");
	question_free(q);
}

static void on_fail(void *owner, enum transport_failure f, bool unprocessed, const char *why)
{
	struct question *q = owner;
	(void)f, (void)unprocessed;
	keep_answer(q, false, why ? why : "no answer");
	question_free(q);
}

static const struct transport_events events = {
	.on_head = on_head, .on_body = on_body, .on_end = on_end, .on_fail = on_fail,
};

static void ask(struct health_checks *h, const struct provider *p)
{
	struct question *q = mem_alloc(sizeof(*q));
	q->snapshot = snapshot_ref(h->snapshot);
	q->provider = p;
	q->asked_us = loop_now(h->loop);
	struct str head = arena_printf(&q->arena, "GET %.*s HTTP/1.1\r\nhost: %.*s\r\nuser-agent: weir/" WEIR_VERSION "\r\n\r\n",
				       STR_FMT(p->health_path), STR_FMT(p->origin.host_header));
	q->part = (struct iovec){ (void *)(uintptr_t)head.p, head.n };
	list_append(&h->questions, &q->link);
	struct transport_call call = { .origin = &p->origin, .method = HTTP_GET, .parts = &q->part, .n_parts = 1,
				       .connect_us = DEADLINE_US, .events = &events, .owner = q };
	q->exchange = http1_transport.start(h->transport, &call);
}

static bool is_being_asked(const struct health_checks *h, const struct provider *p)
{
	list_each(link, &h->questions)
		if (list_entry(link, struct question, link)->provider == p)
			return true;
	return false;
}

static void give_up(struct question *q)
{
	http1_transport.cancel(q->exchange);
	keep_answer(q, false, "no answer in time");
	question_free(q);
}

static void on_timer(struct timer *t)
{
	struct health_checks *h = container_of(t, struct health_checks, timer);
	int64_t now = loop_now(h->loop);
	list_each(link, &h->questions) {
		struct question *q = list_entry(link, struct question, link);
		if (now - q->asked_us >= DEADLINE_US)
			give_up(q);
	}
	for (unsigned i = 0; h->snapshot && i < h->snapshot->n_providers; i++) {
		const struct provider *p = h->snapshot->providers[i];
		if (p->usable && !p->demo && str_starts(p->health_path, STR("/")) && !is_being_asked(h, p))
			ask(h, p);
	}
	timer_in(t, EVERY_US);
}

struct health_checks *health_checks_open(struct loop *l)
{
	struct health_checks *h = mem_alloc(sizeof(*h));
	h->loop = l;
	h->transport = http1_transport.open(l);
	list_init(&h->questions);
	timer_open(&h->timer, l, on_timer);
	return h;
}

void health_checks_follow(struct health_checks *h, struct snapshot *s)
{
	if (h->snapshot)
		snapshot_unref(h->snapshot);
	h->snapshot = snapshot_ref(s);
	timer_in(&h->timer, 0);
}

void health_checks_close(struct health_checks *h)
{
	while (!list_empty(&h->questions)) {
		struct question *q = list_entry(h->questions.next, struct question, link);
		http1_transport.cancel(q->exchange);
		question_free(q);
	}
	timer_close(&h->timer);
	http1_transport.close(h->transport);
	if (h->snapshot)
		snapshot_unref(h->snapshot);
	free(h);
}
