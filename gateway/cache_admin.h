/*
 * cache_admin.h: the admin API's page of kept answers.
 *
 *   DELETE /admin/cache/ID         lets go of the answer whose x-weir-cache-id this is
 *   DELETE /admin/cache?model=M    of all that were kept for this model until now
 *   DELETE /admin/cache?tag=K=V    of all whose request had this x-weir-tags
 *
 * Models and tags are noted in cache/evicted.h, and told to the other replicas by way of the store, which they look at
 * each second.
 */
#ifndef WEIR_CACHE_ADMIN_H
#define WEIR_CACHE_ADMIN_H

#include "admin/admin_pages.h"
#include "store/store.h"

/* `home`: where workers keep their answers; `l`: this thread's. `shared`: replicas look there, too. */
void cache_admin_open(struct store_home *home, struct loop *l, bool shared);
/* As the page's contract in admin/admin_pages.h has it. */
int cache_admin(const struct admin_call *c, struct buf *out);
void cache_admin_close(void);

#endif
