/*
 * tls_test.c: callers over TLS: names, client certificates, reload, truncation, records in pieces.
 */
#include "edge_suite.h"

#include <openssl/ssl.h>

#include "../upstream/made_certificates.h"

static char folder[] = "/tmp/weir-edge-tls-XXXXXX";
static struct made_certificate authority, one, two, caller, stranger;

static struct tls_context *serve_with(const char *client_ca)
{
	const char *files[] = { one.file, two.file }, *keys[] = { one.key_file, two.key_file };
	struct tls_server_options o = { .certificates = files, .keys = keys, .pairs = 2, .client_ca = client_ca };
	struct buf why = BUF_INIT(1000);
	struct tls_context *c = tls_server_context(&o, &why);
	if (!c)
		fail_msg("%.*s", STR_FMT(buf_str(&why)));
	return c;
}

static struct tls_context *trust(const struct made_certificate *mine)
{
	struct tls_client_options o = { .ca_file = authority.file, .certificate = mine ? mine->file : NULL,
					.key = mine ? mine->key_file : NULL };
	struct buf why = BUF_INIT(1000);
	struct tls_context *c = tls_client_context(&o, &why);
	assert_non_null(c);
	return c;
}

struct tls_fixture {
	struct fixture *f;
	struct tls_context *server, *client;
};

static struct tls_fixture opened(const char *client_ca, const struct made_certificate *mine)
{
	struct tls_fixture t = { fixture_open(), serve_with(client_ca), trust(mine) };
	t.f->settings.tls = t.server;
	return t;
}

static void closed(struct tls_fixture *t)
{
	fixture_close(t->f);
	tls_unref(t->server);
	tls_unref(t->client);
}

static enum io_result shake(struct tls_fixture *t, struct peer *p, const char *host)
{
	enum io_result r = IO_WANT_READ;
	assert_true(tls_connect(&p->io, t->client, str_c(host)));
	until(t->f, (r = io_handshake(&p->io)) != IO_WANT_READ && r != IO_WANT_WRITE);
	return r;
}

static struct peer *dial_tls(struct tls_fixture *t, const char *host)
{
	struct peer *p = dial(t->f);
	assert_int_equal(shake(t, p, host), IO_OK);
	return p;
}

static void round_trip(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	struct peer *p = dial_tls(&t, "one.test");
	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		say_c(t.f, p, GET("/hello"));
		until(t.f, got_times(p, "hello") == i);
	}
	say_c(t.f, p, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	hear_close(t.f, p);
	assert_false(p->reset);		/* a proper end */
	hang_up(p);
	closed(&t);
}

static void certificate_by_name(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	const char *names[] = { "one.test", "two.test" };
	(void)state;
	for (int i = 0; i < 2; i++)
		hang_up(dial_tls(&t, names[i]));	/* the name is verified */
	struct peer *p = dial(t.f);
	assert_int_equal(shake(&t, p, "three.test"), IO_BROKEN);
	assert_non_null(strstr(io_error(), "certificate"));
	hang_up(p);
	closed(&t);
}

static void session_resumed(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct peer *p = dial_tls(&t, "one.test");
		assert_int_equal(SSL_session_reused(p->io.tls), i);
		say_c(t.f, p, GET("/hello"));
		hear(t.f, p, "hello");
		hang_up(p);
	}
	closed(&t);
}

static void client_certificate(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		const struct made_certificate *mine[] = { &caller, &stranger, NULL };
		struct tls_fixture t = opened(authority.file, mine[i]);
		struct peer *p = dial(t.f);
		(void)!shake(&t, p, "one.test");	/* with TLS 1.3 the caller is done before it is judged */
		say_c(t.f, p, GET("/hello"));
		if (i == 0) {
			hear(t.f, p, "hello");
		} else {
			hear_close(t.f, p);
			assert_int_equal(t.f->started, 0);
			until(t.f, t.f->notes == 1);
			assert_non_null(strstr(t.f->note, "127.0.0.1"));
		}
		hang_up(p);
		closed(&t);
	}
}

/* New connections get the new context, those under way keep theirs. */
static void reloaded(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	struct peer *before = dial_tls(&t, "one.test");
	(void)state;
	struct tls_context *old = t.server;
	t.server = t.f->settings.tls = serve_with(NULL);
	tls_unref(old);
	struct peer *after = dial_tls(&t, "two.test");
	say_c(t.f, before, GET("/hello"));
	say_c(t.f, after, GET("/hello"));
	hear(t.f, before, "hello");
	hear(t.f, after, "hello");
	hang_up(before);
	hang_up(after);
	closed(&t);
}

static void not_tls(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	struct peer *p = dial(t.f);
	(void)state;
	say_c(t.f, p, GET("/hello"));
	hear_close(t.f, p);
	assert_int_equal(t.f->started, 0);
	assert_int_equal(t.f->notes, 1);
	hang_up(p);
	closed(&t);
}

static void slow_handshake(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	t.f->settings.handshake_us = 30 * MS_US;
	struct peer *p = dial(t.f);
	(void)state;
	say_c(t.f, p, "\x16\x03\x01");
	hear_close(t.f, p);
	hang_up(p);
	closed(&t);
}

