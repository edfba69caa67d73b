/*
 * attempt_show.h: the credential of one attempt: shown with the request, and judged by the answer's head.
 */
#ifndef WEIR_UPSTREAM_ATTEMPT_SHOW_H
#define WEIR_UPSTREAM_ATTEMPT_SHOW_H

#include "upstream/attempt.h"

struct http_head;

/* Adds it to the finished request. False: its token ended just now, or it cannot be shown with this one; `o` says so. */
bool attempt_show(struct attempt *a, const struct provider *p, const struct credential *c, struct transport_call *call,
		  struct outcome *o);

/* The provider's answer: `good` that it was let in. */
void attempt_was_shown(struct attempt *a, bool good, const struct http_head *head);

#endif
