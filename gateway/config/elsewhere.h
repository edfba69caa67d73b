/*
 * elsewhere.h: how other gateways write things, so that who comes from there is told what it is here.
 */
#ifndef WEIR_CONFIG_ELSEWHERE_H
#define WEIR_CONFIG_ELSEWHERE_H

#include "base/str.h"

/* What another gateway's option is here, in words; NULL: none such is known. */
const char *elsewhere_option(struct str key);

/* The preset that others call so; NULL: none such is known. */
const char *elsewhere_preset(struct str name);

/* A variable as others write it: os.environ/NAME, env.NAME, env:NAME, env::NAME, $NAME. Here it would be the secret itself. */
bool elsewhere_variable(struct str value);

#endif
