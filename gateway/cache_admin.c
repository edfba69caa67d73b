/*
 * cache_admin.c: one answer is let go of, in this process's memory or in Redis for all replicas.
 */
#include "cache_admin.h"

#include <stdlib.h>

#include "base/digest.h"
#include "base/mem.h"
#include "cache/cache_key.h"

struct eviction {
	struct store_call call;
	void *ticket;
	char key[CACHE_KEY_SIZE];
};

static struct store *store;	/* opened when first wanted */

static void on_removed(struct store_call *call)
{
	struct eviction *e = container_of(call, struct eviction, call);
	if (call->result == STORE_DOWN)
		admin_answer(e->ticket, 503, STR("{\"error\":{\"message\":\"The store cannot be reached: the answer may be kept still.\","
						 "\"type\":\"api_error\",\"param\":null,\"code\":null}}\n"));
	else
		admin_answer(e->ticket, 200, STR("{\"evicted\":true}\n"));
	free(e);
}

static bool is_id(struct str s)
{
	size_t n = 0;
	while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || (s.p[n] >= 'a' && s.p[n] <= 'f')))
		n++;
	return n == s.n && n == 2 * DIGEST_SIZE;
}

int cache_admin(struct store_home *home, struct loop *l, const struct admin_call *c, struct buf *out)
{
	struct str id = str_starts(c->rest, STR("/")) ? str_skip(c->rest, 1) : STR_NONE;
	if (c->method != HTTP_DELETE || !is_id(id)) {
		buf_add(out, STR("{\"error\":{\"message\":\"DELETE /admin/cache/ID lets go of an answer: ID is its x-weir-cache-id, 64 hexadecimal digits.\","
				 "\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}\n"));
		return 400;
	}
	struct eviction *e = mem_alloc(sizeof(*e));
	*e = (struct eviction){ .call = { .done = on_removed }, .ticket = c->ticket };
	cache_key_name(id, e->key);
	if (!store)
		store = store_open(home, l);
	store_remove(store, &e->call, str_c(e->key));
	return ADMIN_LATER;
}

void cache_admin_close(void)
{
	if (store)
		store_close(store);
	store = NULL;
}
