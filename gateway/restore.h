/*
 * restore.h: spending out of the ledger, into a store that has forgotten it.
 */
#ifndef WEIR_RESTORE_H
#define WEIR_RESTORE_H

#include "base/loop.h"
#include "core/snapshot.h"

struct store_home;

/* For budgets of all keys and teams, in their present periods. Returns how many had spent something; below 0: the ledger cannot be read. */
int restore_spending(const struct snapshot *s, struct store_home *home, struct loop *l);

/* The same of a shared store, which is told only where it has forgotten. */
void restore_known(const struct snapshot *s);

/* Some key or team has a budget, which a restart without a ledger would give back. */
bool restore_wanted(const struct snapshot *s);

#endif
