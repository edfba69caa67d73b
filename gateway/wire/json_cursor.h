/*
 * json_cursor.h: reading single values out of JSON bytes in place, without a tree.
 *
 * Made for bytes that json_scan has found valid, and safe on any others: no read leaves
 * the span, nothing recurses, and what makes no sense reads as absent. Values are spans of
 * the input, spelled as they came.
 */
#ifndef WEIR_WIRE_JSON_CURSOR_H
#define WEIR_WIRE_JSON_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/str.h"

enum json_type { JSON_NONE, JSON_OBJECT, JSON_ARRAY, JSON_STRING, JSON_NUMBER, JSON_TRUE, JSON_FALSE, JSON_NULL };

/* Iterates the members of an object or the elements of an array. */
struct json_cursor {
	const char *p, *end;
	bool object;
	struct str key;		/* between its quotes, as spelled */
	struct str value;
};

/* False when `container` is neither an object nor an array. */
bool json_cursor_open(struct json_cursor *c, struct str container);
bool json_cursor_next(struct json_cursor *c);

/*
 * The same in two steps, so that nothing need be crossed twice: to the next value, which then begins at c->p; and over it.
 * Or into it, where it is a container; and out of that again once `inner` has come to its end.
 */
bool json_cursor_step(struct json_cursor *c);
bool json_cursor_cross(struct json_cursor *c);
bool json_cursor_into(const struct json_cursor *c, struct json_cursor *inner);
void json_cursor_out(struct json_cursor *c, const struct json_cursor *inner);

/* The first value in `text`, without the white space around it. */
struct str json_value(struct str text);
/* The same where `text` is known to be one value: its end is that of the text. */
struct str json_whole(struct str text);
enum json_type json_type(struct str value);

/* First byte of the first element or key of a container, without crossing it; 0 when it is empty. */
char json_first(struct str container);
/* Whether it is a list of one element or more, all of this type. */
bool json_list_of(struct str value, enum json_type type);

/* The member's value; STR_NONE when absent. Keys are compared after unescaping. */
struct str json_get(struct str object, struct str key);

/* `n` members in one pass: out[i] is what json_get() of keys[i] says. */
void json_get_all(struct str object, const struct str *keys, unsigned n, struct str *out);

/*
 * An object that is asked for many members, those that are absent among them: it is gone over once, as far as the answers
 * need, and what was passed is remembered. Members beyond the first JSON_FIELDS are looked for anew.
 */
enum { JSON_FIELDS = 24 };

struct json_fields {
	struct json_cursor rest;	/* what was not passed yet */
	unsigned n;
	struct { struct str key, value; bool escaped; } at[JSON_FIELDS];
};

void json_fields_open(struct json_fields *f, struct str object);	/* anything else has no members */
/* What json_get() says. */
struct str json_field(struct json_fields *f, struct str key);
int64_t json_field_count(struct json_fields *f, struct str key);

/* The text between the quotes of a string, still escaped; STR_NONE for other types. */
struct str json_raw(struct str value);

/*
 * Unescaped text. A lone surrogate becomes three bytes as if it were a character (WTF-8).
 * STR_NONE for other types and broken escapes.
 */
struct str json_text(struct arena *a, struct str value);

/* Does the string say `text`, escapes undone? */
bool json_is(struct str value, struct str text);

/* Exact integers only ("1e3" and "1.0" are not); false otherwise. */
bool json_int(struct str value, int64_t *out) must_check;

/* The integer member, or 0 when it is absent, negative or no integer. */
int64_t json_count(struct str object, struct str key);

#endif
