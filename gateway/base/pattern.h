/*
 * pattern.h: a regular expression (PCRE2, UTF-8), compiled once and asked by any thread.
 *
 * How long one question may take is bounded: a pattern that would take exponential time is
 * cut off and has then found nothing.
 */
#ifndef WEIR_BASE_PATTERN_H
#define WEIR_BASE_PATTERN_H

#include <stdbool.h>

#include "base/str.h"

struct pattern;

enum { PATTERN_WHY = 160 };

/* NULL with `why` filled (PATTERN_WHY bytes, NUL-terminated) when it is none. */
struct pattern *pattern_new(struct str text, char *why);
void pattern_free(void *pattern);	/* may be NULL; as arena_own() wants it */

/* Is it anywhere in `text`? */
bool pattern_finds(const struct pattern *p, struct str text);

#endif
