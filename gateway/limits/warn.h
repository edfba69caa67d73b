/*
 * warn.h: budgets that come near their end are told of, once for each threshold and period.
 */
#ifndef WEIR_LIMITS_WARN_H
#define WEIR_LIMITS_WARN_H

#include "limits/hold.h"

/* After the store has answered: granted or refused, it said what is spent. */
void warn_look(struct txn *t, const struct hold *h);

#endif
