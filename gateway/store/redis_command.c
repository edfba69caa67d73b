/*
 * redis_command.c: keys and arguments of the script, written into one block.
 *
 * The scope is the hash tag. Its bytes that would end or begin a tag are escaped, so that two
 * scopes never share a key.
 */
#include "store/redis_command.h"

#include <endian.h>
#include <stdio.h>

#include "base/digest.h"

enum { LIMIT_BYTES = 40, HOLD_BYTES = 11, NUMBER_BYTES = 24 };

#define BEFORE STR("weir:{")
#define LIMIT STR("}:l:")
#define LIVE STR("}:live")
#define LAPSED STR("}:lapsed")
#define MARK STR("}:done:")

static char *put(char *to, struct str s)
{
	memcpy(to, s.p, s.n);
	return to + s.n;
}

static char *put_number(char *to, int64_t n)
{
	uint64_t le = htole64((uint64_t)n);
	memcpy(to, &le, sizeof(le));
	return to + sizeof(le);
}

static size_t scope_size(struct str scope)
{
	return BEFORE.n + 3 * scope.n + LAPSED.n;	/* the longest of what follows it */
}

static char *put_scope(char *to, struct str scope)
{
	static const char digits[] = "0123456789ABCDEF";
	to = put(to, BEFORE);
	for (size_t i = 0; i < scope.n; i++) {
		unsigned char c = (unsigned char)scope.p[i];
		if (c != '{' && c != '}' && c != '%') {
			*to++ = (char)c;
			continue;
		}
		*to++ = '%';
		*to++ = digits[c >> 4];
		*to++ = digits[c & 15];
	}
	return to;
}

size_t script_args_size(const struct script_call *c)
{
	size_t size = scope_size(c->scope) * (3 + c->n) + 2 * STORE_ID_SIZE + STORE_ID_SIZE + 2 * NUMBER_BYTES;
	for (unsigned i = 0; i < c->n; i++)
		size += LIMIT_BYTES + HOLD_BYTES + scope_size(c->scope) + 2 * c->limits[i].key.n;
	return size;
}

static char *add_key(struct script_args *a, char *to, struct str scope, struct str kind, struct str key)
{
	char *from = to;
	to = put(put_scope(to, scope), kind);
	if (key.n)
		to = put(to, key);
	a->v[a->n++] = str_of(from, (size_t)(to - from));
	return to;
}

static char *add_mark(struct script_args *a, char *to, const struct script_call *c)
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * STORE_ID_SIZE];
	for (unsigned i = 0; i < STORE_ID_SIZE; i++) {
		hex[2 * i] = digits[c->id[i] >> 4];
		hex[2 * i + 1] = digits[c->id[i] & 15];
	}
	return add_key(a, to, c->scope, MARK, str_of(hex, sizeof(hex)));
}

static char *add_text(struct script_args *a, char *to, int64_t n)
{
	int length = snprintf(to, NUMBER_BYTES, "%lld", (long long)n);
	a->v[a->n++] = str_of(to, (size_t)length);
	return to + length;
}

/* Who it is and what it holds: as it was reserved, so the same bytes when it is settled. */
static char *add_member(struct script_args *a, char *to, const struct script_call *c, const struct str *keys)
{
	char *from = to;
	if (c->id)
		to = put(to, str_of((const char *)c->id, STORE_ID_SIZE));
	for (unsigned i = 0; c->id && i < c->n; i++) {
		uint16_t n = htole16((uint16_t)keys[i].n);
		*to++ = (char)c->limits[i].kind;
		to = put_number(to, store_amount(c->limits[i].amount));
		memcpy(to, &n, sizeof(n));
		to = put(to + sizeof(n), keys[i]);
	}
	a->v[a->n++] = str_of(from, (size_t)(to - from));
	return to;
}

static char *add_limits(struct script_args *a, char *to, const struct script_call *c)
{
	char *from = to;
	for (unsigned i = 0; i < c->n; i++) {
		const struct store_limit *l = &c->limits[i];
		bool budget = l->kind == STORE_BUDGET;
		to = put_number(to, l->kind);
		to = put_number(to, store_amount(c->amounts ? c->amounts[i] : l->amount));
		to = put_number(to, store_amount(l->limit));
		to = put_number(to, budget ? store_amount(l->period_start) : store_span(l));
		to = put_number(to, budget ? store_amount(l->period_end) : 0);
	}
	a->v[a->n++] = str_of(from, (size_t)(to - from));
	return to;
}

void script_args_write(struct script_args *a, char *to, const struct script_call *c)
{
	a->n = 2;
	to = add_text(a, to, 2 + c->n + c->marks);
	to = add_key(a, to, c->scope, LIVE, STR_NONE);
	to = add_key(a, to, c->scope, LAPSED, STR_NONE);
	const struct str *keys = &a->v[a->n];
	for (unsigned i = 0; i < c->n; i++)
		to = add_key(a, to, c->scope, LIMIT, c->limits[i].key);
	if (c->marks)
		to = add_mark(a, to, c);
	a->op = a->n;
	a->v[a->n++] = str_c(c->op);
	to = add_member(a, to, c, keys);
	to = add_text(a, to, c->ttl_us);
	add_limits(a, to, c);
}

static int64_t number_at(struct str text, size_t i)
{
	uint64_t le;
	memcpy(&le, text.p + i * sizeof(le), sizeof(le));
	return (int64_t)le64toh(le);
}

bool script_answer_read(struct str text, unsigned n, struct script_answer *out, struct store_answer *answer)
{
	size_t numbers = answer ? 4 + 3 * (size_t)n : 4;
	if (text.n != numbers * sizeof(int64_t))
		return false;
	out->status = number_at(text, 0);
	out->now_us = number_at(text, 1);
	if (!answer)
		return true;
	int64_t refused = number_at(text, 2), retry = number_at(text, 3);
	if (out->status == 1 && (refused < 0 || refused >= n))
		return false;
	answer->refused_by = refused < 0 ? 0 : (unsigned)refused;
	answer->retry_us = retry < 0 ? STORE_NEVER : retry;
	for (unsigned i = 0; i < n; i++) {
		struct store_usage *u = &answer->used[i];
		u->spent = number_at(text, 4 + 3 * (size_t)i);
		u->reserved = number_at(text, 5 + 3 * (size_t)i);
		u->fresh = number_at(text, 6 + 3 * (size_t)i) != 0;
	}
	return true;
}
