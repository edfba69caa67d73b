/*
 * json_keys.h: the keys of the objects that are open in a json_scan, for finding duplicates.
 */
#ifndef WEIR_WIRE_JSON_KEYS_H
#define WEIR_WIRE_JSON_KEYS_H

#include "wire/json_scan.h"

enum json_key_result { JSON_KEY_NEW, JSON_KEY_TWICE, JSON_KEY_TOO_MANY, JSON_KEY_NUL };

/* An object begins at the present depth. */
void json_keys_open(struct json_scan *s);
/* It ends: its keys are forgotten. */
void json_keys_close(struct json_scan *s);
/* A key of the innermost object; `text` lies between its quotes. */
enum json_key_result json_keys_add(struct json_scan *s, const char *base, struct str text, bool escaped);

#endif
