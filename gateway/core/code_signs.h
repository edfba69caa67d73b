/*
 * code_signs.h: is there code in a request?
 */
#ifndef WEIR_CORE_CODE_SIGNS_H
#define WEIR_CORE_CODE_SIGNS_H

#include <stdbool.h>

#include "base/str.h"

/* Of a body as it came, JSON. A few signs of the commonest languages, and fences around code: no proof. */
bool has_code_signs(struct str body);

#endif
