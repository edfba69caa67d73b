/*
 * redis_values.c: byte values, and callers' own scripts, as plain commands.
 */
#include <stdio.h>

#include "store/redis_store_parts.h"
#include "store/redis_wire.h"

#define VALUE_PREFIX STR("weir:v:")

static void plain_call(struct redis_store *s, struct store_call *c, enum call_kind kind, unsigned n, const struct str *argv,
		       struct str key)
{
	struct call *x = redis_call_new(s, c, kind, wire_size(n, argv));
	x->wire.p = x->bytes;
	x->wire.n = (size_t)(wire_command(x->bytes, n, argv) - x->bytes);
	x->slot = redis_route_slot(s->route, key);
	redis_call_begin(x);
}

static void value_call(struct store *store, struct store_call *c, enum call_kind kind, unsigned n, struct str *argv)
{
	char key[STORE_KEY_MAX + 16];
	size_t prefix = VALUE_PREFIX.n;
	memcpy(key, VALUE_PREFIX.p, prefix);
	memcpy(key + prefix, argv[1].p, argv[1].n);
	argv[1] = str_of(key, prefix + argv[1].n);
	plain_call(redis_store_of(store), c, kind, n, argv, argv[1]);
}

void redis_value_get(struct store *s, struct store_call *c, struct str key)
{
	value_call(s, c, CALL_GET, 2, (struct str[]){ STR("GET"), key });
}

void redis_value_put(struct store *s, struct store_call *c, struct str key, struct str value, int64_t ttl_ms)
{
	char ttl[24];
	int64_t most = INT64_C(1000) * 86400 * 3650;
	int n = snprintf(ttl, sizeof(ttl), "%lld", (long long)(ttl_ms < most ? ttl_ms : most));
	struct str argv[] = { STR("SET"), key, value, STR("PX"), str_of(ttl, (size_t)n) };
	value_call(s, c, CALL_PUT, array_len(argv), argv);
}

void redis_value_remove(struct store *s, struct store_call *c, struct str key)
{
	value_call(s, c, CALL_REMOVE, 2, (struct str[]){ STR("DEL"), key });
}

void redis_value_eval(struct store *store, struct store_call *c, const struct store_script *e)
{
	struct str argv[3 + STORE_SCRIPT_KEYS + STORE_SCRIPT_ARGS];
	char count = (char)('0' + e->n_keys);
	unsigned n = 0;
	argv[n++] = STR("EVAL");
	argv[n++] = str_c(e->text);
	argv[n++] = str_of(&count, 1);
	for (unsigned i = 0; i < e->n_keys; i++)
		argv[n++] = e->keys[i];
	for (unsigned i = 0; i < e->n_args; i++)
		argv[n++] = e->args[i];
	plain_call(redis_store_of(store), c, CALL_EVAL, n, argv, e->keys[0]);
}
