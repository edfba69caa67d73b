/*
 * cli_keys.h: `weir keys`: the admin API's keys from the command line.
 */
#ifndef WEIR_CLI_KEYS_H
#define WEIR_CLI_KEYS_H

#include <stdbool.h>

struct keys_arguments {
	const char *action, *name;
	const char *team, *models, *usd, *expires;
	bool json;
};

/* Its actions, a line each, for help texts. */
extern const char cli_keys_lines[];

int cli_keys(const struct keys_arguments *a);

#endif
