/*
 * transport_tls_test.c: the contract of upstream/transport.h over TLS: whom a transport
 * trusts, and what a missing end means.
 */
#include "transport_suite.h"

#include "made_certificates.h"

static char folder[] = "/tmp/weir-transport-tls-XXXXXX";
static struct made_certificate authority, good, other_name, expired, self_signed;
static struct tls_context *trust;

static struct tls_context *serve_with(const struct made_certificate *c)
{
	struct buf why;
	const char *file = c->file, *key = c->key_file;
	struct tls_server_options o = { .certificates = &file, .keys = &key, .pairs = 1 };
	buf_init(&why, 1000);
	struct tls_context *t = tls_server_context(&o, &why);
	if (!t)
		fail_msg("%.*s", STR_FMT(buf_str(&why)));
	return t;
}

static struct fixture *tls_fixture(void **state, const struct made_certificate *c)
{
	struct fixture *f = fixture_open(state);
	client_origin(&f->client, "localhost", f->provider.port);
	f->client.origin.tls = true;
	f->client.origin.tls_context = trust;
	f->provider.tls = serve_with(c);
	return f;
}

static void tls_fixture_close(struct fixture *f)
{
	struct tls_context *t = f->provider.tls;
	fixture_close(f);
	tls_unref(t);
}

static void plain_and_kept_alive(void **state)
{
	struct fixture *f = tls_fixture(state, &good);
	provider_run(&f->provider, script_three_hellos);
	for (int i = 0; i < 3; i++) {
		client_ask(&f->client, HTTP_POST, "/", STR("{\"a\": 1}"));
		assert_answer(&f->client, 200, STR("hello"));
	}
	struct tls_context *t = f->provider.tls;
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.connections, 1);
	assert_int_equal(f->provider.requests, 3);
	free(f);
	tls_unref(t);
}

static void by_address(void **state)
{
	struct fixture *f = tls_fixture(state, &good);
	client_origin(&f->client, "127.0.0.1", f->provider.port);
	f->client.origin.tls = true;
	f->client.origin.tls_context = trust;
	f->provider.text = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
	provider_run(&f->provider, script_text);
	client_get(&f->client);
	assert_answer(&f->client, 200, STR("ok"));
	tls_fixture_close(f);
}

static void not_trusted(void **state, const struct made_certificate *c, const char *reason)
{
	struct fixture *f = tls_fixture(state, c);
	provider_run(&f->provider, script_text);
	client_ask(&f->client, HTTP_POST, "/", STR("{}"));
	assert_failed(&f->client, TRANSPORT_TLS, true);
	assert_int_equal(f->client.answer.connected, 0);
	if (!strcasestr(f->client.answer.why, reason))
		fail_msg("%s", f->client.answer.why);
	tls_fixture_close(f);
}

static void wrong_host(void **state)
{
	not_trusted(state, &other_name, "host");
}

static void signed_by_itself(void **state)
{
	not_trusted(state, &self_signed, "self");
}

static void out_of_date(void **state)
{
	not_trusted(state, &expired, "expired");
}

static void script_no_tls(struct provider_thread *p)
{
	p->tls = NULL;
	struct io io = provider_accept(p);
	say(&io, STR("HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n"));
	hear_close(p, &io);
	hang_up(&io);
}

static void not_tls_at_all(void **state)
{
	struct fixture *f = tls_fixture(state, &good);
	struct tls_context *t = f->provider.tls;
	provider_run(&f->provider, script_no_tls);
	client_get(&f->client);
	assert_failed(&f->client, TRANSPORT_TLS, true);
	fixture_close(f);
	tls_unref(t);
}

static void until_close_notify(void **state)
{
	struct fixture *f = tls_fixture(state, &good);
	f->provider.text = "HTTP/1.1 200 OK\r\n\r\nall of it";
	provider_run(&f->provider, script_text_then_close);
	client_get(&f->client);
	assert_answer(&f->client, 200, STR("all of it"));
	tls_fixture_close(f);
}

/* An end without close_notify may be anybody's doing. */
static void script_truncate(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, str_c(p->text));
	shutdown(io.fd, SHUT_RDWR);
	hang_up(&io);
}

static struct fixture *truncate_answer(void **state, const char *text)
{
	struct fixture *f = tls_fixture(state, &good);
	f->provider.text = text;
	provider_run(&f->provider, script_truncate);
	client_get(&f->client);
	return f;
}

static void truncated(void **state)
{
	struct fixture *f = truncate_answer(state, "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nall of");
	assert_failed(&f->client, TRANSPORT_RESET, false);
	tls_fixture_close(f);
}

/* libcurl of Debian 12 does not tell, that of Debian 13 does; see curl_transport.c. */
static void truncated_without_a_length(void **state)
{
	struct fixture *f = truncate_answer(state, "HTTP/1.1 200 OK\r\n\r\nall of");
	if (f->client.transport == &curl_transport && !f->client.answer.failed)
		assert_answer(&f->client, 200, STR("all of"));
	else
		assert_failed(&f->client, TRANSPORT_RESET, false);
	tls_fixture_close(f);
}

enum { BIG = 4 << 20 };

static void script_big(struct provider_thread *p)
{
	static char block[65536];
	struct io io = provider_accept(p);
	memset(block, 'x', sizeof(block));
	if (hear(p, &io)) {
		say(&io, STR("HTTP/1.1 200 OK\r\ncontent-length: 4194304\r\n\r\n"));
		for (size_t at = 0; at < BIG; at += sizeof(block))
			if (!say(&io, str_of(block, sizeof(block))))
				break;
	}
	hear_close(p, &io);
	hang_up(&io);
}

static void big_both_ways(void **state)
{
	static char body[BIG];
	struct fixture *f = tls_fixture(state, &good);
	provider_run(&f->provider, script_big);
	f->client.pausing = true;
	client_ask(&f->client, HTTP_POST, "/", str_of(body, sizeof(body)));
	assert_true(f->client.answer.ended);
	assert_int_equal(f->client.answer.body.n, BIG);
	struct tls_context *t = f->provider.tls;
	client_close(&f->client);
	provider_join(&f->provider);
	assert_int_equal(f->provider.body_bytes, BIG);
	free(f);
	tls_unref(t);
}

static const struct CMUnitTest cases[] = {
	CASE(plain_and_kept_alive), CASE(by_address), CASE(wrong_host), CASE(signed_by_itself), CASE(out_of_date),
	CASE(not_tls_at_all), CASE(until_close_notify), CASE(truncated),
	CASE(truncated_without_a_length), CASE(big_both_ways),
};

int main(void)
{
	struct buf why;
	buf_init(&why, 1000);
	if (!mkdtemp(folder))
		return 1;
	authority = make_certificate(folder, "authority", NULL, NULL, -1, 10);
	good = make_certificate(folder, "good", "DNS:localhost,IP:127.0.0.1", &authority, -1, 10);
	other_name = make_certificate(folder, "other", "DNS:example.test", &authority, -1, 10);
	expired = make_certificate(folder, "expired", "DNS:localhost", &authority, -10, -1);
	self_signed = make_certificate(folder, "self", "DNS:localhost", NULL, -1, 10);
	trust = tls_client_context(&(struct tls_client_options){ .ca_file = authority.file }, &why);
	int failed = trust ? suite_run(cases, array_len(cases)) : 1;
	if (trust)
		tls_unref(trust);
	struct made_certificate *all[] = { &authority, &good, &other_name, &expired, &self_signed };
	for (size_t i = 0; i < array_len(all); i++)
		drop_certificate(all[i]);
	rmdir(folder);
	return failed;
}
