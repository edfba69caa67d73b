/*
 * try.c: claiming and giving back.
 */
#include "upstream/try.h"

#include "core/breaker.h"
#include "core/slots.h"
#include "upstream/attempt_charge.h"

static void enter_all(struct breaker *all, bool *trials, int64_t now)
{
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++)
		breaker_enter(&all[c], now, &trials[c]);
}

static void release_all(struct breaker *all, bool *trials)
{
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++) {
		breaker_release(&all[c], trials[c]);
		trials[c] = false;
	}
}

static void succeed_all(struct breaker *all, bool *trials)
{
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++) {
		breaker_succeed(&all[c], trials[c]);
		trials[c] = false;
	}
}

void try_start(struct try *y, const struct timeouts *limits)
{
	struct attempt *a = &y->attempt;
	struct txn *t = a->t;
	const struct provider *p = y->entry->target->provider;
	const struct credential *c = y->credential >= 0 ? &p->credentials[y->credential] : NULL;
	int64_t now = loop_now(t->loop), left = t->deadline_us - now;
	y->credentials_tried |= y->credential >= 0 ? 1u << y->credential : 0;
	y->entry->asked = true;
	y->running = true;
	t->attempts++;
	attempt_start(a, y->entry->target, c, left < limits->connect_us ? left : limits->connect_us);
	if (!y->running)
		return;		/* it could not even be written */
	if (a->live)
		enter_all(a->live->breakers, y->trials, now);
	if (a->credential)
		enter_all(a->credential->breakers, y->credential_trials, now);
}

void try_let_go(struct try *y, bool success)
{
	struct attempt *a = &y->attempt;
	void (*all)(struct breaker *, bool *) = success ? succeed_all : release_all;
	y->running = false;
	if (y->place)
		slot_release(y->place);
	y->place = NULL;
	if (a->live)
		all(a->live->breakers, y->trials);
	if (a->credential)
		all(a->credential->breakers, y->credential_trials);
}

void try_cancel(struct try *y)
{
	attempt_cancel(&y->attempt);
	if (!y->running) {
		if (y->place)
			slot_release(y->place);
		y->place = NULL;
		return;
	}
	attempt_charge(&y->attempt, false);
	try_let_go(y, false);
}
