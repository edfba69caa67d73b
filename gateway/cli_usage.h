/*
 * cli_usage.h: `weir usage`: what was spent, out of the ledger.
 */
#ifndef WEIR_CLI_USAGE_H
#define WEIR_CLI_USAGE_H

#include <stdbool.h>

/* `by` and `since` may be NULL: "key,model", "30d". */
int cli_usage(const char *config, const char *by, const char *since, bool csv, bool json);

#endif
