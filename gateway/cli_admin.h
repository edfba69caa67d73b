/*
 * cli_admin.h: commands for operators. They return the exit status: 0 fine, 1 failed, 2 usage or configuration.
 */
#ifndef WEIR_CLI_ADMIN_H
#define WEIR_CLI_ADMIN_H

#include <stdbool.h>

/* A request's JSON on stdin. With a configuration nobody is asked but the file. */
int cli_explain(const char *config, bool json);
int cli_why(const char *id, bool json);
int cli_cascade(bool json);

/* Lets go of a kept answer of the gateway beside us, by its x-weir-cache-id. */
int cli_cache_evict(const char *id);

#endif
