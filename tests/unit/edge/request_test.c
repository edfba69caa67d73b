/*
 * request_test.c: requests as they arrive: whole, in pieces, many at once, slowly, badly.
 */
#include "edge_suite.h"

static void kept_alive(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	for (unsigned i = 1; i <= 5; i++) {
		say_c(f, p, GET("/hello"));
		until(f, got_times(p, "hello") == i);
	}
	assert_int_equal(f->started, 5);
	assert_int_equal(listener_connections(f->listener), 1);
	hang_up(p);
	until(f, listener_connections(f->listener) == 0);
	assert_int_equal(f->hangups, 0);
	fixture_close(f);
}

static void closed_when_asked(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	hear_close(f, p);
	assert_got(p, "connection: close\r\n");
	assert_got(p, "hello");
	assert_false(p->reset);
	hang_up(p);
	fixture_close(f);
}

static void so_many_a_connection(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	f->settings.keep_alive_requests = 3;
	for (int i = 0; i < 4; i++)
		say_c(f, p, GET("/hello"));
	hear_close(f, p);
	assert_int_equal(got_times(p, "hello"), 3);
	assert_int_equal(got_times(p, "connection: close"), 1);
	hang_up(p);
	fixture_close(f);
}

static void old_clients(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, "GET /hello HTTP/1.0\r\n\r\n");
	hear_close(f, p);
	assert_got(p, "hello");
	hang_up(p);
	p = dial(f);
	say_c(f, p, "GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	hear(f, p, "hello");
	assert_got(p, "connection: keep-alive");
	assert_true(hear_once(p));
	hang_up(p);
	fixture_close(f);
}

/* Each request's body is its number; the answers tell it back as a length. */
static void five_hundred_pipelined(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	struct buf all = BUF_INIT(1 << 24);
	(void)state;
	for (int i = 1; i <= 500; i++) {
		buf_addf(&all, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%0*d", i, i, 0);
	}
	say(f, p, buf_str(&all));
	until(f, got_times(p, "HTTP/1.1 200 OK") == 500);
	struct str rest = buf_str(&p->got);
	for (int i = 1; i <= 500; i++) {
		ptrdiff_t at = str_find(rest, STR("\r\n\r\n"));
		char text[16];
		int n = snprintf(text, sizeof(text), "%d", i);
		rest = str_skip(rest, (size_t)at + 4);
		assert_true(str_starts(rest, str_of(text, (size_t)n)));
	}
	buf_free(&all);
	hang_up(p);
	fixture_close(f);
}

/* The next one is begun only when the one before has ended. */
static void pipelined_behind_a_parked_one(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, GET("/park") GET("/hello") GET("/hello"));
	settle(f);
	assert_int_equal(f->started, 1);
	answer(f->now, 200, STR("parked"), false);
	served_over(f->now);
	until(f, got_times(p, "hello") == 2);
	assert_true(str_find(buf_str(&p->got), STR("parked")) < str_find(buf_str(&p->got), STR("hello")));
	hang_up(p);
	fixture_close(f);
}

static void split_at_every_byte(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	struct str whole = STR("POST /echo?q=1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
			       "5\r\nhello\r\n3;a=b\r\nabc\r\n0\r\nx: y\r\n\r\n");
	(void)state;
	for (size_t i = 1; i < whole.n; i++) {
		p->got.n = 0;
		say(f, p, str_head(whole, i));
		settle(f);
		say(f, p, str_skip(whole, i));
		hear(f, p, "\r\n\r\n8");
	}
	p->got.n = 0;
	for (size_t i = 0; i < whole.n; i++) {
		say(f, p, str_of(whole.p + i, 1));
		pump(f);
	}
	hear(f, p, "\r\n\r\n8");
	assert_int_equal(f->started, whole.n);
	assert_int_equal(f->refusals, 0);
	hang_up(p);
	fixture_close(f);
}

static void refused(const char *head, int status)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	say_c(f, p, head);
	say_c(f, p, GET("/hello"));
	hear_close(f, p);
	assert_int_equal(f->refusals, 1);
	assert_int_equal(f->refused_status, status);
	assert_int_equal(f->started, 0);
	assert_got(p, "connection: close");
	assert_int_equal(got_times(p, "HTTP/1.1"), 1);
	assert_false(p->reset);
	hang_up(p);
	fixture_close(f);
}

