/*
 * transport_test.c: the contract of upstream/transport.h: answers, whole and broken.
 */
#include "transport_suite.h"

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

static const struct CMUnitTest cases[] = {
	CASE(plain_body), CASE(chunked_cut_anywhere), CASE(chunked_byte_by_byte), CASE(until_close), CASE(http_1_0),
	CASE(head_has_no_body), CASE(no_content), CASE(empty_body), CASE(interim_heads_are_skipped),
	CASE(redirects_are_not_followed), CASE(content_coding_is_left_alone), CASE(broken_answers_fail),
	CASE(reset_in_the_body), CASE(huge_head),
};

int main(void)
{
	return suite_run(cases, array_len(cases));
}
