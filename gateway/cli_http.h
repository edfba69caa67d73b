/*
 * cli_http.h: commands that talk to a running gateway.
 */
#ifndef WEIR_CLI_HTTP_H
#define WEIR_CLI_HTTP_H

int cli_models(const char *url);
int cli_chat(const char *url, const char *model, const char *text);
int cli_health(const char *url);

const char *cli_http_version(void);

/* GET with an optional header; the status, 0 with `error` when nothing answered. For checks from the command line. */
struct buf;
long cli_get(const char *url, const char *header, struct buf *body, char *error, unsigned long error_size);

#endif
