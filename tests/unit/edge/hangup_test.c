/*
 * hangup_test.c: a caller who leaves is noticed in every phase, and never in the midst of a call
 * that the service itself made.
 */
#include "edge_suite.h"

enum leaving { BY_FIN, BY_HALF_CLOSE, BY_RESET, WAYS };

static void leave(struct peer *p, enum leaving how)
{
	if (how == BY_HALF_CLOSE)
		shutdown(p->io.fd, SHUT_WR);
	else if (how == BY_RESET)
		reset(p);
	else
		hang_up(p);
}

static void gone(struct fixture *f, struct peer *p, enum leaving how, unsigned hangups)
{
	leave(p, how);
	until(f, listener_connections(f->listener) == 0);
	assert_int_equal(f->hangups, hangups);
	if (how == BY_HALF_CLOSE)
		hang_up(p);
	fixture_close(f);
}

static void before_a_request(void **state)
{
	(void)state;
	for (enum leaving how = 0; how < WAYS; how++) {
		struct fixture *f = fixture_open();
		struct peer *p = dial(f);
		until(f, listener_connections(f->listener) == 1);
		gone(f, p, how, 0);
	}
}

static void within_a_head(void **state)
{
	(void)state;
	for (enum leaving how = 0; how < WAYS; how++) {
		struct fixture *f = fixture_open();
		struct peer *p = dial(f);
		say_c(f, p, "GET /");
		settle(f);
		gone(f, p, how, 0);
	}
}

static void within_a_body(void **state)
{
	(void)state;
	for (enum leaving how = 0; how < WAYS; how++) {
		struct fixture *f = fixture_open();
		struct peer *p = dial(f);
		say_c(f, p, POST("/upload", "Content-Length: 10\r\n") "hello");
		until(f, f->now && f->now->body_bytes == 5);
		gone(f, p, how, 1);
	}
}

static void while_waiting(void **state)
{
	(void)state;
	for (enum leaving how = 0; how < WAYS; how++) {
		struct fixture *f = fixture_open();
		struct peer *p = dial(f);
		say_c(f, p, GET("/park"));
		until(f, f->now != NULL);
		gone(f, p, how, 1);
	}
}

static void begin_stream(struct served *s)
{
	struct answer_head h = { .status = 200, .content_type = STR("text/event-stream"), .length = ANSWER_CHUNKED,
				 .event_stream = true };
	struct str event = STR("data: x\n\n");
	assert_true(client_begin(s->t.client, &h));
	client_write(s->t.client, &event, 1);
	client_flush(s->t.client);
}

static void within_a_stream(void **state)
{
	(void)state;
	for (enum leaving how = 0; how < WAYS; how++) {
		struct fixture *f = fixture_open();
		struct peer *p = dial(f);
		say_c(f, p, GET("/park"));
		until(f, f->now != NULL);
		begin_stream(f->now);
		hear(f, p, "data: x");
		gone(f, p, how, 1);
	}
}

/* So much came behind the request that reading stopped. */
static void while_reading_is_paused(void **state)
{
	char *much = malloc(1 << 20);
	(void)state;
	memset(much, 'x', 1 << 20);
	for (enum leaving how = 0; how < WAYS; how++) {
		struct fixture *f = fixture_open();
		struct peer *p = dial(f);
		say_c(f, p, GET("/park"));
		until(f, f->now != NULL);
		for (int i = 0; i < 4; i++) {
			ssize_t n = send(p->io.fd, much, 60000, MSG_DONTWAIT);
			(void)n;
			settle(f);
		}
		assert_int_equal(f->hangups, 0);
		gone(f, p, how, 1);
	}
	free(much);
}

/* Nothing to read, nothing taken: the caller neither reads nor stops sending. */
static void while_both_ways_are_full(void **state)
{
	char *much = calloc(1, 1 << 20);
	(void)state;
	for (enum leaving how = 0; how < WAYS; how++) {
		struct fixture *f = fixture_open();
		struct peer *p = dial_small(f, 4096);
		say_c(f, p, GET("/park"));
		until(f, f->now != NULL);
		begin_stream(f->now);
		struct str part = str_of(much, 1 << 20);
		for (int i = 0; i < 8; i++) {
			client_write(f->now->t.client, &part, 1);
			client_flush(f->now->t.client);
			/* Not more than is taken: a FIN does not overtake bytes. */
			ssize_t n = i < 2 ? send(p->io.fd, much, 60000, MSG_DONTWAIT) : 0;
			(void)n;
			settle(f);
		}
		assert_true(client_queued(f->now->t.client) > 0);
		assert_int_equal(f->hangups, 0);
		gone(f, p, how, 1);
	}
	free(much);
}

/* The service learns of it after its call, not from within. */
static void found_by_a_write(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	struct str part = STR("data: x\n\n");
	(void)state;
	say_c(f, p, GET("/park"));
	until(f, f->now != NULL);
	begin_stream(f->now);
	hear(f, p, "data: x");
	reset(p);
	struct client *c = f->now->t.client;
	for (int i = 0; i < 500; i++)
		client_write(c, &part, 1);
	client_flush(c);
	assert_int_equal(f->hangups, 0);
	assert_ptr_equal(f->now->t.client, c);
	client_flush(c);
	until(f, listener_connections(f->listener) == 0);
	assert_int_equal(f->hangups, 1);
	fixture_close(f);
}

/* After end() nobody is told. */
static void found_by_the_end(void **state)
{
	struct fixture *f = fixture_open();
	struct peer *p = dial(f);
	(void)state;
	say_c(f, p, GET("/park"));
	until(f, f->now != NULL);
	begin_stream(f->now);
	hear(f, p, "data: x");
	reset(p);
	client_end(f->now->t.client);
	served_over(f->now);
	until(f, listener_connections(f->listener) == 0);
	assert_int_equal(f->hangups, 0);
	fixture_close(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_a_request), cmocka_unit_test(within_a_head), cmocka_unit_test(within_a_body),
		cmocka_unit_test(while_waiting), cmocka_unit_test(within_a_stream), cmocka_unit_test(while_reading_is_paused),
		cmocka_unit_test(while_both_ways_are_full), cmocka_unit_test(found_by_a_write),
		cmocka_unit_test(found_by_the_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
