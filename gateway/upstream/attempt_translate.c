/*
 * attempt_translate.c: an attempt at a target of another dialect: its request written, its plain answer read. What is
 * large is away at a thread meanwhile; the attempt waits for it as it does for the provider.
 */
#include "upstream/attempt_parts.h"
#include "upstream/attempt_charge.h"
#include "upstream/media_fetch.h"
#include "upstream/request_write.h"
#include "upstream/translate_work.h"

static const char CROWDED[] = "too many large bodies wait to be translated", NO_MEMORY[] = "there is no memory for its translation";

static void short_of_memory(struct attempt *a, const char *why)
{
	struct outcome o = { .kind = ERR_MEMORY, .status = a->status, .unprocessed = !a->sent, .why = why };
	attempt_fail(a, &o);
}

/* --- the request --- */

/* All of the time so far was ours. */
static void restart_clocks(struct attempt *a)
{
	struct txn *t = a->t;
	a->began_us = a->last_byte_us = loop_now(t->loop);
	if (t->upstream_since_us)
		t->upstream_since_us = a->began_us;
}

static void write_request(struct attempt *a, const struct attempt_aim *aim);

static void cannot_be_had(struct attempt *a, const struct media_want *want, const char *why)
{
	struct txn *t = a->t;
	t->error.param = want && !want->image ? STR("messages.document") : STR("messages.image");
	t->error.message = arena_printf(&t->arena, "`%.*s` %s.", STR_FMT(t->error.param), why);
	struct outcome o = { .kind = ERR_UPSTREAM_REJECTED, .status = 400, .message = t->error.message, .why = "an address in it cannot be fetched" };
	a->events->failed(a, &o);
}

static void on_fetched(void *owner, const struct media_want *failed, const char *why)
{
	const struct attempt_aim *aim = owner;
	struct attempt *a = aim->attempt;
	a->media = NULL;
	restart_clocks(a);
	if (why)
		cannot_be_had(a, failed, why);
	else
		write_request(a, aim);
}

/* False: there is nothing to fetch. */
static bool fetch_first(struct attempt *a, const struct attempt_aim *aim)
{
	struct arena *arena;
	struct media_wants *w = translate_wants(a->translate, &arena);
	if (!w)
		return false;
	if (w->too_many) {
		cannot_be_had(a, NULL, "comes by more than eight addresses, which are not fetched at once");
		return true;
	}
	struct attempt_aim *kept = arena_new(&a->t->arena, struct attempt_aim);
	*kept = *aim;
	a->media = media_fetch_start(aim->target->provider, w, arena, on_fetched, kept);
	return true;
}

static void requested(struct attempt *a, const struct attempt_aim *aim)
{
	struct transport_call call;
	struct str path, body;
	if (fetch_first(a, aim))
		return;
	if (!translate_request_take(a->translate, a->t, &path, &body)) {
		struct outcome o = { .kind = ERR_UPSTREAM_REJECTED, .status = 400, .message = a->t->error.message,
				     .why = "its format cannot carry the request" };
		a->events->failed(a, &o);
		return;
	}
	request_write_translated(a->t, aim->target, path, body, &call);
	attempt_send(a, aim, &call);
}

static void on_requested(void *owner, struct translate *x)
{
	struct attempt_aim *aim = owner;
	struct attempt *a = aim->attempt;
	a->work = NULL;
	a->translate = x;
	restart_clocks(a);
	requested(a, aim);
}

void attempt_translate_request(struct attempt *a, const struct attempt_aim *aim)
{
	a->translate = translate_new(a->t, aim->target);
	if (a->translate)
		write_request(a, aim);
	else
		short_of_memory(a, NO_MEMORY);
}

static void write_request(struct attempt *a, const struct attempt_aim *aim)
{
	struct txn *t = a->t;
	if (!translate_is_large(a->translate)) {
		translate_request(a->translate);
		requested(a, aim);
		return;
	}
	struct attempt_aim *kept = arena_new(&t->arena, struct attempt_aim);
	*kept = *aim;
	a->work = translate_work_request(t->loop, a->translate, on_requested, kept);
	if (!a->work) {
		short_of_memory(a, CROWDED);
		return;
	}
	a->translate = NULL;
}

/* --- a plain answer --- */

static void answered(struct attempt *a, struct translate_answer *answer)
{
	buf_free(&answer->body);
	a->held = answer->out;
	a->usage = answer->usage;
	if (!answer->why) {
		a->t->odd_end |= translate_ended_oddly(a->translate);
		attempt_plain_deliver(a);
		return;
	}
	a->ended = false;
	attempt_broke(a, ERR_UPSTREAM_BROKEN, false, answer->why);
}

static void on_answered(void *owner, struct translate *x, struct translate_answer *answer)
{
	struct attempt *a = owner;
	a->work = NULL;
	a->translate = x;
	answered(a, answer);
}

/* What is judged is judged here, and first; it is small. */
static bool passes(struct attempt *a, struct translate_answer *answer)
{
	if (a->held.n > HELD_MAX)
		attempt_trial_drop(a);
	if (!a->trial)
		return true;
	translate_answer_check(answer);
	a->usage = answer->usage;
	return answer->why || attempt_trial_plain(a);
}

void attempt_translate_answer(struct attempt *a)
{
	struct translate_answer answer = { .dialect = a->dialect, .quirks = a->quirks, .json = a->json_answer,
					   .out = BUF_INIT(4 * a->held.max), .body = a->held };
	if (!passes(a, &answer))
		return;
	buf_init(&a->held, a->held.max);
	if (answer.body.n <= TRANSLATE_AT_ONCE) {
		translate_answer_check(&answer);
		translate_answer_run(a->translate, &answer);
		answered(a, &answer);
		return;
	}
	a->work = translate_work_answer(a->t->loop, a->translate, &answer, on_answered, a);
	if (a->work) {
		a->translate = NULL;
		return;
	}
	buf_free(&answer.body);
	a->ended = false;
	short_of_memory(a, CROWDED);
}

void attempt_translate_cancel(struct attempt *a)
{
	if (a->work)
		translate_work_cancel(a->work);
	a->work = NULL;
	if (a->media)
		media_fetch_cancel(a->media);
	a->media = NULL;
}
