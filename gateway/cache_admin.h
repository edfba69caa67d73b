/*
 * cache_admin.h: the admin API's page of kept answers.
 *
 *   DELETE /admin/cache/ID    lets go of the answer whose x-weir-cache-id this is
 */
#ifndef WEIR_CACHE_ADMIN_H
#define WEIR_CACHE_ADMIN_H

#include "admin/admin_pages.h"
#include "store/store.h"

/* As the page's contract in admin/admin_pages.h has it. `home`: where workers keep their answers; `l`: this thread's. */
int cache_admin(struct store_home *home, struct loop *l, const struct admin_call *c, struct buf *out);
void cache_admin_close(void);

#endif
