/*
 * media_fetch.h: what a request has by address, fetched for a target that takes bytes alone.
 *
 * Over https only, by the general transport, all at once; each address, and each one that it leads on to, is judged by the
 * address guard when it is connected. Beyond a size, of another type than an image or a document, or slower than ten seconds in
 * all: nothing of it is given to the target.
 */
#ifndef WEIR_UPSTREAM_MEDIA_FETCH_H
#define WEIR_UPSTREAM_MEDIA_FETCH_H

#include "base/loop.h"
#include "core/target.h"
#include "upstream/media_wants.h"

struct media_fetch;

/* Once, later, from the loop. `why`: constant text, of the first that could not be had; NULL: `w` is filled, its data in the arena. */
typedef void media_fetched(void *owner, const struct media_want *failed, const char *why);

/* `w`, its addresses and `a` live until then. By the provider's proxy and trust, where it has its own; up to `p->fetch_max` bytes each. */
struct media_fetch *media_fetch_start(const struct provider *p, struct media_wants *w, struct arena *a, media_fetched *done, void *owner);
void media_fetch_cancel(struct media_fetch *f);

void media_fetch_open(struct loop *l);
void media_fetch_close(void);

#endif
