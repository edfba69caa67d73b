/*
 * redis_turns_test.c: whatever a turn's calls are, Redis answers each of them as memory does, which takes one after the other.
 *
 * Turns are made by dice of a fixed seed. Sets of limits share no keys, so that only the order of calls about the same ones matters; of those
 * settlements are told first, as they leave first. Windows span 400 days: nothing slides meanwhile.
 */
#include "tests/unit/store/redis_server.h"
#include "tests/unit/store/store_client.h"

enum { TURNS = 2500, SHAPES = 8, PARTS = 3, AT_ONCE = 48, KEPT = 64 };

static const int64_t SPAN_S = 400 * 86400;
static struct redis_server server;
static unsigned dice_state = 20261128;

static unsigned dice(unsigned n)
{
	dice_state = dice_state * 1103515245u + 12345u;
	return (dice_state >> 8) % n;
}

/* Limits that are asked for together, and the reservations of them that may be settled. */
struct shape {
	char scope[32], keys[STORE_LIMITS_MAX][STORE_KEY_MAX];
	struct store_limit l[STORE_LIMITS_MAX];
	unsigned n, n_kept;
	bool requests;		/* memory does not give back those of who leaves */
	struct kept {
		uint8_t id[STORE_ID_SIZE];
		int64_t amount[STORE_LIMITS_MAX];
	} kept[KEPT];
};

enum asked { RESERVE, SETTLE, COUNT, PEEK, RENEW };

/* One call, made of both stores. */
struct pair {
	enum asked kind;
	struct shape *shape;
	struct store_limit l[STORE_LIMITS_MAX];
	struct store_reservation r;
	struct waited redis, memory;
	bool left;
};

static struct client redis, memory;
static struct shape shapes[SHAPES];
static struct pair pairs[PARTS * 2 * (AT_ONCE + 1)];
static unsigned n_pairs, granted, refused, settled;

static int64_t now_us(void)
{
	return clock_wall_us();
}

/* --- shapes --- */

static struct store_limit limit_make(struct shape *s, unsigned i, unsigned longest)
{
	static const int64_t limits[] = { 0, 3, 40, 900, STORE_AMOUNT_MAX - 5, INT64_MAX };
	enum store_kind kind = dice(s->requests ? 4 : 3) + (s->requests ? STORE_REQUESTS : STORE_WINDOW);
	int64_t today = now_us() / SECOND_US / 86400 * 86400;
	size_t n = (size_t)snprintf(s->keys[i], STORE_KEY_MAX, "%u/", i);
	while (n < longest && (longest == STORE_KEY_MAX || dice(4)))
		s->keys[i][n++] = (char)dice(256);
	return (struct store_limit){ .key = str_of(s->keys[i], n), .kind = kind, .limit = limits[dice(20) ? 2 + dice(4) : dice(2)],
				     .span_s = SPAN_S, .period_start = today, .period_end = dice(3) ? today + 86400 : 0 };
}

static void shape_make(struct shape *s)
{
	static unsigned serial;
	static const unsigned sizes[] = { 0, 1, 2, 3, 12, STORE_LIMITS_MAX };
	unsigned longest = dice(12) ? 40 : STORE_KEY_MAX;
	s->requests = dice(2);
	s->n = sizes[dice(array_len(sizes))];
	s->n_kept = 0;
	snprintf(s->scope, sizeof(s->scope), "{shape %u}", ++serial);
	for (unsigned i = 0; i < s->n; i++)
		s->l[i] = limit_make(s, i, longest);
}

/* --- calls --- */

static int64_t amount_make(const struct store_limit *l)
{
	static const int64_t odd[] = { 0, -7, STORE_AMOUNT_MAX - 3, INT64_MAX, INT64_MIN };
	return dice(60) == 0 ? odd[dice(array_len(odd))] : l->limit > 1000 ? dice(1 << 30) : dice((unsigned)l->limit / 8 + 2);
}

