/*
 * presets.h: a provider is mostly data: one row a vendor or local server.
 */
#ifndef WEIR_PROVIDERS_PRESETS_H
#define WEIR_PROVIDERS_PRESETS_H

#include <stdbool.h>

#include "core/target.h"

struct preset {
	const char *name;
	const char *base_url;		/* may hold {region}, {location}, {project}, {account}, {workspace}, {resource} */
	enum credential_scheme scheme;
	const char *scheme_name;	/* header or parameter */
	const char *variable;		/* where the vendor's users keep their key */
	unsigned quirks;
	const char *health;		/* a path that costs nothing to ask; empty: none is known */
	bool local;			/* private addresses and plain http are its normal case */
	const char *prefixes;		/* of model names that are its own, separated by blanks */
	const char *api_version;
	const char *other_variable;	/* another place for the key that is in use */
	const char *endpoint_variable;	/* a whole base URL */
};

/* What else a preset's vendor speaks, and where: asked for by `dialect` beside the preset. */
struct preset_face {
	const char *preset, *dialect;
	const char *base_url;
	enum credential_scheme scheme;
	const char *scheme_name;
};

const struct preset *preset_find(struct str name);
const struct preset *preset_at(size_t i);	/* NULL behind the last */
const struct preset_face *preset_face(const struct preset *p, struct str dialect);	/* NULL: none is known; p may be NULL */
bool preset_owns(struct str prefixes, struct str model);	/* prefixes as a row has them */

#endif
