/*
 * redis_tls_test.c: rediss:// to a real redis-server, where hiredis has TLS; a clear message where not.
 */
#include "tests/unit/store/redis_server.h"
#include "tests/unit/store/store_client.h"

#ifdef WEIR_HIREDIS_SSL

#include "tests/unit/upstream/made_certificates.h"

static char folder[] = "/tmp/weir-redis-tls-XXXXXX";
static struct made_certificate authority, other_authority, good, misnamed;

static int make_all(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_non_null(mkdtemp(folder));
	authority = make_certificate(folder, "authority", NULL, NULL, -1, 30);
	other_authority = make_certificate(folder, "other", NULL, NULL, -1, 30);
	good = make_certificate(folder, "good", "IP:127.0.0.1", &authority, -1, 30);
	misnamed = make_certificate(folder, "misnamed", "DNS:elsewhere.example", &authority, -1, 30);
	return 0;
}

static int drop_all(void **state)
{
	(void)state;
	drop_certificate(&authority);
	drop_certificate(&other_authority);
	drop_certificate(&good);
	drop_certificate(&misnamed);
	rmdir(folder);
	return 0;
}

static void tls_server_start(struct redis_server *s, const struct made_certificate *own)
{
	char port[8];
	snprintf(s->folder, sizeof(s->folder), "/tmp/weir-redis-XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	snprintf(s->path, sizeof(s->path), "%s/socket", s->folder);
	s->port = free_port();
	snprintf(port, sizeof(port), "%u", s->port);
	redis_run(s, (const char *[]){ "redis-server", "--port", "0", "--tls-port", port, "--bind", "127.0.0.1",
				       "--unixsocket", s->path, "--dir", s->folder, "--save", "", "--tls-cert-file",
				       own->file, "--tls-key-file", own->key_file, "--tls-auth-clients", "no",
				       "--tls-ca-cert-file", authority.file, NULL });
}

static bool comes_up(const struct made_certificate *own, const char *trusted)
{
	struct redis_server server;
	struct client c;
	struct waited w;
	char url[64];
	tls_server_start(&server, own);
	memset(&c, 0, sizeof(c));
	snprintf(url, sizeof(url), "rediss://127.0.0.1:%u/1", server.port);
	client_open(&c, &(struct store_options){ .url = str_c(url), .ca_file = trusted, .command_ms = 5000 });
	for (int i = 0; i < 60 && !store_is_up(c.store); i++)
		client_run_for(&c, 10);
	bool up = store_is_up(c.store);
	assert_int_equal(ask_put(&c, STR("k"), STR("v"), 60000), up ? STORE_OK : STORE_DOWN);
	assert_int_equal(ask_get(&c, STR("k"), &w), up ? STORE_OK : STORE_DOWN);
	struct store_limit l = slots_of("at once", 1);
	struct store_reservation r = reservation_of(STR("t"), &l, 1);
	assert_int_equal(ask_reserve(&c, &r, NULL), up ? STORE_OK : STORE_DOWN);
	client_close(&c);
	redis_server_close(&server);
	return up;
}

static void whom_it_trusts(void **state)
{
	(void)state;
	assert_true(comes_up(&good, authority.file));
	assert_false(comes_up(&misnamed, authority.file));
	assert_false(comes_up(&good, other_authority.file));
	assert_false(comes_up(&good, NULL));
}

static void bad_files_are_named(void **state)
{
	struct buf why = BUF_INIT(1000);
	(void)state;
	struct store_options o = { .url = STR("rediss://r"), .ca_file = "/nonexistent/ca.pem" };
	assert_null(store_home_open(&o, &why));
	assert_true(str_has(buf_str(&why), STR("/nonexistent/ca.pem")));
	buf_free(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(whom_it_trusts), cmocka_unit_test(bad_files_are_named) };
	return cmocka_run_group_tests_name("store: TLS", tests, make_all, drop_all);
}

#else

static void says_what_is_missing(void **state)
{
	struct buf why = BUF_INIT(1000);
	(void)state;
	struct store_options o = { .url = STR("rediss://u:hunter2@redis.example.com") };
	assert_null(store_home_open(&o, &why));
	assert_true(str_has(buf_str(&why), STR("needs a hiredis with TLS")));
	assert_non_null(store_url_check(o.url));
	assert_false(str_has(buf_str(&why), STR("hunter2")));
	buf_free(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(says_what_is_missing) };
	return cmocka_run_group_tests_name("store: TLS", tests, NULL, NULL);
}

#endif
