/*
 * version.h: which weir this is.
 */
#ifndef WEIR_VERSION_H
#define WEIR_VERSION_H

extern const char version_text[], version_commit[];

void version_print(void);

#endif
