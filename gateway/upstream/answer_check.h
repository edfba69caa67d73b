/*
 * answer_check.h: is a plain answer what a caller can use?
 */
#ifndef WEIR_UPSTREAM_ANSWER_CHECK_H
#define WEIR_UPSTREAM_ANSWER_CHECK_H

#include <stdbool.h>

#include "base/str.h"

/* A whole, valid JSON object that is no error in disguise. `*why` is a constant text. */
bool answer_is_sound(struct str body, const char **why);

/* When the provider says to come again, in microseconds from now; 0: it does not. */
struct http_head;
int64_t answer_retry_after(const struct http_head *head);

#endif
