/*
 * keys_admin.h: the admin API's pages of keys.
 *
 *   GET    /admin/keys[?team=&after=&limit=]     a list, by name
 *   POST   /admin/keys                           makes one; its secret is in this answer alone
 *   GET    /admin/keys/NAME
 *   PATCH  /admin/keys/NAME                      changes what is given; null takes away
 *   POST   /admin/keys/NAME/rotate               a new secret; the old one ends
 *   DELETE /admin/keys/NAME                      revokes it, for good
 */
#ifndef WEIR_KEYS_ADMIN_H
#define WEIR_KEYS_ADMIN_H

#include "admin/admin_pages.h"

int keys_admin(const struct snapshot *s, const struct admin_call *c, struct buf *out);

#endif
