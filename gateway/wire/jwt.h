/*
 * jwt.h: JSON Web Tokens (RFC 7519, 7515), as assertions that are signed here.
 */
#ifndef WEIR_WIRE_JWT_H
#define WEIR_WIRE_JWT_H

#include "base/arena.h"

/*
 * "header.claims.signature" by RS256, in the arena. `claims` is a JSON object; `key_id` may be empty. STR_NONE when
 * `pem` is no RSA key.
 */
struct str jwt_sign(struct arena *a, struct str key_id, struct str claims, struct str pem);

#endif
