/*
 * json_scan.h: is this JSON, strictly, and where are its members? One pass, resumable.
 *
 * RFC 8259 to the letter, UTF-8 included; duplicate keys in any object (compared after
 * unescaping), depth beyond 64, more than 10,000 keys in an object and NUL in a key are
 * refused. Lone surrogates and \u0000 in values pass as they are spelled. A byte-order mark
 * may stand first. The bytes may grow and move between calls; only offsets are kept.
 *
 * What is left is an index of the root object's members, as offsets into the bytes.
 */
#ifndef WEIR_WIRE_JSON_SCAN_H
#define WEIR_WIRE_JSON_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum { JSON_DEPTH_MAX = 64, JSON_KEYS_MAX = 10000, JSON_NUMBER_MAX = 1024 };

enum json_result { JSON_MORE, JSON_DONE, JSON_BAD };

/* Offsets of one member of the root object. */
struct json_member {
	size_t key_at, key_length;	/* with its quotes */
	size_t value_at, value_length;
	bool escaped;			/* the key is spelled with escapes */
};

struct json_key;
struct json_table;

struct json_scan {
	const char *error;		/* JSON_BAD: a constant text */
	size_t error_at;
	size_t at;			/* bytes found good so far */
	uint8_t expect;			/* see json_scan.c */
	bool in_string, is_key, key_escaped;
	bool any_root;			/* set after init: the root may be of any type */
	unsigned depth;
	uint64_t objects;		/* bit d: the container at depth d + 1 is an object */
	size_t token_at;		/* where the present string began */
	/* Keys of all open objects, innermost last. */
	struct json_key *keys;
	uint32_t n_keys, cap_keys;
	uint32_t first_key[JSON_DEPTH_MAX];	/* of the object at each depth */
	struct json_table *tables[JSON_DEPTH_MAX];	/* for large objects; kept for reuse */
	unsigned n_tables;		/* depths whose table is known, if only to be none */
	/* The root object's members. */
	struct json_member *members;
	unsigned n_members, cap_members;
	struct arena *arena;
};

/* Memory for the index comes from `a`. */
void json_scan_init(struct json_scan *s, struct arena *a);

/* `base[0..have)` is all there is so far; `final`: nothing will follow. */
enum json_result json_scan_feed(struct json_scan *s, const char *base, size_t have, bool final);

/* Whether all of `text` is one good object. */
bool json_scan_is_object(struct str text);

/* A member of the root object by its unescaped key; NULL when absent. */
const struct json_member *json_scan_find(const struct json_scan *s, struct str body, struct str key);

#endif
