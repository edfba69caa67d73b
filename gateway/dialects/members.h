/*
 * members.h: what readers ask of an object's members.
 */
#ifndef WEIR_DIALECTS_MEMBERS_H
#define WEIR_DIALECTS_MEMBERS_H

#include "wire/json_cursor.h"

static inline bool type_is(struct str object, const char *type)
{
	return json_is(json_get(object, STR("type")), str_c(type));
}

static inline bool is_absent(struct str v)
{
	return !v.p || json_type(v) == JSON_NULL;
}

#endif
