/*
 * transport_test.c: the contract of upstream/transport.h, the same cases for each transport.
 */
#include <errno.h>
#include <signal.h>

#include "scripted_provider.h"
#include "transport_client.h"

struct fixture {
	struct client client;
	struct provider_thread provider;
};

#define OK_HELLO STR("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello")

static struct fixture *fixture_open(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	client_open(&f->client, *state);
	provider_listen(&f->provider);
	client_origin(&f->client, "127.0.0.1", f->provider.port);
	return f;
}

static void fixture_close(struct fixture *f)
{
	client_close(&f->client);
	provider_join(&f->provider);
	free(f);
}

/* --- scripts --- */

/* Answers with p->text, waits for the other side to close. */
static void script_text(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, str_c(p->text));
	hear_close(p, &io);
	hang_up(&io);
}

static void script_text_then_close(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, str_c(p->text));
	hang_up(&io);
}

static void script_text_then_reset(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, str_c(p->text));
	reset(&io);
}

static void script_three_hellos(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	for (int i = 0; i < 3 && hear(p, &io); i++)
		say(&io, OK_HELLO);
	hear_close(p, &io);
	hang_up(&io);
}

static struct fixture *ask(void **state, void (*script)(struct provider_thread *), const char *text)
{
	struct fixture *f = fixture_open(state);
	f->provider.text = text;
	provider_run(&f->provider, script);
	client_get(&f->client);
	return f;
}

/* --- answers --- */

static void plain_body(void **state)
{
	struct fixture *f = fixture_open(state);
	f->provider.text = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello";
	provider_run(&f->provider, script_text);
	client_ask(&f->client, HTTP_POST, "/v1/chat?x=1", STR("{\"model\":\"m\"}"));
	assert_answer(&f->client, 200, STR("hello"));
	assert_int_equal(f->client.answer.connected, 1);
	assert_string_equal(f->client.answer.content_type, "text/plain");
	client_close(&f->client);
	provider_join(&f->provider);
	assert_non_null(strstr(f->provider.request, "POST /v1/chat?x=1 HTTP/1.1\r\n"));
	assert_non_null(strstr(f->provider.request, "\r\n\r\n{\"model\":\"m\"}"));
	assert_null(strcasestr(f->provider.request, "accept-encoding"));
	assert_null(strcasestr(f->provider.request, "expect:"));
	free(f);
}

static const char chunked_answer[] =
	"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
	"5\r\nhello\r\n1;x=y\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n";

static void script_cut(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	for (size_t cut = 1; cut < sizeof(chunked_answer) - 1 && hear(p, &io); cut++) {
		say(&io, str_of(chunked_answer, cut));
		usleep(500);
		say(&io, str_of(chunked_answer + cut, sizeof(chunked_answer) - 1 - cut));
	}
	hear_close(p, &io);
	hang_up(&io);
}

static void chunked_cut_anywhere(void **state)
{
	struct fixture *f = fixture_open(state);
	provider_run(&f->provider, script_cut);
	for (size_t cut = 1; cut < sizeof(chunked_answer) - 1; cut++) {
		client_get(&f->client);
		assert_answer(&f->client, 200, STR("hello world"));
	}
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.connections, 1);
	free(f);
}

static void script_bytewise(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		for (size_t i = 0; i < sizeof(chunked_answer) - 1; i++) {
			say(&io, str_of(chunked_answer + i, 1));
			usleep(200);
		}
	hear_close(p, &io);
	hang_up(&io);
}

static void chunked_byte_by_byte(void **state)
{
	struct fixture *f = ask(state, script_bytewise, NULL);
	assert_answer(&f->client, 200, STR("hello world"));
	fixture_close(f);
}

static void until_close(void **state)
{
	struct fixture *f = ask(state, script_text_then_close, "HTTP/1.1 200 OK\r\n\r\nall of it");
	assert_answer(&f->client, 200, STR("all of it"));
	fixture_close(f);
}

static void http_1_0(void **state)
{
	struct fixture *f = ask(state, script_text_then_close, "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok");
	assert_answer(&f->client, 200, STR("ok"));
	fixture_close(f);
}

static void head_has_no_body(void **state)
{
	struct fixture *f = fixture_open(state);
	f->provider.text = "HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n";
	provider_run(&f->provider, script_text);
	client_ask(&f->client, HTTP_HEAD, "/", STR_NONE);
	assert_answer(&f->client, 200, STR_NONE);
	fixture_close(f);
}

static void no_content(void **state)
{
	struct fixture *f = ask(state, script_text, "HTTP/1.1 204 No Content\r\n\r\n");
	assert_answer(&f->client, 204, STR_NONE);
	fixture_close(f);
}

static void empty_body(void **state)
{
	struct fixture *f = ask(state, script_text, "HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n");
	assert_answer(&f->client, 500, STR_NONE);
	fixture_close(f);
}

