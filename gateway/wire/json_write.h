/*
 * json_write.h: JSON written into a buffer value by value, commas and colons minded.
 *
 * Text is escaped (buf_add_json); what already is JSON goes in as it was spelled, so numbers
 * and strings cross unchanged. Nothing is allocated here: the buffer grows up to its ceiling.
 *
 * No call fails on the way: json_write_end() tells at the end. It is false when the buffer
 * failed, or when the calls do not make one whole value: nesting deeper than JSON_WRITE_DEPTH,
 * a member without key, a key without value or outside an object, an end that does not match,
 * a second root. Nothing is written behind the first such mistake; what stands in the buffer then is no JSON.
 */
#ifndef WEIR_WIRE_JSON_WRITE_H
#define WEIR_WIRE_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

enum { JSON_WRITE_DEPTH = 64 };

struct json_write {
	struct buf *out;	/* borrowed; what it held stays in front */
	uint64_t objects;	/* a bit for each open container: it is an object */
	unsigned depth;
	bool any;		/* the present container, or the root, has a value */
	bool keyed;		/* a key waits for its value */
	bool failed;
};

void json_write_init(struct json_write *w, struct buf *out);

void json_write_object(struct json_write *w);
void json_write_object_end(struct json_write *w);
void json_write_array(struct json_write *w);
void json_write_array_end(struct json_write *w);

/* The next value's key. Keys are not compared: writing one twice is the caller's doing. */
void json_write_key(struct json_write *w, struct str text);
void json_write_key_escaped(struct json_write *w, struct str spelled);

/* UTF-8; control bytes are escaped, invalid bytes become U+FFFD. */
void json_write_string(struct json_write *w, struct str text);
/* What stands between the quotes of a string, escapes and all; not looked at. */
void json_write_escaped(struct json_write *w, struct str spelled);
/* One valid JSON value; only checked for not being empty. Ends of lines in it become blanks. */
void json_write_raw(struct json_write *w, struct str json);
/* The same into any buffer. */
void json_add_line(struct buf *out, struct str json);
void json_write_int(struct json_write *w, int64_t value);
void json_write_bool(struct json_write *w, bool value);
void json_write_null(struct json_write *w);

/* A key and its value in one call; `key` needs no escapes. */
static inline void json_member_object(struct json_write *w, const char *key)
{
	json_write_key_escaped(w, str_c(key));
	json_write_object(w);
}

static inline void json_member_array(struct json_write *w, const char *key)
{
	json_write_key_escaped(w, str_c(key));
	json_write_array(w);
}

static inline void json_member_string(struct json_write *w, const char *key, struct str text)
{
	json_write_key_escaped(w, str_c(key));
	json_write_string(w, text);
}

static inline void json_member_escaped(struct json_write *w, const char *key, struct str spelled)
{
	json_write_key_escaped(w, str_c(key));
	json_write_escaped(w, spelled);
}

static inline void json_member_raw(struct json_write *w, const char *key, struct str json)
{
	json_write_key_escaped(w, str_c(key));
	json_write_raw(w, json);
}

static inline void json_member_int(struct json_write *w, const char *key, int64_t value)
{
	json_write_key_escaped(w, str_c(key));
	json_write_int(w, value);
}

static inline void json_member_bool(struct json_write *w, const char *key, bool value)
{
	json_write_key_escaped(w, str_c(key));
	json_write_bool(w, value);
}

static inline void json_member_null(struct json_write *w, const char *key)
{
	json_write_key_escaped(w, str_c(key));
	json_write_null(w);
}

/* Is one whole value in the buffer? */
bool json_write_end(const struct json_write *w) must_check;

#endif
