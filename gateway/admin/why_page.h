/*
 * why_page.h: why a request went where it went, as JSON.
 */
#ifndef WEIR_ADMIN_WHY_PAGE_H
#define WEIR_ADMIN_WHY_PAGE_H

#include "base/buf.h"
#include "core/journal.h"

void why_json(const struct journal_entry *e, struct buf *out);

#endif
