/*
 * cache_admin.c: answers are let go of: one, in this process's memory or in Redis for all replicas; those of a model or a
 * tag by noting when, in the store as a hash of names and times that every replica reads.
 */
#include "cache_admin.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "cache/cache_key.h"
#include "cache/evicted.h"
#include "wire/url.h"

static const char note_script[] =
	"redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])\n"
	"redis.call('PEXPIRE', KEYS[1], 69120000000)\n"	/* 800 days: no answer is kept for longer */
	"return 'noted'\n";

static const char read_script[] =
	"local all, out = redis.call('HGETALL', KEYS[1]), {}\n"
	"for i = 1, #all, 2 do out[#out + 1] = all[i + 1] .. ' ' .. all[i] end\n"
	"return table.concat(out, '\\n')\n";

#define KEY STR("weir:{evicted}")

struct eviction {
	struct store_call call;
	void *ticket;
	char key[CACHE_KEY_SIZE];
};

static struct {
	struct store *store;
	struct timer beat;
	struct store_call call;
	bool shared;
} self;

/* --- what others let go of --- */

static void read_line(struct str line)
{
	struct str at;
	uint64_t us;
	if (str_split(&line, ' ', &at) && str_u64(at, &us) && us <= INT64_MAX)
		evicted_note(line, (int64_t)us);
}

static void on_read(struct store_call *c)
{
	struct str rest = c->value, line;
	while (c->result == STORE_OK && str_split(&rest, '\n', &line))
		read_line(line);
	timer_in(&self.beat, SECOND_US);
}

static void on_beat(struct timer *t)
{
	struct store_script e = { .text = read_script, .n_keys = 1, .keys = { KEY } };
	(void)t;
	self.call = (struct store_call){ .done = on_read };
	store_eval(self.store, &self.call, &e);
}

void cache_admin_open(struct store_home *home, struct loop *l, bool shared)
{
	self.store = store_open(home, l);
	self.shared = shared;
	timer_open(&self.beat, l, on_beat);
	if (shared)
		timer_in(&self.beat, 0);
}

void cache_admin_close(void)
{
	if (!self.store)
		return;
	store_close(self.store);
	timer_close(&self.beat);
	self.store = NULL;
}

/* --- the page --- */

static int wrong(struct buf *out, const char *what)
{
	buf_addf(out, "{\"error\":{\"message\":\"%s\",\"type\":\"invalid_request_error\",\"param\":null,\"code\":null}}\n", what);
	return 400;
}

static void on_done(struct store_call *call)
{
	struct eviction *e = container_of(call, struct eviction, call);
	if (call->result == STORE_DOWN || call->result == STORE_BROKEN)
		admin_answer(e->ticket, 503, STR("{\"error\":{\"message\":\"The store cannot be reached: what was to go may be kept still.\","
						 "\"type\":\"api_error\",\"param\":null,\"code\":null}}\n"));
	else
		admin_answer(e->ticket, 200, STR("{\"evicted\":true}\n"));
	free(e);
}

static struct eviction *begin(const struct admin_call *c)
{
	struct eviction *e = mem_alloc(sizeof(*e));
	*e = (struct eviction){ .call = { .done = on_done }, .ticket = c->ticket };
	return e;
}

static bool is_id(struct str s)
{
	size_t n = 0;
	while (n < s.n && ((s.p[n] >= '0' && s.p[n] <= '9') || (s.p[n] >= 'a' && s.p[n] <= 'f')))
		n++;
	return n == s.n && n == 2 * DIGEST_SIZE;
}

static int evict_one(const struct admin_call *c, struct str id)
{
	struct eviction *e = begin(c);
	cache_key_name(id, e->key);
	store_remove(self.store, &e->call, str_c(e->key));
	return ADMIN_LATER;
}

/* "model/NAME" or "tag/K=V" out of the query; STR_NONE: it says nothing of the kind. */
static struct str name_of(struct arena *a, struct str query)
{
	static const char *const kinds[] = { "model", "tag" };
	struct str value;
	for (size_t i = 0; i < array_len(kinds); i++)
		if (url_query_find(query, str_c(kinds[i]), &value) && url_decode(a, value, true, &value) && value.n && value.n < EVICTED_NAME)
			return arena_printf(a, "%s/%.*s", kinds[i], STR_FMT(value));
	return STR_NONE;
}

static bool is_plain(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < ' ')
			return false;
	return name.n > 0;
}

static int evict_many(const struct admin_call *c, struct str name, struct buf *out)
{
	char now[24];
	int64_t at = clock_wall_us();
	if (!evicted_note(name, at))
		return wrong(out, "More models and tags were let go of than are remembered: restart, or evict single answers.");
	if (!self.shared) {
		buf_add(out, STR("{\"evicted\":true}\n"));
		return 200;
	}
	struct eviction *e = begin(c);
	struct str time = str_of(now, (size_t)snprintf(now, sizeof(now), "%lld", (long long)at));
	struct store_script s = { .text = note_script, .n_keys = 1, .n_args = 2, .keys = { KEY }, .args = { name, time } };
	store_eval(self.store, &e->call, &s);
	return ADMIN_LATER;
}

int cache_admin(const struct admin_call *c, struct buf *out)
{
	struct arena a = ARENA_INIT;
	struct str id = str_starts(c->rest, STR("/")) ? str_skip(c->rest, 1) : STR_NONE, name = name_of(&a, c->query);
	int status;
	if (c->method == HTTP_DELETE && is_id(id))
		status = evict_one(c, id);
	else if (c->method == HTTP_DELETE && str_empty(id) && is_plain(name))
		status = evict_many(c, name, out);
	else
		status = wrong(out, "DELETE /admin/cache/ID lets go of an answer: ID is its x-weir-cache-id, 64 hexadecimal digits; "
				    "/admin/cache?model=M and /admin/cache?tag=K=V of all of a model or with a tag.");
	arena_clear(&a);
	return status;
}
