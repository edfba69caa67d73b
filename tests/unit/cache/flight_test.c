/*
 * flight_test.c: what is recorded is read by others from where they are, in whole events, until the flight ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "cache/entry.h"
#include "cache/flight.h"

static struct loop loop;
static int woken, hung_up;

static void on_hangup(struct txn *t)
{
	hung_up++;
	t->ops = NULL;
}

static const struct txn_ops ops = { .hangup = on_hangup };

static void on_wake(struct flight_watch *w)
{
	(void)w;
	woken++;
	loop_stop(&loop);
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(&loop);
}

/* Until all letters that are under way were read. */
static void settle(void)
{
	loop_post(&loop, stop, NULL);
	loop_run(&loop);
}

static struct txn leader(void)
{
	return (struct txn){ .loop = &loop, .ops = &ops, .answer = { .status = 200, .event_stream = true, .content_type = STR("text/event-stream") } };
}

static struct flight *join(const char *key, struct txn *t, size_t most, bool leads)
{
	bool first;
	struct flight *f = flight_join(str_c(key), t, most, &first);
	assert_int_equal(first, leads);
	return f;
}

static void add_events(struct flight *f, unsigned n, size_t size)
{
	struct buf event = BUF_INIT(1 << 20);
	size_t at;
	for (unsigned i = 0; i < n; i++) {
		buf_clear(&event);
		buf_addf(&event, "data: %0*u\n\n", (int)size, i);
		assert_true(flight_add(f, buf_str(&event), false, &at));
	}
	buf_free(&event);
}

static void events_are_read_whole(void **state)
{
	struct txn t = leader();
	struct flight *f = join("a", &t, 1 << 20, true);
	struct buf piece = BUF_INIT(1 << 20);
	struct flight_view v;
	size_t at = 0, all = 100 * (3000 + 8);
	(void)state;
	flight_begin(f, &t.answer, STR_NONE);
	add_events(f, 100, 3000);
	while (at < all) {
		buf_clear(&piece);
		flight_read(f, at, &piece, &v);
		assert_true(piece.n > 0 && piece.n <= 96 * 1024 && piece.n % 3008 == 0);
		at += piece.n;
	}
	buf_clear(&piece);
	flight_read(f, at, &piece, &v);
	assert_true(piece.n == 0 && v.state == FLIGHT_OPEN && v.head && v.event_stream && str_eq(v.type, STR("text/event-stream")));
	flight_whole(f, &(struct usage){ .known = true, .output = 3 }, 7);
	flight_read(f, at, &piece, &v);
	assert_true(v.state == FLIGHT_WHOLE && v.cost == 7 && v.usage.output == 3);
	assert_true(entry_body(flight_entry(f)).n == all);
	flight_leave(f, NULL, STR_NONE, STR_NONE, 0);
	buf_free(&piece);
}

static void who_watches_is_woken_and_the_last_one_tells_the_leader(void **state)
{
	struct txn t = leader(), other = leader();
	struct flight *f = join("b", &t, 100, true);
	struct flight_watch one = { .wake = on_wake }, two = { .wake = on_wake };
	(void)state;
	flight_watch(join("b", &other, 100, false), &one, &loop);
	flight_watch(join("b", &other, 100, false), &two, &loop);
	flight_begin(f, &t.answer, STR_NONE);
	woken = 0;
	loop_run(&loop);
	assert_int_equal(woken, 2);
	add_events(f, 10, 50);		/* more than is kept, for their sake */
	assert_null(flight_entry(f));
	flight_unwatch(&one);
	settle();
	assert_true(flight_is_watched(f) && hung_up == 0);
	flight_unwatch(&two);
	settle();
	assert_true(!flight_is_watched(f) && hung_up == 1);	/* its own caller is gone, too: t.client is NULL */
	flight_fail(f, FLIGHT_AGAIN, &(struct error){ .kind = ERR_CALLER_GONE });
	flight_leave(f, NULL, STR_NONE, STR_NONE, 0);
}

static void nobody_joins_what_failed_or_was_forgotten(void **state)
{
	struct txn t = leader(), other = leader();
	struct flight *f = join("c", &t, 100, true), *g;
	struct flight_watch w = { .wake = on_wake };
	struct flight_view v;
	struct buf piece = BUF_INIT(100);
	size_t at;
	(void)state;
	flight_watch(join("c", &other, 100, false), &w, &loop);
	char text[] = "it broke";
	flight_fail(f, FLIGHT_FAILED, &(struct error){ .kind = ERR_UPSTREAM_BROKEN, .message = str_c(text), .code = STR("odd"), .retry_after_s = 3 });
	memset(text, 'x', sizeof(text) - 1);
	flight_leave(f, NULL, STR_NONE, STR_NONE, 0);
	flight_read(f, 0, &piece, &v);
	assert_true(v.state == FLIGHT_FAILED && str_eq(v.error->message, STR("it broke")) && str_eq(v.error->code, STR("odd")));
	g = join("c", &other, 100, true);
	flight_unwatch(&w);
	settle();
	flight_begin(g, &t.answer, STR_NONE);
	assert_false(flight_add(g, str_of("0123456789012345678901234567890123456789012345678901234567890123456789"
					  "0123456789012345678901234567890123456789", 110), false, &at));
	f = join("c", &t, 100, true);	/* too large, and nobody there: forgotten */
	flight_leave(f, NULL, STR_NONE, STR_NONE, 0);
	flight_leave(g, NULL, STR_NONE, STR_NONE, 0);
}

static void what_the_leaders_caller_is_owed_is_not_forgotten(void **state)
{
	struct txn t = leader();
	struct flight *f = join("", &t, 30, true);
	struct buf piece = BUF_INIT(100);
	struct flight_view v;
	size_t at;
	(void)state;
	flight_begin(f, &t.answer, STR_NONE);
	assert_true(flight_add(f, STR("data: 1\n\n"), false, &at) && at == 0);
	assert_true(flight_add(f, STR("data: 22222222222\n\n"), true, &at) && at == 9);
	size_t none;
	assert_false(flight_add(f, STR("data: 3\n\n"), true, &none));	/* it waits, and loses nothing */
	flight_read(f, at, &piece, &v);
	assert_true(str_eq(buf_str(&piece), STR("data: 22222222222\n\n")));
	flight_leave(f, NULL, STR_NONE, STR_NONE, 0);
	buf_free(&piece);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_read_whole),
		cmocka_unit_test(who_watches_is_woken_and_the_last_one_tells_the_leader),
		cmocka_unit_test(nobody_joins_what_failed_or_was_forgotten),
		cmocka_unit_test(what_the_leaders_caller_is_owed_is_not_forgotten),
	};
	if (!loop_open(&loop))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_close(&loop);
	return failed;
}
