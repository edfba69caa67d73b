/*
 * money.h: amounts in nano-dollars, and figures as people write them.
 */
#ifndef WEIR_CORE_MONEY_H
#define WEIR_CORE_MONEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define NANO INT64_C(1000000000)
#define MONEY_MAX (NANO * 1000000000)	/* a thousand million dollars: beyond it a figure is a mistake */

enum { MONEY_SIZE = 32 };

/* "1.25" or "0.0000000004": at most nine decimals, the rest must be zeros. Digits and one point only: no sign, no exponent. */
bool money_parse(struct str text, int64_t *nano) must_check;

/* A JSON number as vendors write amounts, exponent and all; rounded up to the nano-dollar. */
bool money_parse_json(struct str number, int64_t *nano) must_check;

/* Without trailing zeros: "0.00001245". The result lives in `to`. */
struct str money_format(char to[MONEY_SIZE], int64_t nano);

#endif
