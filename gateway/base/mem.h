/*
 * mem.h: allocation that cannot return NULL.
 *
 * Small, fixed-size objects come from here: when even they cannot be had the
 * process is beyond help and says so. What grows with foreign bytes goes
 * through base/buf, which has a ceiling and fails softly.
 */
#ifndef WEIR_BASE_MEM_H
#define WEIR_BASE_MEM_H

#include <stdlib.h>

#include "base/str.h"

void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull));	/* zeroed */
void *mem_resize(void *p, size_t n) __attribute__((returns_nonnull));
char *mem_copy(struct str s) __attribute__((malloc, returns_nonnull));	/* NUL added */

#endif
