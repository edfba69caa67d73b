/*
 * redis_command.c: keys and arguments of a script, written once, as they go over the wire.
 *
 * The scope is the hash tag. Its bytes that would end or begin a tag are escaped, so that two
 * scopes never share a key.
 */
#include "store/redis_command.h"

#include <endian.h>
#include <stdio.h>

#include "store/redis_wire.h"

enum { LIMIT_BYTES = 40, HOLD_BYTES = 11, SHA_AT_END = SCRIPT_SHA_SIZE + 2 };

#define BEFORE STR("weir:{")
#define LIMIT STR("}:l:")
#define LIVE STR("}:live")
#define LAPSED STR("}:lapsed")
#define MARK STR("}:done:")

static char *put_number(char *to, int64_t n)
{
	uint64_t le = htole64((uint64_t)n);
	memcpy(to, &le, sizeof(le));
	return to + sizeof(le);
}

struct str script_prefix(char to[SCOPE_PREFIX_MAX], struct str scope)
{
	static const char digits[] = "0123456789ABCDEF";
	char *at = wire_put(to, BEFORE);
	for (size_t i = 0; i < scope.n; i++) {
		unsigned char c = (unsigned char)scope.p[i];
		if (c != '{' && c != '}' && c != '%') {
			*at++ = (char)c;
			continue;
		}
		*at++ = '%';
		*at++ = digits[c >> 4];
		*at++ = digits[c & 15];
	}
	return str_of(to, (size_t)(at - to));
}

size_t script_wire_size(const struct script_call *c)
{
	size_t key = WIRE_AROUND + BEFORE.n + 3 * c->scope.n + LAPSED.n;
	size_t size = 8 * WIRE_AROUND + 3 * key + SCRIPT_SHA_SIZE + 3 * STORE_ID_SIZE + 32;
	for (unsigned i = 0; i < c->n; i++)
		size += key + LIMIT_BYTES + HOLD_BYTES + 2 * c->limits[i].key.n;
	return size;
}

static char *add_key(char *to, struct str prefix, struct str kind, struct str key)
{
	to = wire_count(to, '$', prefix.n + kind.n + key.n);
	return wire_put(wire_put(wire_put(wire_put(to, prefix), kind), key), STR("\r\n"));
}

static char *add_mark(char *to, struct str prefix, const uint8_t id[STORE_ID_SIZE])
{
	static const char digits[] = "0123456789abcdef";
	char hex[2 * STORE_ID_SIZE];
	for (unsigned i = 0; i < STORE_ID_SIZE; i++) {
		hex[2 * i] = digits[id[i] >> 4];
		hex[2 * i + 1] = digits[id[i] & 15];
	}
	return add_key(to, prefix, MARK, str_of(hex, sizeof(hex)));
}

static char *add_number(char *to, uint64_t n)
{
	char digits[24], *end = wire_count(digits, ' ', (size_t)n);
	return wire_arg(to, str_of(digits + 1, (size_t)(end - digits) - 3));
}

/* Who it is and what it holds: as it was reserved, so the same bytes when it is settled. */
static char *add_member(char *to, const struct script_call *c)
{
	size_t size = c->id ? STORE_ID_SIZE : 0;
	for (unsigned i = 0; c->id && i < c->n; i++)
		size += HOLD_BYTES + c->limits[i].key.n;
	to = wire_count(to, '$', size);
	if (c->id)
		to = wire_put(to, str_of((const char *)c->id, STORE_ID_SIZE));
	for (unsigned i = 0; c->id && i < c->n; i++) {
		const struct store_limit *l = &c->limits[i];
		uint16_t n = htole16((uint16_t)l->key.n);
		*to++ = (char)l->kind;
		to = put_number(to, store_amount(l->amount));
		memcpy(to, &n, sizeof(n));
		to = wire_put(to + sizeof(n), l->key);
	}
	return wire_put(to, STR("\r\n"));
}

static char *add_limits(char *to, const struct script_call *c)
{
	to = wire_count(to, '$', LIMIT_BYTES * c->n);
	for (unsigned i = 0; i < c->n; i++) {
		const struct store_limit *l = &c->limits[i];
		bool budget = l->kind == STORE_BUDGET;
		to = put_number(to, l->kind);
		to = put_number(to, store_amount(c->amounts ? c->amounts[i] : l->amount));
		to = put_number(to, store_amount(c->amounts ? l->amount : l->limit));
		to = put_number(to, budget ? store_amount(l->period_start) : store_span(l));
		to = put_number(to, budget ? store_amount(l->period_end) : 0);
	}
	return wire_put(to, STR("\r\n"));
}