static struct pair *pair_new(struct shape *s, enum asked kind, const struct kept *of)
{
	struct pair *p = &pairs[n_pairs++];
	memset(p, 0, offsetof(struct pair, redis));
	p->kind = kind;
	p->left = false;
	p->shape = s;
	memcpy(p->l, s->l, sizeof(p->l));
	p->r = (struct store_reservation){ .scope = str_c(s->scope), .limits = p->l, .n = s->n };
	store_id_make(p->r.id);
	if (of)
		memcpy(p->r.id, of->id, STORE_ID_SIZE);
	for (unsigned i = 0; i < s->n; i++)
		p->l[i].amount = of ? of->amount[i] : amount_make(&p->l[i]);
	waited_init(&redis, &p->redis);
	waited_init(&memory, &p->memory);
	return p;
}

static void pair_ask(struct pair *p)
{
	int64_t real[STORE_LIMITS_MAX];
	struct store *stores[] = { redis.store, memory.store };
	struct waited *calls[] = { &p->redis, &p->memory };
	for (unsigned i = 0; i < p->r.n; i++)
		real[i] = amount_make(&p->l[i]);
	for (unsigned i = 0; i < 2; i++) {
		struct store_call *c = &calls[i]->call;
		switch (p->kind) {
		case RESERVE: store_reserve(stores[i], c, &p->r, &calls[i]->answer); break;
		case PEEK:    store_peek(stores[i], c, &p->r, &calls[i]->answer); break;
		case RENEW:   store_renew(stores[i], c, &p->r); break;
		default:      store_settle(stores[i], c, &p->r, real, p->kind == COUNT); break;
		}
	}
}

/* One that was granted is left to be settled, or one that was refused: who settles that is told so. */
static void keep(struct shape *s, const struct pair *p)
{
	struct kept *k = &s->kept[s->n_kept < KEPT ? s->n_kept++ : dice(KEPT)];
	memcpy(k->id, p->r.id, STORE_ID_SIZE);
	for (unsigned i = 0; i < s->n; i++)
		k->amount[i] = p->l[i].amount;
}

static void settle_some(struct shape *s, enum asked kind, unsigned most)
{
	for (unsigned n = dice(most + 1); n > 0 && s->n_kept > 0; n--) {
		unsigned i = dice(s->n_kept);
		pair_ask(pair_new(s, kind, &s->kept[i]));
		if (dice(8))	/* else it is settled once more, perhaps in this turn */
			s->kept[i] = s->kept[--s->n_kept];
	}
}

static void part_ask(struct shape *s)
{
	static const unsigned crowds[] = { 0, 1, 4, 16, AT_ONCE };
	settle_some(s, SETTLE, 16);
	for (unsigned n = dice(crowds[dice(array_len(crowds))] + 1); n > 0; n--) {
		struct pair *p = pair_new(s, RESERVE, NULL);
		pair_ask(p);
		p->left = !s->requests && dice(9) == 0;
		if (p->left)
			store_cancel(redis.store, &p->redis.call);
	}
	if (dice(6) == 0)
		settle_some(s, dice(2) ? COUNT : RENEW, 2);
	if (dice(6) == 0)
		pair_ask(pair_new(s, PEEK, NULL));
	if (dice(20) == 0)
		pair_ask(pair_new(s, COUNT, NULL));
}

/* --- answers --- */

static void same_usage(const struct pair *p)
{
	const struct store_answer *a = &p->redis.answer, *b = &p->memory.answer;
	int64_t apart = a->retry_us - b->retry_us;
	assert_int_equal(a->refused_by, p->memory.call.result == STORE_REFUSED ? b->refused_by : 0);
	assert_true(a->retry_us == b->retry_us || (apart > -CLIENT_PATIENCE_S * SECOND_US && apart < CLIENT_PATIENCE_S * SECOND_US));
	for (unsigned i = 0; i < p->r.n; i++)
		if (a->used[i].spent != b->used[i].spent || a->used[i].reserved != b->used[i].reserved)
			fail_msg("%s, call %zu, limit %u of %u, kind %d, result %d: %lld spent, %lld reserved; memory: %lld, %lld", p->shape->scope,
				 (size_t)(p - pairs), i, p->r.n, (int)p->l[i].kind, (int)p->memory.call.result, (long long)a->used[i].spent,
				 (long long)a->used[i].reserved, (long long)b->used[i].spent, (long long)b->used[i].reserved);
}

