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

enum { NUMBER = sizeof(int64_t), LIMIT_BYTES = 4 * NUMBER, NAME_BYTES = 3, SHA_AT_END = SCRIPT_SHA_SIZE + 2 };

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

static size_t item_size(const struct script_call *c)
{
	return STORE_ID_SIZE + (c->script == REDIS_SETTLE ? 2 : 1) * NUMBER * (size_t)c->n;
}

size_t script_wire_size(const struct script_call *c)
{
	size_t key = WIRE_AROUND + BEFORE.n + 3 * c->scope.n + LAPSED.n;
	size_t size = 11 * WIRE_AROUND + 3 * key + SCRIPT_SHA_SIZE + 2 * STORE_ID_SIZE + 32 + item_size(c);
	for (unsigned i = 0; i < c->n; i++)
		size += key + LIMIT_BYTES + NAME_BYTES + 2 * c->limits[i].key.n;
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

static char *put_limit(char *to, const struct store_limit *l)
{
	bool budget = l->kind == STORE_BUDGET;
	to = put_number(to, l->kind);
	to = put_number(to, store_amount(l->limit));
	to = put_number(to, budget ? store_amount(l->period_start) : store_span(l));
	return put_number(to, budget ? store_amount(l->period_end) : 0);
}

static char *put_name(char *to, const struct store_limit *l)
{
	*to++ = (char)l->kind;
	*to++ = (char)(l->key.n & 255);
	*to++ = (char)(l->key.n >> 8);
	return wire_put(to, l->key);
}

static char *add_limits(char *to, const struct script_call *c)
{
	to = wire_count(to, '$', LIMIT_BYTES * c->n);
	for (unsigned i = 0; i < c->n; i++)
		to = put_limit(to, &c->limits[i]);
	return wire_put(to, STR("\r\n"));
}

static char *add_names(char *to, const struct script_call *c)
{
	size_t size = 1;
	for (unsigned i = 0; i < c->n; i++)
		size += NAME_BYTES + c->limits[i].key.n;
	to = wire_count(to, '$', size);
	for (unsigned i = 0; i < c->n; i++)
		to = put_name(to, &c->limits[i]);
	*to++ = (char)c->n;
	return wire_put(to, STR("\r\n"));
}

static void put_item(struct script_wire *w, const struct script_call *c)
{
	static const uint8_t nobody[STORE_ID_SIZE];
	bool settles = c->script == REDIS_SETTLE;
	char *to = w->p + w->items + w->n_items++ * w->item_size;
	to = wire_put(to, str_of((const char *)(c->id ? c->id : nobody), STORE_ID_SIZE));
	for (unsigned i = 0; i < c->n; i++)
		to = put_number(to, store_amount(c->amounts && !settles ? c->amounts[i] : c->limits[i].amount));
	for (unsigned i = 0; settles && i < c->n; i++)
		to = put_number(to, store_amount(c->amounts[i]));
}

/* Arguments behind the script, up to the items. */
static char *add_head(struct script_wire *w, char *to, const struct script_call *c)
{
	char room[SCOPE_PREFIX_MAX];
	struct str prefix = script_prefix(room, c->scope);
	bool marks = c->op == 'C';
	to = add_number(to, 2 + c->n + marks);
	to = add_key(to, prefix, LIVE, STR_NONE);
	w->scope = str_of(to - LIVE.n - 2 - prefix.n, prefix.n);
	to = add_key(to, prefix, LAPSED, STR_NONE);
	for (unsigned i = 0; i < c->n; i++)
		to = add_key(to, prefix, LIMIT, c->limits[i].key);
	if (marks)
		to = add_mark(to, prefix, c->id);
	to = wire_arg(to, str_of(&c->op, 1));
	w->op = (size_t)(to - w->p) - 3;
	to = add_number(to, (uint64_t)c->ttl_us);
	to = add_limits(to, c);
	w->limits = (size_t)(to - w->p) - 2 - LIMIT_BYTES * c->n;
	char *names = to;
	to = add_names(to, c);
	w->names = (size_t)((char *)memchr(names, '\n', (size_t)(to - names)) + 1 - w->p);
	return to;
}

void script_wire_write(struct script_wire *w, char *p, size_t room, const struct script_call *c,
		       const char sha[SCRIPT_SHA_SIZE])
{
	*w = (struct script_wire){ .p = p, .room = room, .n_limits = c->n, .item_size = item_size(c) };
	w->args = 3 + 2 + c->n + (c->op == 'C') + 5;
	char *to = wire_count(p, '*', w->args);
	to = wire_arg(to, STR("EVALSHA"));
	to = wire_arg(to, str_of(sha, SCRIPT_SHA_SIZE));
	w->tail = (size_t)(to - p);
	to = add_head(w, to, c);
	w->head = (size_t)(to - p);
	w->items = w->head + WIRE_AROUND;
	put_item(w, c);
}

/* The names lie as put_name() wrote them: so they are compared. */
static bool same_limits(const struct script_wire *w, const struct script_call *c)
{
	const char *limit = w->p + w->limits, *name = w->p + w->names;
	for (unsigned i = 0; i < c->n; i++, limit += LIMIT_BYTES) {
		char mine[LIMIT_BYTES];
		struct str key = c->limits[i].key;
		put_limit(mine, &c->limits[i]);
		if (memcmp(mine, limit, LIMIT_BYTES) != 0 || (uint8_t)name[1] != (key.n & 255) || (uint8_t)name[2] != key.n >> 8 ||
		    memcmp(name + NAME_BYTES, key.p, key.n) != 0)
			return false;
		name += NAME_BYTES + key.n;
	}
	return true;
}

bool script_wire_join(struct script_wire *w, const struct script_call *c)
{
	char prefix[SCOPE_PREFIX_MAX];
	size_t end = w->items + (w->n_items + 1) * w->item_size;
	if (w->p[w->op] != c->op || w->n_limits != c->n || end + 2 > w->room ||
	    !str_eq(w->scope, script_prefix(prefix, c->scope)) || !same_limits(w, c))
		return false;
	put_item(w, c);
	return true;
}

void script_wire_close(struct script_wire *w)
{
	size_t size = w->n_items * w->item_size;
	char *to = wire_count(w->p + w->head, '$', size);
	memmove(to, w->p + w->items, size);
	w->items = (size_t)(to - w->p);
	w->n = (size_t)(wire_put(to + size, STR("\r\n")) - w->p);
}

void script_wire_keep(struct script_wire *w, const bool *keep)
{
	char *items = w->p + w->items;
	unsigned kept = 0;
	for (unsigned i = 0; i < w->n_items; i++)
		if (keep[i])
			memmove(items + kept++ * w->item_size, items + i * w->item_size, w->item_size);
	w->n_items = kept;
	script_wire_close(w);
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
	*w = (struct script_wire){ .p = p, .args = c->t ? TALLY_ARGS : TALLY_ARGS_READ, .n_items = 1 };
	char *to = wire_count(p, '*', w->args);
	to = wire_arg(to, STR("EVALSHA"));
	to = wire_arg(to, str_of(sha, SCRIPT_SHA_SIZE));
	w->tail = (size_t)(to - p);
	to = add_number(to, 2);
	to = wire_arg(to, tally_key(rows, c->day));
	to = wire_arg(to, told_key(told, c));
	to = wire_arg(to, c->t ? STR("U") : STR("V"));
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

static size_t item_numbers(const struct script_answer *a)
{
	return a->full ? 3 + 2 * (size_t)a->n : 1;
}

static size_t item_at(const struct script_answer *a, unsigned item)
{
	return 1 + (a->full ? a->n : 0) + item * item_numbers(a);
}

static bool item_good(const struct script_answer *a, unsigned item)
{
	int64_t status = number_at(a->text, item_at(a, item));
	int64_t refused = a->full ? number_at(a->text, item_at(a, item) + 1) : -1;
	return status >= 0 && status < SCRIPT_STATUSES && (status != SCRIPT_REFUSED || (refused >= 0 && refused < a->n));
}

bool script_answer_open(struct script_answer *a, struct str text, unsigned n, unsigned n_items, bool full)
{
	*a = (struct script_answer){ .text = text, .n = n, .n_items = n_items, .full = full };
	if (text.n != NUMBER * item_at(a, n_items))
		return false;
	a->now_us = number_at(text, 0);
	for (unsigned i = 0; i < n_items; i++)
		if (!item_good(a, i))
			return false;
	return true;
}

enum script_status script_answer_item(const struct script_answer *a, unsigned item, struct store_answer *to)
{
	size_t at = item_at(a, item);
	if (to && a->full) {
		int64_t refused = number_at(a->text, at + 1), retry = number_at(a->text, at + 2);
		to->refused_by = refused < 0 ? 0 : (unsigned)refused;
		to->retry_us = retry < 0 ? STORE_NEVER : retry;
		for (unsigned i = 0; i < a->n; i++)
			to->used[i] = (struct store_usage){
				.spent = number_at(a->text, at + 3 + 2 * (size_t)i), .reserved = number_at(a->text, at + 4 + 2 * (size_t)i),
				.fresh = number_at(a->text, 1 + (size_t)i) != 0,
			};
	}
	return (enum script_status)number_at(a->text, at);
}
