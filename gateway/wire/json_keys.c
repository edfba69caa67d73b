/*
 * json_keys.c: finding duplicate keys without quadratic time.
 *
 * Keys of all open objects lie on one stack. Few keys are compared one by one; from LINEAR
 * on an object gets a hash table, seeded per process so that collisions cannot be forced.
 */
#include "wire/json_keys.h"

#include "base/digest.h"
#include "wire/json_cursor.h"

enum { LINEAR = 8, FIRST_KEYS = 16 };

struct json_key {
	uint32_t at, length;	/* between the quotes */
	const char *unescaped;	/* in the arena, for keys spelled with escapes; else NULL */
};

struct json_table {
	uint32_t size;		/* a power of two */
	uint32_t *slots;	/* index in the object's keys + 1; 0: free */
};

static uint64_t seed(void)
{
	static _Thread_local uint64_t value;
	while (value == 0)
		value = random_u64();
	return value;
}

static struct str key_text(const struct json_key *k, const char *base)
{
	return str_of(k->unescaped ? k->unescaped : base + k->at, k->length);
}

static uint64_t mix(uint64_t a, uint64_t b)
{
	__uint128_t m = (__uint128_t)a * b;
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

static uint64_t hash(struct str s)
{
	uint64_t h = seed() ^ s.n, w;
	for (; s.n >= 8; s = str_skip(s, 8)) {
		memcpy(&w, s.p, 8);
		h = mix(h ^ w, 0x9E3779B97F4A7C15u);
	}
	w = 0;
	if (s.n)
		memcpy(&w, s.p, s.n);
	return mix(h ^ w, 0xD6E8FEB86659FD93u);
}

void json_keys_open(struct json_scan *s)
{
	s->first_key[s->depth - 1] = s->n_keys;
}

void json_keys_close(struct json_scan *s)
{
	s->n_keys = s->first_key[s->depth - 1];
}

static void push(struct json_scan *s, struct json_key key)
{
	if (s->n_keys == s->cap_keys) {
		uint32_t cap = s->cap_keys ? s->cap_keys * 2 : FIRST_KEYS;
		struct json_key *keys = arena_array(s->arena, struct json_key, cap);
		if (s->n_keys)
			memcpy(keys, s->keys, s->n_keys * sizeof(*keys));
		s->keys = keys;
		s->cap_keys = cap;
	}
	s->keys[s->n_keys++] = key;
}

static bool linear_has(const struct json_scan *s, const char *base, uint32_t first, struct str text)
{
	for (uint32_t i = first; i < s->n_keys; i++)
		if (str_eq(key_text(&s->keys[i], base), text))
			return true;
	return false;
}

/* True when the table had it; else it is put in as `index`. */
static bool table_has(const struct json_scan *s, struct json_table *t, const char *base, uint32_t first,
		      struct str text, uint32_t index)
{
	uint32_t at = (uint32_t)hash(text) & (t->size - 1);
	for (; t->slots[at]; at = (at + 1) & (t->size - 1))
		if (str_eq(key_text(&s->keys[first + t->slots[at] - 1], base), text))
			return true;
	t->slots[at] = index + 1;
	return false;
}

static void table_fill(struct json_scan *s, struct json_table *t, const char *base, uint32_t first)
{
	memset(t->slots, 0, t->size * sizeof(*t->slots));
	for (uint32_t i = first; i < s->n_keys; i++)
		table_has(s, t, base, first, key_text(&s->keys[i], base), i - first);
}

static struct json_table **table_place(struct json_scan *s)
{
	while (s->n_tables < s->depth)
		s->tables[s->n_tables++] = NULL;
	return &s->tables[s->depth - 1];
}

/* The table of the innermost object, large enough for one key more. */
static struct json_table *table_of(struct json_scan *s, const char *base, uint32_t first, uint32_t count)
{
	struct json_table **place = table_place(s), *t = *place;
	if (!t)
		t = *place = arena_new(s->arena, struct json_table);
	if (t->size < 2 * (count + 1)) {
		t->size = t->size ? t->size * 2 : 4 * LINEAR;
		while (t->size < 2 * (count + 1))
			t->size *= 2;
		t->slots = arena_array(s->arena, uint32_t, t->size);
		table_fill(s, t, base, first);
	} else if (count == LINEAR) {
		table_fill(s, t, base, first);	/* left over from an earlier object of this depth */
	}
	return t;
}

enum json_key_result json_keys_add(struct json_scan *s, const char *base, struct str text, bool escaped)
{
	uint32_t first = s->first_key[s->depth - 1], count = s->n_keys - first;
	struct json_key key = { .at = (uint32_t)(text.p - base), .length = (uint32_t)text.n };
	if (escaped) {
		text = json_text(s->arena, str_of(text.p - 1, text.n + 2));
		key.unescaped = text.p;
		key.length = (uint32_t)text.n;
		if (str_chr(text, '\0') >= 0)
			return JSON_KEY_NUL;
	}
	if (count >= JSON_KEYS_MAX)
		return JSON_KEY_TOO_MANY;
	bool twice = count < LINEAR ? linear_has(s, base, first, text) :
		     table_has(s, table_of(s, base, first, count), base, first, text, count);
	if (twice)
		return JSON_KEY_TWICE;
	push(s, key);
	return JSON_KEY_NEW;
}
