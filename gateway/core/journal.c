/*
 * journal.c: entries with a small lock each, which only a reader ever makes anybody wait for.
 */
#include "core/journal.h"

#include <string.h>

#include "base/clock.h"
#include "core/endpoint.h"
#include "core/live.h"

struct cell {
	atomic_flag busy;
	struct journal_entry entry;
};

static struct cell cells[JOURNAL_REQUESTS];
static _Atomic uint64_t serials;

static void hold(struct cell *c)
{
	while (atomic_flag_test_and_set_explicit(&c->busy, memory_order_acquire))
		;	/* a copy of a kilobyte is being made */
}

static void let_go(struct cell *c)
{
	atomic_flag_clear_explicit(&c->busy, memory_order_release);
}

static struct cell *cell_of(uint64_t serial)
{
	return &cells[serial % JOURNAL_REQUESTS];
}

/* The transaction's own entry, held; NULL when it was overtaken or never made. */
static struct journal_entry *enter(const struct txn *t)
{
	if (!t->journal)
		return NULL;
	struct cell *c = cell_of(t->journal);
	hold(c);
	if (c->entry.serial == t->journal)
		return &c->entry;
	let_go(c);
	return NULL;
}

static void leave(const struct txn *t)
{
	let_go(cell_of(t->journal));
}

static void copy_target(struct journal_target *to, const struct plan_entry *e)
{
	*to = (struct journal_target){
		.target = e->target->live, .excluded = e->excluded, .placed = e->placed, .score = e->score, .time_us = e->time_us,
		.cost = e->cost, .input = e->input, .output = e->output, .rung = e->rung,
	};
}

void journal_plan(struct txn *t, const struct plan *p, const char *strategy)
{
	t->journal = atomic_fetch_add_explicit(&serials, 1, memory_order_relaxed) + 1;
	struct cell *c = cell_of(t->journal);
	struct journal_entry *e = &c->entry;
	hold(c);
	memcpy(e->id, t->id, sizeof(e->id));
	e->serial = t->journal;
	e->at_us = clock_wall_us();
	e->model = p->model->live;
	e->key = t->live_key;
	e->strategy = strategy;
	e->endpoint = t->endpoint->name;
	e->stream = t->stream;
	e->session = p->session;
	e->over = false;
	e->n_targets = p->n;
	e->n_attempts = 0;
	for (unsigned i = 0; i < p->n && i < JOURNAL_TARGETS; i++)
		copy_target(&e->targets[i], &p->entries[i]);
	let_go(c);
}

void journal_attempt(const struct txn *t, const struct live_target *target, enum error_kind kind, int status, int64_t began_us)
{
	struct journal_entry *e = enter(t);
	if (!e)
		return;
	unsigned i = e->n_attempts++;
	if (i < JOURNAL_ATTEMPTS)
		e->attempts[i] = (struct journal_attempt){ target, kind, status, began_us - t->began_us, loop_now(t->loop) - began_us };
	leave(t);
}

void journal_end(const struct txn *t)
{
	struct journal_entry *e = enter(t);
	if (!e)
		return;
	e->over = true;
	e->status = t->answer.begun ? t->answer.status : error_status(&t->error);
	e->kind = t->error.kind;
	e->took_us = t->ended_us - t->began_us;
	e->first_us = t->first_content_us ? t->first_content_us - t->began_us : 0;
	e->cost = t->cost;
	e->cost_known = t->cost_known;
	e->cost_estimated = t->cost_estimated;
	e->usage = t->usage;
	leave(t);
}

bool journal_find(struct str id, struct journal_entry *out)
{
	bool found = false;
	for (unsigned i = 0; i < JOURNAL_REQUESTS && !found && id.n && id.n < REQUEST_ID_SIZE; i++) {
		hold(&cells[i]);
		found = cells[i].entry.serial && str_eq(str_c(cells[i].entry.id), id);
		if (found)
			*out = cells[i].entry;
		let_go(&cells[i]);
	}
	return found;
}
