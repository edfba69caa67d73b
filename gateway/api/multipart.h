/*
 * multipart.h: single fields out of a multipart/form-data body (RFC 7578), in place.
 */
#ifndef WEIR_API_MULTIPART_H
#define WEIR_API_MULTIPART_H

#include <stdbool.h>

#include "base/str.h"

/* The boundary parameter of a content type; empty when there is none. */
struct str multipart_boundary(struct str content_type);

enum { MULTIPART_PARTS_MAX = 256 };

/* The value of the first field of that name, a span of `body`; STR_NONE when absent or malformed. */
struct str multipart_field(struct str body, struct str boundary, struct str name);

#endif
