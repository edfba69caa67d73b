/*
 * endpoints.h: the stage that finds out what is asked for, by method and path.
 */
#ifndef WEIR_API_ENDPOINTS_H
#define WEIR_API_ENDPOINTS_H

#include "core/endpoint.h"
#include "core/http.h"
#include "core/stage.h"

extern const struct stage endpoint_stage;

enum endpoint_match { ENDPOINT_FOUND, ENDPOINT_UNKNOWN, ENDPOINT_OTHER_METHOD };

/*
 * Forgives a doubled or missing /v1 and a slash at the end. `*below` becomes the path below /v1,
 * `*id` what stands for "{id}". HEAD is served where GET is.
 */
enum endpoint_match endpoint_find(enum http_method method, struct str path, const struct endpoint **found,
				  struct str *below, struct str *id);

#endif
