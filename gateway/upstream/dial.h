/*
 * dial.h: from an origin to a connected, TLS-shaken io, within one budget.
 *
 * Addresses are tried one after the other, each with its share of what is left, and judged
 * at the moment of connecting. A failed TLS handshake is final: a wrong certificate is not
 * cured by another address.
 */
#ifndef WEIR_UPSTREAM_DIAL_H
#define WEIR_UPSTREAM_DIAL_H

#include "base/io.h"
#include "base/loop.h"
#include "core/target.h"
#include "upstream/transport.h"

struct dial;

struct dial_result {
	bool ok;
	struct io io;			/* when ok; now the caller's */
	enum transport_failure failure;	/* when not */
	const char *why;		/* valid during the call */
};

/* done() comes from the loop, never from inside; the dial is gone by then. `o` must live until done or cancel. */
struct dial *dial_start(struct loop *l, const struct origin *o, int64_t budget_us,
			void (*done)(void *owner, const struct dial_result *r), void *owner);
void dial_cancel(struct dial *d);

#endif
