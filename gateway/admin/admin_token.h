/*
 * admin_token.h: does this request carry the admin token?
 */
#ifndef WEIR_ADMIN_ADMIN_TOKEN_H
#define WEIR_ADMIN_ADMIN_TOKEN_H

#include <stdbool.h>

#include "base/str.h"

/*
 * `authorization` as sent: "Bearer TOKEN", or "Basic ..." with the token as password and
 * any name, which is what a browser can be made to send. Constant time in the token.
 */
bool admin_token_matches(struct str token, struct str authorization);

#endif
