/*
 * credential.h: which of a provider's credentials may be shown now.
 */
#ifndef WEIR_CORE_CREDENTIAL_H
#define WEIR_CORE_CREDENTIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/error.h"
#include "core/target.h"

/* Why one may not. */
struct credential_pause {
	const char *why;		/* constant text */
	enum error_kind as;
	bool passing;			/* worth waiting for, until back_at_us */
	int64_t back_at_us;		/* monotonic; 0: unknown */
};

/*
 * The first from `first` on, in a circle, that may be shown and is not in `tried`, a set of bits; -1: none,
 * and `pause` is that of the last one asked, if any was.
 */
int credential_next(const struct provider *p, unsigned first, unsigned tried, int64_t now_us, struct credential_pause *pause);

#endif