/* The bytes a caller's TLS would send for `text`, kept from the wire. */
static struct buf record_of(struct peer *p, struct str text)
{
	struct buf wire = BUF_INIT(1 << 20);
	BIO *memory = BIO_new(BIO_s_mem());
	BIO_up_ref(SSL_get_rbio(p->io.tls));
	SSL_set0_wbio(p->io.tls, memory);
	assert_int_equal(SSL_write(p->io.tls, text.p, (int)text.n), text.n);
	char *bytes;
	long n = BIO_get_mem_data(memory, &bytes);
	assert_true(buf_add(&wire, str_of(bytes, (size_t)n)));
	SSL_set0_wbio(p->io.tls, SSL_get_rbio(p->io.tls));
	return wire;
}

/* A record arrives byte by byte: the loop waits for the rest of it, and does not spin meanwhile. */
static void record_in_pieces(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	struct peer *p = dial_tls(&t, "one.test");
	(void)state;
	say_c(t.f, p, GET("/hello"));
	hear(t.f, p, "hello");
	struct buf wire = record_of(p, STR(GET("/hello")));
	alarm(PATIENCE_S);
	for (size_t i = 0; i < wire.n; i++) {
		assert_int_equal(send(p->io.fd, wire.p + i, 1, 0), 1);
		settle(t.f);
	}
	alarm(0);
	until(t.f, got_times(p, "hello") == 2);
	buf_free(&wire);
	hang_up(p);
	closed(&t);
}

static void large_both_ways(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	struct peer *p = dial_tls(&t, "one.test");
	char *body = malloc(1 << 20);
	(void)state;
	for (int i = 0; i < 1 << 20; i++)
		body[i] = (char)(i * 31 >> 4);
	t.f->use_space = true;
	say_c(t.f, p, POST("/upload", "Content-Length: 1048576\r\n"));
	until(t.f, t.f->now != NULL);
	struct served *s = t.f->now;
	struct str left = str_of(body, 1 << 20);
	say(t.f, p, left);
	until(t.f, s->body_complete);
	assert_memory_equal(s->body.p, body, 1 << 20);
	struct answer_head h = { .status = 200, .length = 1 << 20 };
	assert_true(client_begin(s->t.client, &h));
	client_write(s->t.client, &left, 1);
	client_end(s->t.client);
	served_over(s);
	until(t.f, (hear_once(p), p->got.n > 1 << 20));
	ptrdiff_t at = str_find(buf_str(&p->got), STR("\r\n\r\n"));
	assert_memory_equal(p->got.p + at + 4, body, 1 << 20);
	free(body);
	hang_up(p);
	closed(&t);
}

/* An answer broken off must not look like one that ended. */
static void aborted(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	struct peer *p = dial_tls(&t, "one.test");
	struct answer_head h = { .status = 200, .length = ANSWER_CHUNKED };
	struct str part = STR("half of");
	(void)state;
	say_c(t.f, p, "GET /park HTTP/1.0\r\n\r\n");
	until(t.f, t.f->now != NULL);
	assert_true(client_begin(t.f->now->t.client, &h));
	client_write(t.f->now->t.client, &part, 1);
	client_flush(t.f->now->t.client);
	hear(t.f, p, "half of");
	client_abort(t.f->now->t.client);
	served_over(t.f->now);
	hear_close(t.f, p);
	assert_true(p->reset);
	hang_up(p);
	closed(&t);
}

/* A caller that ends without its closing alert is a hang-up too. */
static void truncated(void **state)
{
	struct tls_fixture t = opened(NULL, NULL);
	struct peer *p = dial_tls(&t, "one.test");
	(void)state;
	say_c(t.f, p, GET("/park"));
	until(t.f, t.f->now != NULL);
	shutdown(p->io.fd, SHUT_WR);
	until(t.f, t.f->hangups == 1);
	hang_up(p);
	closed(&t);
}

static void make(void)
{
	if (!mkdtemp(folder))
		abort();
	authority = make_certificate(folder, "authority", NULL, NULL, -1, 10);
	one = make_certificate(folder, "one", "DNS:one.test", &authority, -1, 10);
	two = make_certificate(folder, "two", "DNS:two.test", &authority, -1, 10);
	caller = make_certificate(folder, "caller", "DNS:caller.test", &authority, -1, 10);
	stranger = make_certificate(folder, "stranger", "DNS:stranger.test", NULL, -1, 10);
}

static void drop(void)
{
	struct made_certificate *all[] = { &authority, &one, &two, &caller, &stranger };
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		drop_certificate(all[i]);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip), cmocka_unit_test(certificate_by_name), cmocka_unit_test(session_resumed),
		cmocka_unit_test(client_certificate), cmocka_unit_test(reloaded), cmocka_unit_test(not_tls),
		cmocka_unit_test(slow_handshake), cmocka_unit_test(record_in_pieces), cmocka_unit_test(large_both_ways),
		cmocka_unit_test(aborted), cmocka_unit_test(truncated),
	};
	make();
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	drop();
	return failed;
}