static void interim_heads_are_skipped(void **state)
{
	struct fixture *f = ask(state, script_text, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n"
				"link: </x>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
	assert_answer(&f->client, 200, STR("ok"));
	fixture_close(f);
}

static void redirects_are_not_followed(void **state)
{
	struct fixture *f = ask(state, script_text, "HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\n"
				"content-length: 2\r\n\r\nno");
	assert_answer(&f->client, 302, STR("no"));
	fixture_close(f);
}

static void content_coding_is_left_alone(void **state)
{
	struct fixture *f = ask(state, script_text, "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n"
				"content-length: 4\r\n\r\nnogz");
	assert_answer(&f->client, 200, STR("nogz"));
	fixture_close(f);
}

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

/* --- what breaks --- */

struct broken_answer {
	const char *text;
	enum transport_failure failure;
	bool resets;
};

static const struct broken_answer broken_answers[] = {
	{ "", TRANSPORT_RESET, false },
	{ "", TRANSPORT_RESET, true },
	{ "HTTP/1.1 200 OK\r\ncontent-le", TRANSPORT_RESET, false },
	{ "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", TRANSPORT_RESET, false },
	{ "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n", TRANSPORT_RESET, false },
	{ "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel", TRANSPORT_RESET, false },
	{ "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello", TRANSPORT_PROTOCOL, false },
	{ "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
		TRANSPORT_PROTOCOL, false },
	{ "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\nhello\r\n0\r\n\r\n", TRANSPORT_PROTOCOL, false },
	{ "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n", TRANSPORT_PROTOCOL, false },
	{ "SSH-2.0-OpenSSH_9.2\r\n", TRANSPORT_PROTOCOL, false },
	{ "<html>plainly not HTTP</html>", TRANSPORT_PROTOCOL, false },
	{ "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", TRANSPORT_PROTOCOL, false },
};

static void broken_answers_fail(void **state)
{
	for (size_t i = 0; i < array_len(broken_answers); i++) {
		const struct broken_answer *b = &broken_answers[i];
		struct fixture *f = ask(state, b->resets ? script_text_then_reset : script_text_then_close, b->text);
		if (!f->client.answer.failed)
			fail_msg("passed: %s", b->text);
		assert_failed(&f->client, b->failure, false);
		assert_false(f->client.answer.ended);
		fixture_close(f);
	}
}

/* Sends a body's part, and resets once that part was seen by the test's thread. */
static void script_reset_in_body(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, STR("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhello"));
	usleep(50000);
	reset(&io);
}

static void reset_in_the_body(void **state)
{
	struct fixture *f = ask(state, script_reset_in_body, NULL);
	assert_failed(&f->client, TRANSPORT_RESET, false);
	assert_int_equal(f->client.answer.heads, 1);
	assert_int_equal(f->client.answer.body.n, 5);
	fixture_close(f);
}

static void script_huge_head(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io) && say(&io, STR("HTTP/1.1 200 OK\r\n")))
		for (int i = 0; i < 40; i++) {
			char line[8192];
			memset(line, 'a', sizeof(line));
			int n = snprintf(line, sizeof(line), "x-%d: ", i);
			line[n] = 'b';
			line[sizeof(line) - 2] = '\r';
			line[sizeof(line) - 1] = '\n';
			if (!say(&io, str_of(line, sizeof(line))))
				break;
		}
	hear_close(p, &io);
	hang_up(&io);
}

static void huge_head(void **state)
{
	struct fixture *f = ask(state, script_huge_head, NULL);
	assert_failed(&f->client, TRANSPORT_TOO_LARGE, false);
	fixture_close(f);
}

/* --- pressure --- */

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
	static char body[HUGE];
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
	f->provider.text = chunked_answer;
	provider_run(&f->provider, script_text);
	client_begin(&f->client, HTTP_GET, "/", STR_NONE);
	f->client.call.events = &events;
	client_run(&f->client);
	assert_int_equal(f->client.answer.slices, 1);
	assert_false(f->client.answer.ended || f->client.answer.failed);
	fixture_close(f);
}

#define CASE(name) { #name, name, NULL, NULL, NULL }

static const struct CMUnitTest cases[] = {
	CASE(plain_body), CASE(chunked_cut_anywhere), CASE(chunked_byte_by_byte), CASE(until_close), CASE(http_1_0),
	CASE(head_has_no_body), CASE(no_content), CASE(empty_body), CASE(interim_heads_are_skipped),
	CASE(redirects_are_not_followed), CASE(content_coding_is_left_alone), CASE(keep_alive),
	CASE(stale_connection_resends_once), CASE(stale_connection_resends_no_more),
	CASE(surplus_bytes_end_the_connection), CASE(unix_socket), CASE(refused_is_unprocessed),
	CASE(private_address_is_forbidden), CASE(unknown_name), CASE(name_is_resolved), CASE(broken_answers_fail),
	CASE(reset_in_the_body), CASE(huge_head), CASE(pause_and_resume), CASE(pause_and_resume_chunked),
	CASE(paused_memory_is_bounded), CASE(streamed_upload), CASE(whole_upload),
	CASE(answer_before_the_body_was_read), CASE(answer_begins_before_the_body_was_read),
	CASE(cancel_before_the_head), CASE(cancel_in_the_body),
	CASE(cancel_while_paused), CASE(cancel_while_sending), CASE(cancel_while_connecting),
	CASE(cancel_within_a_callback),
};

static int suite(const char *name, const struct transport *t)
{
	struct CMUnitTest tests[array_len(cases)];
	memcpy(tests, cases, sizeof(tests));
	for (size_t i = 0; i < array_len(tests); i++)
		tests[i].initial_state = (void *)(uintptr_t)t;
	return _cmocka_run_group_tests(name, tests, array_len(tests), NULL, NULL);
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	if (!resolver_start())
		return 1;
	int failed = suite("http1", &http1_transport);
	resolver_stop();
	return failed;
}
