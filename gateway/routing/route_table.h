/*
 * route_table.h: from the name an application asks for to a model.
 *
 * In this order: an exact alias; `provider/model` of a configured provider; the longest
 * matching pattern; a bare name, which goes to the configured provider that owns it.
 */
#ifndef WEIR_ROUTING_ROUTE_TABLE_H
#define WEIR_ROUTING_ROUTE_TABLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "core/snapshot.h"

enum { ROUTE_NEAREST = 3 };

struct route {
	const struct model *model;	/* of the snapshot, or made in the arena; NULL: no such model */
	struct str nearest[ROUTE_NEAREST];	/* without a model: configured names like it */
	unsigned n_nearest;
	struct str missing_variable;	/* the name belongs to a provider without credential: what to set */
};

void route_resolve(const struct snapshot *s, struct str name, struct arena *a, struct route *out);

/* A model of one target, `model` of `p`; in the arena. */
const struct model *route_direct(const struct snapshot *s, const struct provider *p, struct str model, struct arena *a);

#endif