/* Who left was granted or not: what it got is given back. */
static void give_back(const struct pair *p)
{
	static const int64_t nothing[STORE_LIMITS_MAX];
	assert_int_equal(p->redis.times, 0);
	if (p->memory.call.result == STORE_OK)
		store_settle(memory.store, NULL, &p->r, nothing, false);
}

static void compare(struct pair *p)
{
	enum store_result expected = p->memory.call.result;
	assert_int_equal(p->memory.times, 1);
	if (p->left) {
		give_back(p);
		return;
	}
	assert_int_equal(wait_for(&p->redis), expected);
	if (p->kind == RESERVE || p->kind == PEEK)
		same_usage(p);
	if (p->kind == RESERVE)
		keep(p->shape, p);
	granted += p->kind == RESERVE && expected == STORE_OK;
	refused += p->kind == RESERVE && expected == STORE_REFUSED;
	settled += p->kind == SETTLE && expected == STORE_OK;
}

/* Twice, as what is given back to Redis leaves when it has answered: behind the first. */
static void compare_records(struct shape *s)
{
	for (unsigned twice = 0; twice < 2; twice++) {
		struct pair *p = pair_new(s, PEEK, NULL);
		for (unsigned i = 0; i < s->n; i++)
			p->l[i].amount = 0;
		pair_ask(p);
		wait_for(&p->redis);
		if (twice)
			compare(p);
		n_pairs--;
	}
}

static void turn_take(void)
{
	n_pairs = 0;
	for (unsigned first = dice(SHAPES), parts = 1 + dice(PARTS); parts > 0; parts--)
		part_ask(&shapes[(first + parts) % SHAPES]);
	unsigned asked = n_pairs;
	for (unsigned i = 0; i < asked; i++)
		compare(&pairs[i]);
	bool left = false;
	for (unsigned i = 0; i < asked; i++)
		left |= pairs[i].left;
	for (unsigned i = 0; i < SHAPES && left; i++)
		compare_records(&shapes[i]);
}

/* A new day, or a limit that was changed; else other limits altogether. */
static void shapes_change(void)
{
	struct shape *s = &shapes[dice(SHAPES)];
	if (s->n == 0 || dice(3) == 0) {
		shape_make(s);
		return;
	}
	struct store_limit *l = &s->l[dice(s->n)];
	if (l->kind == STORE_BUDGET && l->period_end && l->period_start < now_us() / SECOND_US) {
		l->period_start += 86400;
		l->period_end += 86400;
	} else {
		l->limit = 10 + dice(2000);
	}
}

static void each_call_is_answered_as_by_memory(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SHAPES; i++)
		shape_make(&shapes[i]);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		turn_take();
		if (turn % 5 == 0)
			shapes_change();
	}
	assert_true(granted > TURNS && refused > TURNS && settled > TURNS / 2);
}

static int begin(void **state)
{
	char url[200];
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	redis_server_open(&server);
	snprintf(url, sizeof(url), "redis+unix://%s", server.path);
	client_open(&redis, &(struct store_options){ .url = str_c(url), .ttl_ms = 3600000, .command_ms = 10000 });
	client_open(&memory, &(struct store_options){ .url = STR("memory"), .ttl_ms = 3600000, .clock = now_us });
	wait_until_up(&redis);
	/* The scripts are there from now on: one that is not goes twice, behind what was asked later. */
	struct store_limit l = budget_of("usd", 1, 1);
	struct store_reservation r = reservation_of(STR("first"), &l, 1);
	assert_int_equal(ask_settle(&redis, &r, (int64_t[]){ 0 }, false), STORE_MISSING);
	assert_int_equal(ask_renew(&redis, &r), STORE_MISSING);
	return 0;
}

static int end(void **state)
{
	(void)state;
	client_close(&redis);
	client_close(&memory);
	redis_server_close(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_call_is_answered_as_by_memory) };
	return cmocka_run_group_tests_name("store: redis against memory", tests, begin, end);
}
