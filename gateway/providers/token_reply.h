/*
 * token_reply.h: what those who give tokens answer.
 *
 * OAuth 2.0 (RFC 6749, 5.1 and 5.2) with the vendors' variants: expires_in as a number or a string, Azure's
 * expires_on. AWS's JSON of metadata services and XML of STS (API version 2011-06-15). Read 2026-11.
 */
#ifndef WEIR_PROVIDERS_TOKEN_REPLY_H
#define WEIR_PROVIDERS_TOKEN_REPLY_H

#include "providers/token_fetch.h"

/* Each: the token, or NULL with `why` filled. */
struct token *token_reply_oauth(struct token_io *io, const struct token_answer *a, struct buf *why);
struct token *token_reply_aws(struct token_io *io, const struct token_answer *a, struct buf *why);
struct token *token_reply_sts(struct token_io *io, const struct token_answer *a, struct buf *why);

/* No good answer: the status, and the vendor's words where they are harmless. */
void token_reply_refused(struct token_io *io, const struct token_answer *a, struct buf *why);

#endif
