/*
 * slots.h: places at a target that takes only so many requests at a time, and the queue before them.
 *
 * Places are claimed by workers without a lock. Who finds none may wait in a bounded queue
 * that all workers share; a place that becomes free goes to the first who waits there, and
 * is theirs until they give it back.
 */
#ifndef WEIR_CORE_SLOTS_H
#define WEIR_CORE_SLOTS_H

#include <stdbool.h>

#include "base/list.h"
#include "base/loop.h"
#include "core/live.h"

/* `most` 0: without limit. False: all places are taken, or others wait for one. */
bool slot_claim(struct live_target *t, int most);
void slot_release(struct live_target *t);

struct slot_ticket;

/*
 * Waits for a place; NULL when `length` others wait already. `granted(owner, t)` comes on the loop's thread, once; the
 * place is then claimed and the ticket gone.
 */
struct slot_ticket *slot_wait(struct live_target *t, int most, struct loop *l, int length,
			      void (*granted)(void *owner, struct live_target *t), void *owner);
struct live_target *slot_target(const struct slot_ticket *ticket);

/* No longer. On the loop's thread; `granted` will not come. */
void slot_leave(struct slot_ticket *ticket);

#endif
