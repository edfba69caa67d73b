/*
 * attempt_trial.c: an attempt whose answer is on trial: what follows from the verdict.
 *
 * Nothing has reached the caller yet. An answer that passes goes the way of all answers from its first byte on;
 * one that fails is paid for and ends the attempt as any failure before content does.
 */
#include "core/call.h"
#include "core/families.h"
#include "upstream/attempt_charge.h"
#include "upstream/attempt_parts.h"
#include "upstream/trial.h"

void attempt_trial_begin(struct attempt *a)
{
	if (a->cascade)
		a->trial = trial_new(a->t, &(struct trial_terms){ .cascade = a->cascade, .dialect = a->dialect, .quirks = a->quirks });
}

void attempt_trial_drop(struct attempt *a)
{
	trial_free(a->trial);
	a->trial = NULL;
}

/* Should it end now: what it has cost so far. */
static void note_use(struct attempt *a)
{
	const struct trial_use *u = trial_use(a->trial);
	a->usage = u->usage;
	a->data_bytes = u->bytes;
	a->n_events = u->events;
	a->data_least = u->least;
	a->first_content_us = u->first_us;
}

static void forget_use(struct attempt *a)
{
	a->usage = (struct usage){ .known = false };
	a->data_bytes = a->n_events = 0;
	a->data_least = UINT32_MAX;
	a->first_content_us = 0;
}

static void passed(struct attempt *a, bool whole)
{
	struct attempt_verdict v = { .text = trial_text(a->trial), .whole = whole, .failed = trial_failed(a->trial) };
	a->judged = true;
	if (a->events->judged)
		a->events->judged(a, &v);
}

static bool release(struct attempt *a)
{
	struct trial *r = a->trial;
	passed(a, trial_is_whole(r));
	a->trial = NULL;
	forget_use(a);
	bool room = attempt_stream_feed(a, buf_str(trial_kept(r)), false);
	trial_free(r);
	return room;
}

static void refuse(struct attempt *a, bool whole)
{
	enum cascade_check failed = trial_failed(a->trial);
	struct str why = arena_printf(&a->t->arena, "its answer failed the check `%s`", cascade_check_name(failed));
	attempt_trial_drop(a);
	attempt_charge(a, whole);
	families_cascade_failed(a->t->live_model, a->live, failed);
	a->ended = false;
	attempt_broke(a, ERR_UPSTREAM_CHECK, false, why.p);
}

/* What attempt_stream_feed() returns. */
static bool follow(struct attempt *a, enum trial_state s)
{
	note_use(a);
	switch (s) {
	case TRIAL_PASSED:
		return release(a);
	case TRIAL_FAILED:
		if (a->observed)
			return release(a);
		refuse(a, trial_is_whole(a->trial));
		return true;
	case TRIAL_BROKE:
		a->ended = false;
		attempt_broke(a, trial_error(a->trial), false, "the stream held an error, or ended before its end");
		return true;
	default:
		return true;
	}
}

bool attempt_trial_feed(struct attempt *a, struct str bytes)
{
	return follow(a, trial_take(a->trial, bytes, loop_now(a->t->loop)));
}

bool attempt_trial_end(struct attempt *a)
{
	if (a->trial && !follow(a, trial_end(a->trial)))
		return false;
	return a->ended;
}

bool attempt_trial_plain(struct attempt *a)
{
	if (!a->trial)
		return true;
	if (trial_plain(a->trial, buf_str(&a->held)) == TRIAL_FAILED && !a->observed) {
		refuse(a, true);
		return false;
	}
	passed(a, true);
	attempt_trial_drop(a);
	return true;
}

int64_t attempt_trial_due(const struct attempt *a, int64_t now)
{
	if (!a->trial || !a->t->stream)
		return 0;
	int64_t due = trial_due(a->trial);
	return due == INT64_MAX ? now + a->cascade->window_us : due;
}

void attempt_trial_look(struct attempt *a, int64_t now)
{
	if (a->trial && a->event_stream && now >= trial_due(a->trial))
		follow(a, trial_look(a->trial));
}

bool attempt_has_content(const struct attempt *a)
{
	return a->t->answer.content || (a->trial && trial_use(a->trial)->first_us);
}