void script_wire_write(struct script_wire *w, char *p, const struct script_call *c,
		       const char sha[SCRIPT_SHA_SIZE])
{
	char room[SCOPE_PREFIX_MAX];
	struct str prefix = script_prefix(room, c->scope);
	bool marks = c->op == 'C';
	unsigned keys = 2 + c->n + marks;
	w->p = p;
	w->args = 3 + keys + 4;
	char *to = wire_count(p, '*', w->args);
	to = wire_arg(to, STR("EVALSHA"));
	to = wire_arg(to, str_of(sha, SCRIPT_SHA_SIZE));
	w->tail = (size_t)(to - p);
	to = add_number(to, keys);
	to = add_key(to, prefix, LIVE, STR_NONE);
	to = add_key(to, prefix, LAPSED, STR_NONE);
	for (unsigned i = 0; i < c->n; i++)
		to = add_key(to, prefix, LIMIT, c->limits[i].key);
	if (marks)
		to = add_mark(to, prefix, c->id);
	to = wire_arg(to, str_of(&c->op, 1));
	w->op = (size_t)(to - p) - 3;
	to = add_member(to, c);
	to = add_number(to, (uint64_t)c->ttl_us);
	to = add_limits(to, c);
	w->n = (size_t)(to - p);
}

void script_wire_change(struct script_wire *w, char op, const char sha[SCRIPT_SHA_SIZE])
{
	w->p[w->op] = op;
	memcpy(w->p + w->tail - SHA_AT_END, sha, SCRIPT_SHA_SIZE);
}

bool script_wire_with_text(const struct script_wire *w, const char *text, struct buf *out)
{
	struct str script = str_c(text);
	if (!buf_reserve(out, w->n + script.n + 2 * WIRE_AROUND))
		return false;
	char *to = wire_count(out->p, '*', w->args);
	to = wire_arg(wire_arg(to, STR("EVAL")), script);
	to = wire_put(to, str_of(w->p + w->tail, w->n - w->tail));
	out->n = (size_t)(to - out->p);
	return true;
}

/* --- sums --- */

enum { TOLD_BITS = 65536, TALLY_ARGS = 10, TALLY_ARGS_READ = 6 };

struct str tally_key(char to[TALLY_KEY_MAX], int64_t day)
{
	int n = snprintf(to, TALLY_KEY_MAX, "weir:{tally:%lld}:sums", (long long)day);
	return str_of(to, (size_t)n);
}

static struct str told_key(char to[TALLY_KEY_MAX], const struct tally_call *c)
{
	int n = snprintf(to, TALLY_KEY_MAX, "weir:{tally:%lld}:told:%016llx:%llu", (long long)c->day, (unsigned long long)c->teller,
			 (unsigned long long)(c->serial / TOLD_BITS));
	return str_of(to, (size_t)n);
}

size_t tally_wire_size(const struct tally_call *c)
{
	size_t size = 2 * TALLY_KEY_MAX + SCRIPT_SHA_SIZE + 3 * WIRE_AROUND + TALLY_ARGS * WIRE_AROUND;
	return c->t ? size + c->t->name.n + c->t->otherwise.n + sizeof(c->t->counts) : size;
}

void tally_wire_write(struct script_wire *w, char *p, const struct tally_call *c, const char sha[SCRIPT_SHA_SIZE])
{
	char rows[TALLY_KEY_MAX], told[TALLY_KEY_MAX];
	w->p = p;
	w->args = c->t ? TALLY_ARGS : TALLY_ARGS_READ;
	char *to = wire_count(p, '*', w->args);
	to = wire_arg(to, STR("EVALSHA"));
	to = wire_arg(to, str_of(sha, SCRIPT_SHA_SIZE));
	w->tail = (size_t)(to - p);
	to = add_number(to, 2);
	to = wire_arg(to, tally_key(rows, c->day));
	to = wire_arg(to, told_key(told, c));
	to = wire_arg(to, c->t ? STR("U") : STR("V"));
	w->op = 0;
	if (c->t) {
		to = add_number(to, c->serial % TOLD_BITS);
		to = wire_arg(to, c->t->name);
		to = wire_arg(to, c->t->otherwise);
		to = wire_count(to, '$', sizeof(c->t->counts));
		for (unsigned i = 0; i < STORE_TALLY_COUNTS; i++)
			to = put_number(to, store_amount(c->t->counts[i]));
		to = wire_put(to, STR("\r\n"));
	}
	w->n = (size_t)(to - p);
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
	out->otherwise = number_at(text, 3) > 0;
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
