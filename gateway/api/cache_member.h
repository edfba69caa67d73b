/*
 * cache_member.h: LiteLLM's `cache` object, which is for the gateway and not for providers.
 */
#ifndef WEIR_API_CACHE_MEMBER_H
#define WEIR_API_CACHE_MEMBER_H

#include "base/arena.h"
#include "wire/json_scan.h"

/*
 * Is there one in `body`? Then `object` is it, and `rest`, in `a`, the body without it. An object with members that are not
 * LiteLLM's is a provider's own field.
 */
bool cache_member_take(struct arena *a, const struct json_scan *json, struct str body, struct str *object, struct str *rest);

#endif
