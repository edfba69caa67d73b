/*
 * keys_use.c: the limits of a key are asked of the store without reserving anything.
 */
#include "keys_use.h"

#include <stdlib.h>

#include "access/key_book.h"
#include "base/clock.h"
#include "base/mem.h"
#include "config/load.h"
#include "core/limit.h"
#include "limits/hold.h"
#include "limits/limit_json.h"
#include "wire/json_cursor.h"

enum { ANSWER_MAX = 256 * 1024 };

/* One question, while the store is asked. */
struct looking {
	struct store_call call;
	struct store_answer answer;
	struct store_reservation r;
	struct store_limit limits[STORE_LIMITS_MAX];
	const struct limit_rule *rules[STORE_LIMITS_MAX];
	struct snapshot *snapshot;	/* what the rules are of */
	struct arena arena;		/* or this, of a key that was made */
	struct str name;
	void *ticket;
	bool returned;			/* the answer is no more waited for by who asked */
	struct buf *out;		/* until then */
	int status;
};

static struct store *store;

static int wrong(struct buf *out, int status, const char *text)
{
	buf_clear(out);
	buf_addf(out, "{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"param\":null,\"code\":null}}\n", text,
		 status < 500 ? "invalid_request_error" : "api_error");
	return status;
}

static int write_answer(const struct looking *k, struct buf *out)
{
	bool known = k->call.result == STORE_OK || k->call.result == STORE_REFUSED;
	if (k->r.n && !known)
		return wrong(out, 503, "The store of limits cannot be asked just now.");
	buf_add(out, STR("{\"object\":\"key_use\",\"name\":"));
	buf_add_json(out, k->name);
	buf_add(out, STR(",\"limits\":["));
	for (unsigned i = 0; i < k->r.n; i++)
		limit_json(k->rules[i], &k->answer.used[i], k->limits[i].period_end, i == 0, out);
	buf_add(out, STR("]}\n"));
	return 200;
}

static void let_go(struct looking *k)
{
	snapshot_unref(k->snapshot);
	arena_clear(&k->arena);
	free(k);
}

static void on_answer(struct store_call *c)
{
	struct looking *k = container_of(c, struct looking, call);
	if (!k->returned) {
		k->status = write_answer(k, k->out);
		return;
	}
	struct buf out = BUF_INIT(ANSWER_MAX);
	int status = write_answer(k, &out);
	admin_answer(k->ticket, status, buf_str(&out));
	buf_free(&out);
	let_go(k);
}

static const struct key *find(const struct snapshot *s, struct str name, struct arena *a)
{
	for (unsigned i = 0; i < s->n_keys; i++)
		if (str_eq(s->keys[i]->name, name))
			return s->keys[i];
	struct key_record *r = key_book_named(name);
	const struct key *k = r && !r->revoked ? config_key(s, name, json_get(r->text, STR("of")), a, NULL) : NULL;
	key_record_release(r);
	return k;
}

/* End users have limits each; nobody is asked for here. */
static void take_limits(struct looking *k, const struct limit_set *set)
{
	int64_t now_s = store_wall_us(store) / SECOND_US;
	k->r = (struct store_reservation){ .limits = k->limits, .scope = set ? set->scope : STR_NONE };
	store_id_make(k->r.id);
	for (unsigned i = 0; set && i < set->n; i++) {
		if (set->rules[i].per == LIMIT_USER)
			continue;
		k->rules[k->r.n] = &set->rules[i];
		k->limits[k->r.n++] = hold_limit(&set->rules[i], set->rules[i].store_key, now_s);
	}
}

int keys_use(const struct snapshot *s, struct str name, void *ticket, struct buf *out)
{
	struct looking *k = mem_alloc(sizeof(*k));
	const struct key *key = find(s, name, &k->arena);
	*k = (struct looking){ .call.done = on_answer, .arena = k->arena, .ticket = ticket, .out = out,
			       .snapshot = snapshot_ref((struct snapshot *)(uintptr_t)s), .status = ADMIN_LATER };
	k->name = arena_copy(&k->arena, name);
	if (key)
		take_limits(k, key->limits);
	if (!key)
		k->status = wrong(out, 404, "There is no key of this name.");
	else if (k->r.n == 0)
		k->status = write_answer(k, out);
	else
		store_peek(store, &k->call, &k->r, &k->answer);
	int status = k->status;
	k->returned = true;
	if (status != ADMIN_LATER)
		let_go(k);
	return status;
}

void keys_use_open(struct loop *l, struct store_home *home)
{
	store = store_open(home, l);
}

void keys_use_close(void)
{
	if (store)
		store_close(store);
	store = NULL;
}
