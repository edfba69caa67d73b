/*
 * vectors.h: the published vectors of tests/cases/vectors, one at a time, as jansson trees.
 *
 * jansson's names for JSON's types are also json_cursor.h's: a test includes one of the two.
 */
#ifndef WEIR_TESTS_VECTORS_H
#define WEIR_TESTS_VECTORS_H

#include <glob.h>
#include <jansson.h>

#include "base/str.h"

/* How many there were. Run from the top of the tree. */
static inline unsigned each_vector(const char *pattern, void (*check)(json_t *))
{
	glob_t found;
	unsigned n = 0;
	if (glob(pattern, 0, NULL, &found) != 0)
		return 0;
	for (; n < found.gl_pathc; n++) {
		json_t *vector = json_load_file(found.gl_pathv[n], 0, NULL);
		if (!vector)
			fail_msg("%s is no JSON", found.gl_pathv[n]);
		check(vector);
		json_decref(vector);
	}
	globfree(&found);
	return n;
}

/* STR_NONE when it is absent or no string. */
static inline struct str vector_text(json_t *object, const char *key)
{
	json_t *v = json_object_get(object, key);
	return str_of(json_string_value(v), json_string_length(v));
}

static inline void assert_str(struct str is, struct str wanted)
{
	if (!str_eq(is, wanted))
		fail_msg("\n--- is\n%.*s\n--- wanted\n%.*s", STR_FMT(is), STR_FMT(wanted));
}

#endif
