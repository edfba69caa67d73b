/*
 * breaker.c: counting failures and letting trials through, without locks.
 *
 * Races between workers are harmless here: a count may be off by one, never a pointer.
 */
#include "core/breaker.h"

enum { TRIPS_MAX = 5, RAMP_MAX = 16 };

#define load(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define store(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

/* Requests at a time, half-open. */
static int32_t room(const struct breaker *b)
{
	int32_t ramp = load(b->ramp);
	return ramp > 0 ? ramp : 1;
}

bool breaker_allows(const struct breaker *b, int64_t now_us)
{
	int64_t until = load(b->open_until);
	if (until == 0)
		return true;
	return now_us >= until && load(b->probing) < room(b);
}

bool breaker_enter(struct breaker *b, int64_t now_us, bool *trial)
{
	int64_t until = load(b->open_until);
	*trial = false;
	if (until == 0)
		return true;
	if (now_us < until)
		return false;
	*trial = atomic_fetch_add(&b->probing, 1) < room(b);
	if (!*trial)
		atomic_fetch_sub(&b->probing, 1);
	return *trial;
}

void breaker_release(struct breaker *b, bool trial)
{
	if (trial && atomic_fetch_sub(&b->probing, 1) <= 0)
		store(b->probing, 0);	/* it was opened anew meanwhile */
}

void breaker_succeed(struct breaker *b, bool trial)
{
	if (trial && room(b) < RAMP_MAX) {
		store(b->ramp, 2 * room(b));	/* twice as many at a time: a vendor that just recovered is not run over */
	} else if (trial) {
		store(b->trips, 0);
		store(b->failures, 0);
		store(b->ramp, 0);
		store(b->open_until, 0);
	}
	breaker_release(b, trial);
}

static void trip(struct breaker *b, int64_t now_us, int64_t open_us)
{
	int32_t trips = load(b->trips);
	store(b->open_until, now_us + (open_us << (trips < TRIPS_MAX ? trips : TRIPS_MAX)));
	store(b->trips, trips + 1);
	store(b->failures, 0);
	store(b->ramp, 0);
}

bool breaker_fail(struct breaker *b, const struct breaker_settings *s, int64_t now_us, bool trial)
{
	if (!s->on) {
		breaker_release(b, trial);
		return false;
	}
	if (trial) {
		trip(b, now_us, s->open_us);
		breaker_release(b, trial);
		return true;
	}
	if (now_us - load(b->window_began) > s->window_us) {
		store(b->window_began, now_us);
		store(b->failures, 0);
	}
	int32_t failures = atomic_fetch_add(&b->failures, 1) + 1;
	if (failures < s->failures || load(b->open_until) != 0)
		return false;
	trip(b, now_us, s->open_us);
	return true;
}

void breaker_open_for(struct breaker *b, int64_t now_us, int64_t for_us)
{
	if (load(b->open_until) < now_us + for_us)
		store(b->open_until, now_us + for_us);
	store(b->probing, 0);
	store(b->ramp, 0);
}

bool breakers_allow(const struct breaker *all, int64_t now_us, enum breaker_class *open, int64_t *back_at_us)
{
	bool allowed = true;
	*back_at_us = 0;
	for (enum breaker_class c = 0; c < BREAKER_CLASSES; c++) {
		if (breaker_allows(&all[c], now_us))
			continue;
		int64_t until = load(all[c].open_until);
		if (allowed || until > *back_at_us) {
			*open = c;
			*back_at_us = until;
		}
		allowed = false;
	}
	return allowed;
}

const char *breaker_class_name(enum breaker_class c)
{
	static const char *const names[BREAKER_CLASSES] = {
		"errors", "no connection", "time-outs", "rate limit", "credential refused",
		"account out of credit", "model gone", "loading", "no place free"
	};
	return names[c];
}
