/*
 * attempt_charge.c: from reported usage, or a flagged estimate, to money; and to experience.
 *
 * Whatever the provider says about its own work is taken where it makes sense. What is
 * missing or contradicts itself is estimated from the prompt's measure and from what was
 * delivered, never below what was delivered, and says so everywhere it appears.
 */
#include "upstream/attempt_charge.h"

#include "core/call.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/price.h"
#include "upstream/attempt.h"

enum { TEACH_ALL = 64, MEASURE_EVERY = 64, TEACH_EVERY = 8, BYTES_PER_TOKEN = 4 };

/* Of a model that is known well only one request in so many is looked at. */
static bool teaches(const struct attempt *a, uint32_t every)
{
	uint32_t n = a->live ? atomic_load_explicit(&a->live->learned.input.n, memory_order_relaxed) : 0;
	return n < TEACH_ALL || (a->t->generation + (uint32_t)a->t->attempts) % every == 0;
}

void attempt_charge_begin(struct attempt *a, const struct target *target)
{
	struct txn *t = a->t;
	a->price = target->price;
	a->charged = t->method != HTTP_POST || str_empty(target->model) || t->call->upload;
	a->text = t->endpoint->good == ANSWER_TEXT;
	a->service = t->call->service;
	if (!a->charged && (t->stream || t->call->prompt.measured || teaches(a, MEASURE_EVERY)))	/* a stream may end when the request is gone */
		a->prompt = *txn_prompt(t);
}

/* --- usage --- */

static int64_t delivered(const struct attempt *a)
{
	uint64_t bytes = a->event_stream ? a->data_bytes - (uint64_t)a->n_events * a->data_least : a->received;
	int64_t tokens = (int64_t)(bytes / BYTES_PER_TOKEN);
	if (!a->text || a->status >= 300)
		return 0;
	return tokens > (int64_t)a->n_events ? tokens : (int64_t)a->n_events;
}

static void measure(struct attempt *a)
{
	if (!a->prompt.measured && a->t->call)
		a->prompt = *txn_prompt(a->t);
}

static void estimate(struct attempt *a, struct usage *u)
{
	measure(a);
	int64_t output = delivered(a);
	int64_t input = a->prompt.measured ? estimate_input(a->live ? &a->live->learned.input : NULL, &a->prompt) : 0;
	u->input = u->input > input ? u->input : input;
	u->output = u->output > output ? u->output : output;
	u->total = u->input + u->output;
	u->known = u->input || u->output;
	u->estimated = u->known;
	u->doubtful = false;
}

/* Did the provider get the request, and may it have acted on it? */
static bool may_have_acted(const struct attempt *a, bool whole)
{
	return whole || (a->sent && a->status < 300);
}

/* --- what it teaches --- */

static void learn(struct attempt *a, const struct usage *u, bool whole)
{
	struct learned *l = a->live ? &a->live->learned : NULL;
	if (!l || !u->known || u->estimated || !whole)
		return;
	if (teaches(a, TEACH_EVERY))
		estimate_learn(&l->input, &a->prompt, u->input);
	if (a->text)
		learned_note_length(l, u->input, u->output);
}

static void learn_time(struct attempt *a, const struct usage *u, bool whole)
{
	int64_t now = loop_now(a->t->loop);
	if (!whole || !a->live || !a->text)
		return;
	if (a->event_stream)
		learned_note_stream(&a->live->learned, now, a->first_content_us - a->began_us, u->output - 1,
				    now - a->first_content_us);
	else
		learned_note_plain(&a->live->learned, now, now - a->began_us, u->output);
}

/* --- money --- */

/* What the provider says it charged goes before any table but the operator's own. Below 0: not known. */
static int64_t cost_of(const struct attempt *a, const struct usage *u, bool *estimated)
{
	enum service_tier tier = u->service ? (enum service_tier)u->service : (enum service_tier)a->service;
	if (u->cost > 0 && !u->estimated && !(a->price && (a->price->free || a->price->agreed)))
		return u->cost;
	*estimated = u->estimated || (a->price && a->price->estimated);
	return a->price ? price_cost(a->price, u, tier) : -1;
}

static void add_cost(struct txn *t, const struct attempt *a, const struct usage *u)
{
	bool estimated = false;
	int64_t cost = cost_of(a, u, &estimated);
	families_cost(t, a->live, cost, estimated);
	if (cost < 0) {
		t->cost_missing = true;
		return;
	}
	t->cost = t->cost + cost < MONEY_MAX ? t->cost + cost : MONEY_MAX;
	t->cost_known = true;
	t->cost_estimated |= cost > 0 && estimated;
}

void attempt_charge(struct attempt *a, bool whole)
{
	struct txn *t = a->t;
	if (a->charged)
		return;
	a->charged = true;
	if (!may_have_acted(a, whole))
		return;
	if (a->text && (!a->usage.known || a->usage.doubtful))
		estimate(a, &a->usage);
	if (!a->usage.known && !(a->price && (a->price->free || a->price->request)))
		return;		/* nothing was counted that has a price: images and the like */
	t->usage = a->usage;
	t->all_input += a->usage.input;
	t->all_output += a->usage.output;
	learn(a, &a->usage, whole);
	learn_time(a, &a->usage, whole);
	add_cost(t, a, &a->usage);
}
