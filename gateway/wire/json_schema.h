/*
 * json_schema.h: does a JSON value keep to a JSON Schema? Pure.
 *
 * What structured outputs use of it (draft 2020-12): type, enum, const, properties, required,
 * additionalProperties, items, prefixItems, minItems, maxItems, minLength, maxLength, pattern, minimum, maximum,
 * exclusiveMinimum, exclusiveMaximum, multipleOf, anyOf, oneOf, allOf, not, and $ref within the
 * schema (`#`, `#/$defs/name`). Other words say nothing, `format` included, as the standard has it.
 *
 * Schemas may be anybody's: depth and work are bounded, and what goes beyond does not hold.
 */
#ifndef WEIR_WIRE_JSON_SCHEMA_H
#define WEIR_WIRE_JSON_SCHEMA_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/str.h"

/*
 * Both are one valid JSON value. False: `*broken` is the word that does not hold, constant text. Memory for the work comes
 * from `a`.
 */
bool json_schema_holds(struct str schema, struct str value, struct arena *a, const char **broken);

#endif
