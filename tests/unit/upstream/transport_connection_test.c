/*
 * transport_connection_test.c: the contract of upstream/transport.h: how connections are
 * made, kept, given up, and seen to close when an exchange is cancelled.
 */
#include "transport_suite.h"

/* --- connections --- */

static void keep_alive(void **state)
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_three_hellos);
	for (int i = 0; i < 3; i++) {
		client_ask(&f->client, HTTP_POST, "/", STR("{}"));
		assert_answer(&f->client, 200, STR("hello"));
		assert_int_equal(f->client.answer.connected, 1);
	}
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.connections, 1);
	assert_int_equal(f->provider.requests, 3);
	free(f);
}

/* Answers once, and closes the connection upon the second request, unread. */
static void script_stale(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, OK_HELLO);
	hear_head(p, &io);
	hang_up(&io);
	io = provider_accept(p);
	if (hear(p, &io))
		say(&io, OK_HELLO);
	hear_close(p, &io);
	hang_up(&io);
}

static void stale_connection_resends_once(void **state)
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_stale);
	for (int i = 0; i < 2; i++) {
		client_ask(&f->client, HTTP_POST, "/", STR("{\"a\":1}"));
		assert_answer(&f->client, 200, STR("hello"));
		assert_int_equal(f->client.answer.connected, 1);
	}
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.connections, 2);
	assert_int_equal(f->provider.requests, 3);
	assert_non_null(strstr(f->provider.request, "{\"a\":1}"));
	free(f);
}

static void script_stale_twice(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, OK_HELLO);
	for (int i = 0; i < 2; i++) {
		hear(p, &io);
		hang_up(&io);
		if (i == 0)
			io = provider_accept(p);
	}
}

static void stale_connection_resends_no_more(void **state)
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_stale_twice);
	client_get(&f->client);
	assert_answer(&f->client, 200, STR("hello"));
	client_get(&f->client);
	assert_failed(&f->client, TRANSPORT_RESET, false);
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.connections, 2);
	free(f);
}

static void script_surplus(struct provider_thread *p)
{
	for (int i = 0; i < 2; i++) {
		struct io io = provider_accept(p);
		if (hear(p, &io))
			say(&io, STR("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhelloHTTP/1.1 200 OK\r\n"));
		hear_close(p, &io);
		hang_up(&io);
	}
}

static void surplus_bytes_end_the_connection(void **state)
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_surplus);
	for (int i = 0; i < 2; i++) {
		client_get(&f->client);
		assert_answer(&f->client, 200, STR("hello"));
	}
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.connections, 2);
	free(f);
}

static void unix_socket(void **state)
{
	char folder[] = "/tmp/weir-transport-XXXXXX", path[64];
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/s", folder);
	client_open(&f->client, *state);
	provider_listen_unix(&f->provider, path);
	f->client.origin = (struct origin){ .host = STR("localhost"), .port = 80, .host_header = STR("localhost"),
					    .unix_path = str_c(path) };
	provider_run(&f->provider, script_three_hellos);
	for (int i = 0; i < 3; i++) {
		client_ask(&f->client, HTTP_POST, "/", STR("{}"));
		assert_answer(&f->client, 200, STR("hello"));
	}
	fixture_close(f);
	unlink(path);
	rmdir(folder);
}

static void refused_is_unprocessed(void **state)
{
	struct client c;
	struct provider_thread p = { 0 };
	provider_listen(&p);
	close(p.fd);
	client_open(&c, *state);
	client_origin(&c, "127.0.0.1", p.port);
	client_ask(&c, HTTP_POST, "/", STR("{}"));
	assert_failed(&c, TRANSPORT_CONNECT, true);
	assert_int_equal(c.answer.connected, 0);
	client_close(&c);
}

static void private_address_is_forbidden(void **state)
{
	struct client c;
	client_open(&c, *state);
	client_origin(&c, "127.0.0.1", 9);
	c.origin.allow_private = false;
	client_get(&c);
	assert_failed(&c, TRANSPORT_FORBIDDEN, true);
	client_close(&c);
}

static void unknown_name(void **state)
{
	struct client c;
	client_open(&c, *state);
	client_origin(&c, "no-such-host.invalid", 80);
	client_get(&c);
	assert_failed(&c, TRANSPORT_RESOLVE, true);
	client_close(&c);
}

static void name_is_resolved(void **state)
{
	struct fixture *f = fixture_open(state);
	f->provider.text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
	client_origin(&f->client, "localhost", f->provider.port);
	provider_run(&f->provider, script_text);
	client_get(&f->client);
	assert_answer(&f->client, 200, STR("ok"));
	fixture_close(f);
}

