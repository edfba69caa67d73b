/*
 * affinity.c: a table of four-way sets.
 */
#include "core/affinity.h"

#include "base/clock.h"

enum { SETS = 4096, WAYS = 4 };
static const int64_t FORGET_US = 3600 * SECOND_US;

struct cell {
	_Atomic uint64_t session;
	_Atomic(struct live_target *) target;
	_Atomic int64_t used_us;
};

static struct cell cells[SETS][WAYS];

#define get(x) atomic_load_explicit(&(x), memory_order_relaxed)
#define set(x, v) atomic_store_explicit(&(x), (v), memory_order_relaxed)

static uint64_t mix(uint64_t a, struct str s)
{
	return (a ^ str_hash(s)) * UINT64_C(0x9E3779B97F4A7C15);
}

uint64_t affinity_session(struct str key, struct str model, struct str session)
{
	uint64_t h = mix(mix(mix(1, key), model), session);
	return h ? h : 1;
}

struct live_target *affinity_find(uint64_t session, int64_t now_us)
{
	struct cell *cell = cells[session % SETS];
	for (unsigned i = 0; session && i < WAYS; i++)
		if (get(cell[i].session) == session)
			return now_us - get(cell[i].used_us) < FORGET_US ?
			       atomic_load_explicit(&cell[i].target, memory_order_acquire) : NULL;
	return NULL;
}

void affinity_note(uint64_t session, struct live_target *target, int64_t now_us)
{
	struct cell *cell = cells[session % SETS], *oldest = cell;
	for (unsigned i = 0; i < WAYS; i++) {
		if (get(cell[i].session) == session) {
			oldest = &cell[i];
			break;
		}
		if (get(cell[i].used_us) < get(oldest->used_us))
			oldest = &cell[i];
	}
	atomic_store_explicit(&oldest->target, target, memory_order_release);
	set(oldest->used_us, now_us);
	set(oldest->session, session);
}
