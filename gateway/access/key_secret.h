/*
 * key_secret.h: secrets of virtual keys: made, digested, never kept.
 */
#ifndef WEIR_ACCESS_KEY_SECRET_H
#define WEIR_ACCESS_KEY_SECRET_H

#include "core/snapshot.h"

enum { KEY_SECRET_SIZE = 64 };

/* "sk-weir-" + 34 random characters (over 192 bits) + 6 of a checksum, so that scanners find leaks. NUL-terminated. */
void key_secret_make(char to[KEY_SECRET_SIZE]);

/* One secret for the life of this process, so that a reload does not lock callers out. */
struct str key_secret_default(void);

/* Adds a key for all models to a snapshot under construction. */
void key_secret_add(struct snapshot *s, struct str name, struct str secret);

#endif