/* --- cancelling: the provider sees it --- */

static void cancel_and_check(struct fixture *f)
{
	f->client.transport->cancel(f->client.exchange);
	/* A turn of the loop for transports that let go of their descriptors there. */
	f->client.answer.timed_out = false;
	timer_in(&f->client.guard, 20 * MS_US);
	loop_run(&f->client.loop);
	provider_join(&f->provider);
	assert_true(f->provider.saw_close);
	assert_false(f->client.answer.ended || f->client.answer.failed);
	client_close(&f->client);
	free(f);
}

static void client_run_for(struct client *c, int64_t us)
{
	timer_in(&c->guard, us);
	loop_run(&c->loop);
	assert_true(c->answer.timed_out);
}

static void script_silent(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	hear_close(p, &io);
	hang_up(&io);
}

static void cancel_before_the_head(void **state)
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_silent);
	client_begin(&f->client, HTTP_POST, "/", STR("{}"));
	client_run_for(&f->client, 50 * MS_US);
	cancel_and_check(f);
}

static void cancel_in_the_body(void **state)
{
	struct fixture *f = fixture_open(state);
	f->provider.text = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
	provider_run(&f->provider, script_text);
	client_begin(&f->client, HTTP_POST, "/", STR("{}"));
	f->client.stop_at_body = true;
	client_run(&f->client);
	cancel_and_check(f);
}

static void cancel_while_paused(void **state)
{
	struct fixture *f = fixture_open(state);
	f->provider.text = "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello";
	provider_run(&f->provider, script_text);
	client_begin(&f->client, HTTP_POST, "/", STR("{}"));
	f->client.stop_at_body = f->client.holding = true;
	client_run(&f->client);
	cancel_and_check(f);
}

static void cancel_while_sending(void **state)
{
	static char body[32 << 20];
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_silent);
	client_begin(&f->client, HTTP_POST, "/", str_of(body, sizeof(body)));
	client_run_for(&f->client, MS_US);
	cancel_and_check(f);
}

/* A listener whose queue is full lets further connections wait. */
static void cancel_while_connecting(void **state)
{
	struct client c;
	struct provider_thread p = { 0 };
	int waiting[4];
	provider_listen(&p);
	listen(p.fd, 0);
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				  .sin_port = htons(p.port) };
	for (size_t i = 0; i < array_len(waiting); i++) {
		waiting[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		int r = connect(waiting[i], (struct sockaddr *)&in, sizeof(in));
		assert_true(r == 0 || errno == EINPROGRESS);
	}
	client_open(&c, *state);
	client_origin(&c, "127.0.0.1", p.port);
	client_begin(&c, HTTP_GET, "/", STR_NONE);
	client_run_for(&c, 20 * MS_US);
	assert_int_equal(c.answer.connected, 0);
	c.transport->cancel(c.exchange);
	client_begin(&c, HTTP_GET, "/", STR_NONE);
	c.call.connect_us = 50 * MS_US;
	client_run(&c);
	assert_failed(&c, TRANSPORT_CONNECT, true);
	client_close(&c);
	for (size_t i = 0; i < array_len(waiting); i++)
		close(waiting[i]);
	close(p.fd);
}

static bool cancel_in_body(void *owner, struct str bytes, bool more)
{
	struct client *c = owner;
	(void)bytes, (void)more;
	c->answer.slices++;
	c->transport->cancel(c->exchange);
	loop_stop(&c->loop);
	return true;
}

static void cancel_within_a_callback(void **state)
{
	struct fixture *f = fixture_open(state);
	struct transport_events events = client_events;
	events.on_body = cancel_in_body;
	f->provider.text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n";
	provider_run(&f->provider, script_text);
	client_begin(&f->client, HTTP_GET, "/", STR_NONE);
	f->client.call.events = &events;
	client_run(&f->client);
	assert_int_equal(f->client.answer.slices, 1);
	assert_false(f->client.answer.ended || f->client.answer.failed);
	fixture_close(f);
}

static const struct CMUnitTest cases[] = {
	CASE(keep_alive), CASE(stale_connection_resends_once), CASE(stale_connection_resends_no_more),
	CASE(surplus_bytes_end_the_connection), CASE(unix_socket), CASE(refused_is_unprocessed),
	CASE(private_address_is_forbidden), CASE(unknown_name), CASE(name_is_resolved),
	CASE(cancel_before_the_head), CASE(cancel_in_the_body), CASE(cancel_while_paused), CASE(cancel_while_sending),
	CASE(cancel_while_connecting), CASE(cancel_within_a_callback),
};

int main(void)
{
	return suite_run(cases, array_len(cases));
}
