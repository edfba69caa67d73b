/*
 * body_test.c: bodies of requests: lengths and chunks, pauses, limits, what is told before one is sent.
 */
#include "edge_suite.h"

static void expectation_met_when_read(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, POST("/park", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
	until(f, f->now != NULL);
	settle(f);
	assert_not_got(p, "100 Continue");
	f->now->collect = true;
	served_read_body(f->now);
	hear(f, p, "HTTP/1.1 100 Continue\r\n\r\n");
	say_c(f, p, "hello");
	hear(f, p, "\r\n\r\n5");
	assert_true(hear_once(p));
	hang_up(p);
	fixture_close(f);
}

/* An answer without reading: no 100, and the connection ends since a body may or may not come. */
static void expectation_not_met(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, POST("/early", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
	hear_close(f, p);
	assert_not_got(p, "100 Continue");
	assert_got(p, "401");
	assert_got(p, "connection: close");
	hang_up(p);
	fixture_close(f);
}

/* The caller is gone before its 100 could be sent. */
static void expectation_of_one_gone(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	struct str head = STR(POST("/echo", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
	(void)state;
	settle(f);
	f->settings.body_us = 20 * MS_US;
	assert_int_equal(send(p->io.fd, head.p, head.n, 0), head.n);
	reset(p);
	until(f, listener_connections(f->listener) == 0);
	usleep(30000);		/* a timer left behind would fire now */
	settle(f);
	fixture_close(f);
}

/* Read when a stage has come round to it: what lay there since is delivered. */
static void wanted_late(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, POST("/park", "Content-Length: 5\r\n") "hello" GET("/hello"));
	until(f, f->now != NULL);
	settle(f);
	f->now->collect = true;
	served_read_body(f->now);
	hear(f, p, "\r\n\r\n5");
	hear(f, p, "\r\n\r\nhello");
	hang_up(p);
	fixture_close(f);
}

static void wanted_late_and_large(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	char *body = calloc(1, 1 << 20);
	(void)state;
	say_c(f, p, POST("/park", "Content-Length: 1048576\r\n"));
	until(f, f->now != NULL);
	struct str left = str_of(body, 1 << 20);
	for (int i = 0; i < 200; i++) {
		ssize_t n = send(p->io.fd, left.p, left.n, MSG_DONTWAIT);
		left = str_skip(left, n > 0 ? (size_t)n : 0);
		pump(f);
	}
	f->now->collect = true;
	served_read_body(f->now);
	say(f, p, left);
	hear(f, p, "\r\n\r\n1048576");
	free(body);
	hang_up(p);
	fixture_close(f);
}

static void paused(bool chunked)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	say_c(f, p, chunked ? POST("/park", "Transfer-Encoding: chunked\r\n") : POST("/park", "Content-Length: 10\r\n"));
	until(f, f->now != NULL);
	struct served *s = f->now;
	s->take_no_more = s->collect = true;
	served_read_body(s);
	say_c(f, p, chunked ? "5\r\nhello\r\n" : "hello");
	until(f, s->body_bytes == 5);
	say_c(f, p, chunked ? "5\r\nworld\r\n0\r\n\r\n" : "world");
	say_c(f, p, GET("/hello"));
	settle(f);
	assert_int_equal(s->body_bytes, 5);
	s->take_no_more = false;
	client_more_body(s->t.client);
	hear(f, p, "\r\n\r\n10");
	hear(f, p, "\r\n\r\nhello");
	hang_up(p);
	fixture_close(f);
}

static void paused_by_length(void **state)
{
	(void)state;
	paused(false);
}

static void paused_in_chunks(void **state)
{
	(void)state;
	paused(true);
}

/* A reader may say "enough" to the last piece and ask for more later: the request goes on. */
static void more_after_the_end(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	f->settings.body_us = 20 * MS_US;
	say_c(f, p, POST("/park", "Content-Length: 5\r\n"));
	until(f, f->now != NULL);
	f->now->take_no_more = true;
	served_read_body(f->now);
	say_c(f, p, "hello");
	until(f, f->now->body_complete);
	client_more_body(f->now->t.client);
	usleep(30000);
	settle(f);
	assert_int_equal(f->hangups, 0);
	answer(f->now, 200, STR("fine"), false);
	served_over(f->now);
	hear(f, p, "fine");
	hang_up(p);
	fixture_close(f);
}

static void large_into_place(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	char *body = malloc(3 << 20);
	(void)state;
	for (int i = 0; i < 3 << 20; i++)
		body[i] = (char)(i * 7 >> 3);
	f->use_space = true;
	say_c(f, p, POST("/upload", "Content-Length: 3145728\r\n"));
	until(f, f->now != NULL);
	say(f, p, str_of(body, 3 << 20));
	until(f, f->now->body_complete);
	assert_int_equal(f->now->body_bytes, 3 << 20);
	assert_true(f->direct_reads > 0);
	assert_memory_equal(f->now->body.p, body, f->now->body.n);
	answer(f->now, 200, STR("fine"), false);
	served_over(f->now);
	hear(f, p, "fine");
	free(body);
	hang_up(p);
	fixture_close(f);
}

/* --- limits --- */

static void too_large_by_length(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	f->reader_max = 1000;
	say_c(f, p, POST("/echo", "Content-Length: 1099511627776\r\nExpect: 100-continue\r\n"));
	hear_close(f, p);
	assert_int_equal(f->failed_kind, ERR_TOO_LARGE);
	assert_got(p, "413");
	assert_not_got(p, "100 Continue");
	hang_up(p);
	fixture_close(f);
}

static void too_large_by_chunks(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	f->reader_max = 10;
	say_c(f, p, POST("/echo", "Transfer-Encoding: chunked\r\n") "6\r\n123456\r\n5\r\n12345\r\n");
	hear_close(f, p);
	assert_int_equal(f->failed_kind, ERR_TOO_LARGE);
	assert_got(p, "413");
	assert_false(p->reset);
	hang_up(p);
	fixture_close(f);
}

/* The answer is not lost although the caller goes on sending for a while. */
static void answer_before_the_body(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	char *body = calloc(1, 40000);
	(void)state;
	say_c(f, p, POST("/early", "Content-Length: 1000000\r\n"));
	hear(f, p, "401");
	say(f, p, str_of(body, 40000));
	settle(f);
	hear_close(f, p);
	assert_false(p->reset);
	assert_got(p, "\r\n\r\nno");
	hang_up(p);
	until(f, listener_connections(f->listener) == 0);
	free(body);
	fixture_close(f);
}

/* The same when so much had come before the answer that reading had stopped. */
static void late_answer_without_the_body(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	char *body = calloc(1, 100000);
	(void)state;
	say_c(f, p, POST("/park", "Content-Length: 1000000\r\n"));
	until(f, f->now != NULL);
	say(f, p, str_of(body, 100000));
	settle(f);
	say(f, p, str_of(body, 30000));
	settle(f);
	answer(f->now, 401, STR("no"), true);
	served_over(f->now);
	hear_close(f, p);
	assert_false(p->reset);
	assert_got(p, "\r\n\r\nno");
	hang_up(p);
	until(f, listener_connections(f->listener) == 0);
	free(body);
	fixture_close(f);
}

static void memory_of_all(bool chunked)
{
	struct fixture *f = fixture_open();
	struct peer *a = dial(f), *b = dial(f);
	char *body = calloc(1, 100000);
	f->settings.max_body_memory = 150000;
	say_c(f, a, POST("/upload", "Content-Length: 100001\r\n"));
	say(f, a, str_of(body, 100000));
	until(f, f->now && f->now->body_bytes == 100000);
	if (chunked)
		say_c(f, b, POST("/upload", "Transfer-Encoding: chunked\r\n") "186a0\r\n");
	else
		say_c(f, b, POST("/upload", "Content-Length: 100000\r\n"));
	say(f, b, str_of(body, 100000));
	hear(f, b, "503");
	assert_int_equal(f->failed_kind, ERR_MEMORY);
	hang_up(b);
	hang_up(a);
	until(f, listener_connections(f->listener) == 0);
	assert_true(limits_memory(150000, 150000));	/* all of it went back */
	limits_memory_back(150000);
	free(body);
	fixture_close(f);
}

static void memory_by_length(void **state)
{
	(void)state;
	memory_of_all(false);
}

static void memory_by_chunks(void **state)
{
	(void)state;
	memory_of_all(true);
}

/* What is announced only takes nobody's room. */
static void memory_is_not_taken_by_announcements(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *a = dial(f), *b = dial(f);
	(void)state;
	f->settings.max_body_memory = 1 << 20;
	say_c(f, a, POST("/upload", "Content-Length: 1000000\r\n"));
	until(f, f->now != NULL);
	say_c(f, b, POST("/echo", "Content-Length: 100000\r\n"));
	char *body = calloc(1, 100000);
	say(f, b, str_of(body, 100000));
	hear(f, b, "\r\n\r\n100000");
	free(body);
	hang_up(a);
	hang_up(b);
	fixture_close(f);
}

static void bad_chunks(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, POST("/echo", "Transfer-Encoding: chunked\r\n") "5\r\nhelloX");
	hear_close(f, p);
	assert_int_equal(f->failed_kind, ERR_BAD_REQUEST);
	assert_got(p, "400");
	hang_up(p);
	fixture_close(f);
}

static void slow_body(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	f->settings.body_us = 30 * MS_US;
	say_c(f, p, POST("/echo", "Content-Length: 10\r\n") "hello");
	hear_close(f, p);
	assert_int_equal(f->failed_kind, ERR_SLOW_REQUEST);
	assert_got(p, "408");
	hang_up(p);
	fixture_close(f);
}

/* While the reader itself holds the body up, its slowness is not the caller's. */
static void a_pause_is_not_slow(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	f->settings.body_us = 30 * MS_US;
	say_c(f, p, POST("/park", "Content-Length: 10\r\n"));
	until(f, f->now != NULL);
	f->now->take_no_more = true;
	served_read_body(f->now);
	say_c(f, p, "hello");
	until(f, f->now->body_bytes == 5);
	usleep(50000);
	settle(f);
	assert_int_equal(f->failures + f->hangups, 0);
	hang_up(p);
	fixture_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expectation_met_when_read), cmocka_unit_test(expectation_not_met),
		cmocka_unit_test(expectation_of_one_gone), cmocka_unit_test(wanted_late),
		cmocka_unit_test(wanted_late_and_large), cmocka_unit_test(paused_by_length), cmocka_unit_test(paused_in_chunks),
		cmocka_unit_test(more_after_the_end), cmocka_unit_test(large_into_place),
		cmocka_unit_test(too_large_by_length), cmocka_unit_test(too_large_by_chunks),
		cmocka_unit_test(answer_before_the_body), cmocka_unit_test(late_answer_without_the_body),
		cmocka_unit_test(memory_by_length), cmocka_unit_test(memory_by_chunks),
		cmocka_unit_test(memory_is_not_taken_by_announcements), cmocka_unit_test(bad_chunks),
		cmocka_unit_test(slow_body), cmocka_unit_test(a_pause_is_not_slow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
