/*
 * cli_http.h: commands that talk to a running gateway.
 */
#ifndef WEIR_CLI_HTTP_H
#define WEIR_CLI_HTTP_H

#include "base/str.h"

int cli_models(const char *url);
/* Without a `model`: the first of the configuration's own, or the only one. */
int cli_chat(const char *url, const char *model, struct str text);
int cli_health(const char *url);

const char *cli_http_version(void);

/* GET with an optional header; the status, 0 with `error` when nothing answered. For checks from the command line. */
struct buf;
long cli_get(const char *url, const char *header, struct buf *body, char *error, unsigned long error_size);

/*
 * The admin listener of the gateway beside us: WEIR_ADMIN_URL, else of WEIR_ADMIN_ADDRESS, else
 * http://127.0.0.1:9090; token WEIR_ADMIN_TOKEN. POSTs `body` where there is one. 0: nobody answered, which was said.
 */
long cli_admin(const char *path, const struct buf *body, struct buf *answer);
/* By any method; `body` may be empty where it is not GET. */
long cli_admin_method(const char *method, const char *path, const struct buf *body, struct buf *answer);

#endif
