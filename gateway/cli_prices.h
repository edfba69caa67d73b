/*
 * cli_prices.h: `weir prices`: the tables of prices, from outside.
 */
#ifndef WEIR_CLI_PRICES_H
#define WEIR_CLI_PRICES_H

/* Rows whose name holds `part` (NULL: all). */
int cli_prices_list(const char *config, const char *part);

/* Checks a table from a file or a URL, shows what would change, and installs it as `to` (NULL: the configuration's prices_file). */
int cli_prices_update(const char *config, const char *from, const char *to);

#endif
