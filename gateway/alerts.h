/*
 * alerts.h: alerts go to the operator's webhook, by a thread of their own.
 */
#ifndef WEIR_ALERTS_H
#define WEIR_ALERTS_H

#include "base/loop.h"
#include "core/snapshot.h"
#include "store/store.h"

/* `shared` NULL: the store is memory. With a shared one each alert is told by one replica alone. */
void alerts_open(struct loop *l, struct store_home *shared);
void alerts_follow(const struct snapshot *s);
void alerts_close(void);

#endif
