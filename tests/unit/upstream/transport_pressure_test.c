/*
 * transport_pressure_test.c: the contract of upstream/transport.h: pausing, long bodies in
 * both directions, and answers that come before their request was read.
 */
#include "transport_suite.h"

enum { BIG = 4 << 20, HUGE = 32 << 20 /* more than loopback's buffers take */ };

static char pattern_at(size_t i)
{
	return (char)('a' + i % 23);
}

static void script_big(struct provider_thread *p)
{
	static char block[65536 + 23];
	struct io io = provider_accept(p);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = pattern_at(i);
	if (hear(p, &io)) {
		say(&io, STR("HTTP/1.1 200 OK\r\ncontent-length: 4194304\r\n\r\n"));
		for (size_t at = 0; at < BIG; at += 65536)
			if (!say(&io, str_of(block + at % 23, 65536)))
				break;
	}
	hear_close(p, &io);
	hang_up(&io);
}

static void script_big_chunked(struct provider_thread *p)
{
	static char block[4096 + 23];
	struct io io = provider_accept(p);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = pattern_at(i);
	if (hear(p, &io)) {
		say(&io, STR("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"));
		for (size_t at = 0; at < BIG; at += 4096)
			if (!say(&io, STR("1000\r\n")) || !say(&io, str_of(block + at % 23, 4096)) ||
			    !say(&io, STR("\r\n")))
				break;
		say(&io, STR("0\r\n\r\n"));
	}
	hear_close(p, &io);
	hang_up(&io);
}

static void pausing_loses_nothing(void **state, void (*script)(struct provider_thread *))
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script);
	f->client.pausing = true;
	client_get(&f->client);
	assert_int_equal(f->client.answer.status, 200);
	assert_true(f->client.answer.ended);
	assert_int_equal(f->client.answer.body.n, BIG);
	for (size_t i = 0; i < BIG; i++)
		if (f->client.answer.body.p[i] != pattern_at(i))
			fail_msg("wrong byte at %zu", i);
	fixture_close(f);
}

static void pause_and_resume(void **state)
{
	pausing_loses_nothing(state, script_big);
}

static void pause_and_resume_chunked(void **state)
{
	pausing_loses_nothing(state, script_big_chunked);
}

/* Nothing is read while paused: the provider is held back by the sockets' own buffers. */
static void script_count_accepted(struct provider_thread *p)
{
	static char block[65536];
	struct io io = provider_accept(p);
	struct timeval soon = { .tv_usec = 200000 };
	int small = 65536;
	setsockopt(io.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	setsockopt(io.fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof(soon));
	if (hear(p, &io) && say(&io, STR("HTTP/1.1 200 OK\r\ncontent-length: 104857600\r\n\r\n")))
		while (p->body_bytes < 104857600 && say(&io, str_of(block, sizeof(block))))
			p->body_bytes += sizeof(block);
	hear_close(p, &io);
	hang_up(&io);
}

static void paused_memory_is_bounded(void **state)
{
	struct fixture *f = fixture_open(state);
	struct client *c = &f->client;
	provider_run(&f->provider, script_count_accepted);
	client_begin(c, HTTP_GET, "/", STR_NONE);
	c->stop_at_body = c->holding = true;
	client_run(c);
	c->answer.timed_out = false;
	timer_in(&c->guard, 600 * MS_US);
	loop_run(&c->loop);
	assert_int_equal(c->answer.slices, 1);
	c->transport->cancel(c->exchange);
	client_close(c);
	provider_join(&f->provider);
	assert_true(f->provider.body_bytes < 16 << 20);
	free(f);
}

static void script_hear_all(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear_head(p, &io)) {
		usleep(100000);
		size_t whole = announced_length(p->request);
		while (p->body_bytes < whole) {
			char some[65536];
			ssize_t n = io_read(&io, some, sizeof(some));
			if (n <= 0)
				break;
			p->body_bytes += (size_t)n;
		}
		say(&io, OK_HELLO);
	}
	hear_close(p, &io);
	hang_up(&io);
}

static void streamed_upload(void **state)
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_hear_all);
	f->client.upload = HUGE;
	client_ask(&f->client, HTTP_POST, "/files", STR_NONE);
	assert_answer(&f->client, 200, STR("hello"));
	assert_true(f->client.answer.writables > 1);
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.body_bytes, HUGE);
	free(f);
}

static void whole_upload(void **state)
{
	static char body[HUGE];
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_hear_all);
	client_ask(&f->client, HTTP_POST, "/files", str_of(body, sizeof(body)));
	assert_answer(&f->client, 200, STR("hello"));
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.body_bytes, HUGE);
	free(f);
}

/* Refuses on sight of the head, and reads no body. */
static void script_refuse_early(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear_head(p, &io))
		say(&io, STR("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig"));
	hear_close(p, &io);
	hang_up(&io);
}

static void answer_before_the_body_was_read(void **state)
{
	static char body[HUGE];
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_refuse_early);
	client_ask(&f->client, HTTP_POST, "/", str_of(body, sizeof(body)));
	assert_answer(&f->client, 413, STR("big"));
	client_close(&f->client);
	provider_join(&f->provider);
	assert_true(f->provider.saw_close);
	free(f);
}

/* Says yes on sight of the head, and reads the body nevertheless. */
static void script_agree_early(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear_head(p, &io)) {
		size_t whole = announced_length(p->request), n = p->body_bytes;
		say(&io, STR("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n"));
		while (n < whole) {
			char some[65536];
			ssize_t got = io_read(&io, some, sizeof(some));
			if (got <= 0)
				break;
			n += (size_t)got;
		}
		p->body_bytes = n;
		say(&io, STR("1\r\nb\r\n0\r\n\r\n"));
	}
	hear_close(p, &io);
	hang_up(&io);
}

static void forget_parts(void *owner, const struct http_head *head)
{
	struct client *c = owner;
	note_head(owner, head);
	free(c->parts[1].iov_base);
	memset(c->parts, 0xff, sizeof(c->parts));
	c->origin = (struct origin){ 0 };
}

static void answer_begins_before_the_body_was_read(void **state)
{
	struct fixture *f = fixture_open(state);
	struct transport_events events = client_events;
	size_t size = 12 << 20;
	events.on_head = forget_parts;
	provider_run(&f->provider, script_agree_early);
	client_begin(&f->client, HTTP_POST, "/", str_of(calloc(1, size), size));
	f->client.parts[1].iov_len = size;
	f->client.call.n_parts = 2;
	f->client.call.events = &events;
	client_run(&f->client);
	assert_answer(&f->client, 200, STR("ab"));
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.body_bytes, size);
	free(f);
}

static const struct CMUnitTest cases[] = {
	CASE(pause_and_resume), CASE(pause_and_resume_chunked), CASE(paused_memory_is_bounded), CASE(streamed_upload),
	CASE(whole_upload), CASE(answer_before_the_body_was_read), CASE(answer_begins_before_the_body_was_read),
};

int main(void)
{
	return suite_run(cases, array_len(cases));
}