static void bad_heads(void **state)
{
	(void)state;
	refused("GET / HTTP/1.1\r\n\r\n", 400);
	refused("nonsense\r\n\r\n", 400);
	refused("GET / HTTP/2.0\r\n", 505);
	refused(POST("/", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"), 400);
	refused(POST("/", "Content-Length: 5\r\nExpect: the-unexpected\r\n"), 417);
}

static void head_too_large(void **state)
{
	struct buf head = BUF_INIT(1 << 20);
	(void)state;
	buf_addf(&head, "GET /%0*d HTTP/1.1\r\nHost: x\r\n\r\n%c", 9000, 0, 0);
	refused(head.p, 414);
	buf_clear(&head);
	buf_addf(&head, "GET / HTTP/1.1\r\nHost: x\r\nX: %0*d\r\n\r\n%c", 20000, 0, 0);
	refused(head.p, 431);
	buf_free(&head);
}

/* --- deadlines: short ones, and only their outcome is looked at --- */

static void slow_head(void **state)
{
	struct fixture *f = fixture_open();
	f->settings.header_us = 30 * MS_US;
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, "GET /hel");
	hear_close(f, p);
	assert_int_equal(f->refused_status, 408);
	assert_int_equal(f->failed_kind, ERR_SLOW_REQUEST);
	assert_got(p, "408");
	hang_up(p);
	fixture_close(f);
}

/* The deadline is the head's, not the byte's. */
static void head_by_drops(void **state)
{
	struct fixture *f = fixture_open();
	f->settings.header_us = 50 * MS_US;
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, "GET /hello HTTP/1.1\r\nHost: x\r\n");
	int64_t end = clock_us() + PATIENCE_S * SECOND_US;
	while (hear_once(p) && clock_us() < end) {
		say_c(f, p, "x: y\r\n");
		usleep(2000);
	}
	assert_true(p->closed);
	assert_true(f->refused_status == 408 || f->refused_status == 431);
	hang_up(p);
	fixture_close(f);
}

static void silent_and_idle(void **state)
{
	struct fixture *f = fixture_open();
	f->settings.header_us = f->settings.keep_alive_us = 30 * MS_US;
	struct peer *silent = dial(f), *idle = dial(f);
	(void)state;
	say_c(f, idle, GET("/hello"));
	hear_close(f, silent);
	hear_close(f, idle);
	assert_int_equal(silent->got.n, 0);
	assert_int_equal(f->refusals, 0);
	hang_up(silent);
	hang_up(idle);
	fixture_close(f);
}

/* --- endings --- */

static void draining(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *idle = dial(f), *busy = dial(f);
	(void)state;
	say_c(f, idle, GET("/hello"));
	hear(f, idle, "hello");
	say_c(f, busy, GET("/park"));
	until(f, f->now != NULL);
	listener_drain(f->listener);
	hear_close(f, idle);
	assert_true(hear_once(busy));
	answer(f->now, 200, STR("done"), false);
	served_over(f->now);
	hear_close(f, busy);
	assert_got(busy, "connection: close");
	assert_got(busy, "done");
	assert_int_equal(f->hangups, 0);
	hang_up(idle);
	hang_up(busy);
	until(f, listener_connections(f->listener) == 0);
	fixture_close(f);
}

static void closing_hangs_up(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, GET("/park"));
	until(f, f->now != NULL);
	listener_close(f->listener);
	assert_int_equal(f->hangups, 1);
	settle(f);
	hear_close(f, p);
	hang_up(p);
	f->listener = listener_open(&f->service, &f->socket);
	fixture_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kept_alive), cmocka_unit_test(closed_when_asked), cmocka_unit_test(so_many_a_connection),
		cmocka_unit_test(old_clients), cmocka_unit_test(five_hundred_pipelined),
		cmocka_unit_test(pipelined_behind_a_parked_one), cmocka_unit_test(split_at_every_byte),
		cmocka_unit_test(bad_heads), cmocka_unit_test(head_too_large), cmocka_unit_test(slow_head),
		cmocka_unit_test(head_by_drops), cmocka_unit_test(silent_and_idle), cmocka_unit_test(draining),
		cmocka_unit_test(closing_hangs_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
