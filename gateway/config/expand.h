/*
 * expand.h: ${NAME}, ${NAME:-default} and @file:/path in a scalar.
 */
#ifndef WEIR_CONFIG_EXPAND_H
#define WEIR_CONFIG_EXPAND_H

#include "config/tree.h"

/*
 * Replaces n->value in place. What is missing is reported, and leaves the node `broken`. `$${` is a
 * literal `${`. Only what the file itself says is read as @file:, never what a variable holds.
 */
void expand_scalar(struct node *n, struct arena *a, struct tree_files *files, struct config_report *r);

#endif
