/*
 * json_fuzz.h: jansson as the second opinion on JSON, and where it is known to be of another mind.
 *
 * It refuses what ours lets pass: a byte-order mark, lone surrogates, numbers that do not fit
 * 64 bits or a double. Ours refuses what it lets pass: depth beyond
 * 64, more than 10,000 keys in an object, numbers longer than 1,024 characters; and a NUL
 * behind the document, which jansson takes for the end.
 */
#ifndef WEIR_TESTS_JSON_FUZZ_H
#define WEIR_TESTS_JSON_FUZZ_H

#include "tests/fuzz/fuzz.h"
#include "tests/jansson.h"
#include "wire/json_scan.h"

static inline struct str without_mark(struct str in)
{
	return str_skip(in, str_starts(in, STR("\xEF\xBB\xBF")) ? 3 : 0);
}

static inline json_t *theirs(struct str in, json_error_t *why)
{
	return json_loadb(in.p, in.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, why);
}

/* Something other than an object may stand at the root. */
static inline bool any_root(struct str in)
{
	in = without_mark(in);
	while (in.n && (in.p[0] == ' ' || in.p[0] == '\t' || in.p[0] == '\n' || in.p[0] == '\r'))
		in = str_skip(in, 1);
	return in.n && in.p[0] != '{';
}

static inline struct json_scan new_scan(struct arena *a, struct str in)
{
	struct json_scan s;
	json_scan_init(&s, a);
	s.any_root = any_root(in);
	return s;
}

#endif
