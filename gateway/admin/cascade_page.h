/*
 * cascade_page.h: how often each target of the cascades sufficed, what was saved: as JSON, and as a part of the status page.
 */
#ifndef WEIR_ADMIN_CASCADE_PAGE_H
#define WEIR_ADMIN_CASCADE_PAGE_H

#include "base/buf.h"

void cascade_json(struct buf *b);
/* Nothing where there is no cascade. */
void cascade_html(struct buf *b);

#endif
