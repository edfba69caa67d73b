/*
 * json_scan_fuzz.c: any bytes as JSON, whole, cut in two anywhere, and byte by byte: one verdict,
 * which jansson shares but for the differences json_fuzz.h names, and one index, which holds
 * what jansson found.
 */
#include "tests/fuzz/json_fuzz.h"

#include "wire/json_cursor.h"

enum { EVERY_CUT = 150 };

/* Each call sees a copy of its own: the bytes move, and end where they end. */
static enum json_result feed(struct json_scan *s, struct str all, size_t have)
{
	char *copy = alone(str_head(all, have));
	enum json_result r = json_scan_feed(s, copy, have, have == all.n);
	must(r != JSON_MORE || have < all.n);
	must((r == JSON_BAD) == (s->error != NULL));
	must(r != JSON_BAD || s->error_at <= have);
	free(copy);
	return r;
}

static enum json_result scan(struct json_scan *s, struct str in, size_t cut, size_t step)
{
	enum json_result r = JSON_MORE;
	for (size_t have = cut; r != JSON_BAD && have < in.n; have += step)
		r = feed(s, in, have);
	return r == JSON_BAD ? r : feed(s, in, in.n);
}

static bool same_member(const struct json_member *a, const struct json_member *b)
{
	return a->key_at == b->key_at && a->key_length == b->key_length && a->value_at == b->value_at &&
	       a->value_length == b->value_length && a->escaped == b->escaped;
}

static void check_cut(struct str in, size_t cut, size_t step, enum json_result whole,
		      const struct json_scan *w)
{
	struct arena a = ARENA_INIT;
	struct json_scan s = new_scan(&a, in);
	must(scan(&s, in, cut, step) == whole);
	must(whole != JSON_BAD || s.error_at == w->error_at);
	must(whole != JSON_DONE || s.n_members == w->n_members);
	for (unsigned i = 0; whole == JSON_DONE && i < s.n_members; i++)
		must(same_member(&s.members[i], &w->members[i]));
	arena_clear(&a);
}

/* --- the second opinion --- */

static void check_index(const struct json_scan *s, struct str in, const json_t *tree, struct arena *a)
{
	must(s->n_members == json_object_size(tree));
	for (unsigned i = 0; i < s->n_members; i++) {
		const struct json_member *m = &s->members[i];
		struct str key = json_text(a, str_of(in.p + m->key_at, m->key_length));
		json_t *want = json_object_getn(tree, key.p, key.n);
		json_t *have = theirs(str_of(in.p + m->value_at, m->value_length), NULL);
		must(want && have && json_equal(want, have) && json_scan_find(s, in, key) == m);
		json_decref(have);
	}
}

static bool refused_by_us_alone(const struct json_scan *s, struct str in)
{
	struct str why = str_c(s->error);
	return str_starts(why, STR("nesting deeper")) || str_starts(why, STR("a number longer")) ||
	       str_starts(why, STR("more than 10000 keys")) || (s->error_at < in.n && in.p[s->error_at] == '\0');
}

static void check_opinion(enum json_result r, const struct json_scan *s, struct str in, struct arena *a)
{
	json_error_t why;
	json_t *tree = theirs(without_mark(in), &why);
	if (r == JSON_DONE && tree)
		check_index(s, in, tree, a);
	else if (r == JSON_DONE)
		must(json_error_code(&why) == json_error_numeric_overflow || strstr(why.text, "invalid Unicode"));
	else if (tree)
		must(refused_by_us_alone(s, in));
	json_decref(tree);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	struct arena a = ARENA_INIT;
	struct json_scan s = new_scan(&a, in);
	enum json_result r = scan(&s, in, size, 1);
	check_opinion(r, &s, in, &a);
	check_cut(in, 1, 1, r, &s);
	check_cut(in, (size_t)(str_hash(in) % (size + 1)), size, r, &s);
	for (size_t cut = 0; cut < size && size < EVERY_CUT; cut++)
		check_cut(in, cut, size, r, &s);
	arena_clear(&a);
	return 0;
}
