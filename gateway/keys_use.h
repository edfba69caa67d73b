/*
 * keys_use.h: GET /admin/keys/NAME/use: what a key has used of its limits and its team's, and what is left.
 *
 * On the main thread, of keys of the configuration and of those made while running.
 */
#ifndef WEIR_KEYS_USE_H
#define WEIR_KEYS_USE_H

#include "admin/admin_pages.h"
#include "core/snapshot.h"
#include "store/store.h"

void keys_use_open(struct loop *l, struct store_home *home);
void keys_use_close(void);

/* The status, or ADMIN_LATER. */
int keys_use(const struct snapshot *s, struct str name, void *ticket, struct buf *out);

#endif
