/*
 * pages_test.c: who sees what on the operator's listener, and that configuration's text cannot break a page.
 */
#include "admin/admin_pages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>
#include <jansson.h>

#include "admin/admin_token.h"
#include "core/families.h"
#include "telemetry/families.h"
#include "telemetry/gauges.h"

/* --- a client that keeps what it was answered --- */

struct reader {
	struct client client;
	int status;
	struct buf type, headers, body;
	bool ended;
};

static bool on_begin(struct client *c, const struct answer_head *h)
{
	struct reader *r = container_of(c, struct reader, client);
	r->status = h->status;
	buf_add(&r->type, h->content_type);
	for (unsigned i = 0; i < h->n_headers; i++)
		buf_addf(&r->headers, "%.*s: %.*s\n", STR_FMT(h->headers[i].name), STR_FMT(h->headers[i].value));
	return true;
}

static void on_write(struct client *c, const struct str *parts, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		buf_add(&container_of(c, struct reader, client)->body, parts[i]);
}

static void on_end(struct client *c)
{
	container_of(c, struct reader, client)->ended = true;
}

static const struct client_ops reader_ops = { .begin = on_begin, .write = on_write, .end = on_end };

/* --- a configuration --- */

static struct live_target live = { .name = STR_INIT("acme/<b>&m"), .healthy = -1 };
static struct live_model fast = { .name = STR_INIT("fast") };
static struct provider acme = { .name = STR_INIT("acme"), .usable = true };
static struct provider *const providers[] = { &acme };
static struct target target = {
	.provider = &acme, .model = STR_INIT("<b>&m"), .name = STR_INIT("acme/<b>&m"), .live = &live,
};
static struct target *const targets[] = { &target, &target };	/* two models share it */
static struct snapshot snapshot = {
	.source = STR_INIT("weir.yaml"), .targets = targets, .n_targets = 2, .providers = providers, .n_providers = 1,
};

static const struct snapshot *in_force(void *owner)
{
	(void)owner;
	return &snapshot;
}

static unsigned seven(void)
{
	return 7;
}

static struct loop loop;
static struct admin_pages pages = { .loop = &loop, .snapshot = in_force, .connections = seven };
static struct admin_door local = { .pages = &pages, .loopback = true };
static struct admin_door remote = { .pages = &pages };
static struct admin_door health = { .pages = &pages, .loopback = true, .health_only = true };

static void ask(struct reader *r, struct admin_door *door, struct request request)
{
	*r = (struct reader){ .client = { &reader_ops } };
	buf_init(&r->type, 4096);
	buf_init(&r->headers, 4096);
	buf_init(&r->body, 16 << 20);
	struct txn *t = admin_begin(door, &r->client);
	t->req = arena_new(&t->arena, struct request);
	*t->req = request;
	t->ops->start(t);
	assert_true(r->ended);
	buf_addc(&r->body, '\0');
	r->body.n--;
	buf_addc(&r->headers, '\0');
	loop_run_deferred(&loop);
}

static void let_go(struct reader *r)
{
	buf_free(&r->type);
	buf_free(&r->headers);
	buf_free(&r->body);
}

static void assert_status(struct admin_door *door, const char *path, const char *authorization, int status)
{
	struct reader r;
	struct request q = { .path = str_c(path) };
	if (authorization)
		q.header[RH_AUTHORIZATION] = str_c(authorization);
	ask(&r, door, q);
	if (r.status != status)
		fail_msg("%s: %d, not %d", path, r.status, status);
	let_go(&r);
}

static void tokens_are_told_apart(void **state)
{
	(void)state;
	assert_true(admin_token_matches(STR("secret"), STR("Bearer secret")));
	assert_true(admin_token_matches(STR("secret"), STR("bearer  secret ")));
	assert_true(admin_token_matches(STR("secret"), STR("Basic YW55OnNlY3JldA==")));
	assert_true(admin_token_matches(STR("secret"), STR("Basic OnNlY3JldA")));
	assert_false(admin_token_matches(STR("secret"), STR("Basic c2VjcmV0")));
	assert_false(admin_token_matches(STR("secret"), STR("Bearer secre")));
	assert_false(admin_token_matches(STR("secret"), STR("secret")));
	assert_false(admin_token_matches(STR("secret"), STR_NONE));
	assert_false(admin_token_matches(STR_NONE, STR("Bearer ")));
	assert_false(admin_token_matches(STR_NONE, STR("Basic Og==")));
}

static void doors_show_what_they_should(void **state)
{
	(void)state;
	static const char *const open[] = { "/metrics", "/livez", "/readyz", "/healthz", "/health" };
	static const char *const guarded[] = { "/", "/status.json", "/status.css" };
	for (size_t i = 0; i < array_len(open); i++) {
		assert_status(&local, open[i], NULL, 200);
		assert_status(&remote, open[i], NULL, 200);
		assert_status(&health, open[i], NULL, 200);
	}
	for (size_t i = 0; i < array_len(guarded); i++) {
		assert_status(&local, guarded[i], NULL, 200);
		assert_status(&remote, guarded[i], NULL, 403);
		assert_status(&remote, guarded[i], "Bearer ", 403);
		assert_status(&health, guarded[i], NULL, 404);
	}
	snapshot.settings.admin.token = STR("secret");
	for (size_t i = 0; i < array_len(guarded); i++) {
		assert_status(&local, guarded[i], NULL, 401);
		assert_status(&remote, guarded[i], "Bearer wrong", 401);
		assert_status(&remote, guarded[i], "Bearer secret", 200);
	}
	assert_status(&remote, "/metrics", NULL, 200);
	snapshot.settings.admin.token = STR_NONE;
	assert_status(&local, "/nothing", NULL, 404);
}

static void a_shared_target_is_told_once(void **state)
{
	(void)state;
	struct reader r;
	ask(&r, &local, (struct request){ .path = STR("/readyz"), .query = STR("verbose") });
	json_error_t e;
	json_t *body = json_loads(r.body.p, JSON_REJECT_DUPLICATES, &e);
	if (!body)
		fail_msg("%s: %s", e.text, r.body.p);
	json_decref(body);
	let_go(&r);
	ask(&r, &local, (struct request){ .path = STR("/status.json") });
	body = json_loads(r.body.p, 0, NULL);
	assert_int_equal(json_array_size(json_object_get(body, "targets")), 1);
	json_decref(body);
	let_go(&r);
}

static void other_methods_are_refused_as_json(void **state)
{
	(void)state;
	struct reader r;
	ask(&r, &local, (struct request){ .path = STR("/metrics"), .method = HTTP_POST });
	assert_int_equal(r.status, 405);
	assert_non_null(strstr(r.headers.p, "allow: GET, HEAD\n"));
	json_t *body = json_loads(r.body.p, 0, NULL);
	assert_non_null(json_object_get(json_object_get(body, "error"), "message"));
	json_decref(body);
	let_go(&r);
}

static void metrics_are_negotiated(void **state)
{
	(void)state;
	struct reader r;
	families_prepare(&snapshot);
	gauges_build(STR("1.2.3"), STR("abc"));
	ask(&r, &local, (struct request){ .path = STR("/metrics") });
	assert_true(str_eq(buf_str(&r.type), STR("text/plain; version=0.0.4; charset=utf-8")));
	assert_non_null(strstr(r.body.p, "\nweir_build_info{version=\"1.2.3\",commit=\"abc\"} 1\n"));
	assert_non_null(strstr(r.body.p, "\nweir_connections 7\n"));
	assert_non_null(strstr(r.body.p, "\nweir_upstream_up{provider=\"acme\",target=\"acme/<b>&m\"} 1\n"));
	assert_non_null(strstr(r.body.p, "\nprocess_open_fds "));
	assert_null(strstr(r.body.p, "# EOF"));
	let_go(&r);
	struct request q = { .path = STR("/metrics") };
	q.header[RH_ACCEPT] = STR("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2");
	ask(&r, &local, q);
	assert_true(str_starts(buf_str(&r.type), STR("application/openmetrics-text; version=1.0.0")));
	assert_non_null(strstr(r.body.p, "\n# EOF\n"));
	let_go(&r);
}

static void the_page_escapes_what_it_shows(void **state)
{
	(void)state;
	struct reader r;
	families_attempt(&live, ERR_NONE, 120000);
	families_attempt(&live, ERR_UPSTREAM_BROKEN, 120000);
	atomic_store(&live.last_error, ERR_UPSTREAM_BROKEN);
	atomic_store(&live.last_status, 500);
	ask(&r, &local, (struct request){ .path = STR("/") });
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body.p, "&lt;b&gt;&amp;m"));
	assert_null(strstr(r.body.p, "<b>&m"));
	assert_null(strstr(r.body.p, "http://"));
	assert_null(strstr(r.body.p, "https://"));
	assert_non_null(strstr(r.body.p, "provider_error (500)"));
	assert_null(strstr(r.headers.p, "cache-control"));	/* the edge adds it, and not twice */
	assert_non_null(strstr(r.headers.p, "content-security-policy: default-src 'none'; style-src 'self'"));
	let_go(&r);
}

static void an_open_breaker_is_shown(void **state)
{
	(void)state;
	struct reader r;
	atomic_store(&live.breakers[BREAKER_RATE_LIMIT].open_until, INT64_MAX / 2);
	ask(&r, &local, (struct request){ .path = STR("/status.json") });
	json_t *body = json_loads(r.body.p, 0, NULL);
	assert_non_null(body);
	json_t *row = json_array_get(json_object_get(body, "targets"), 0);
	assert_string_equal(json_string_value(json_object_get(row, "state")), "open");
	assert_string_equal(json_string_value(json_object_get(row, "model")), "<b>&m");
	assert_int_equal(json_integer_value(json_object_get(row, "attempts")), 2);
	assert_int_equal(json_integer_value(json_object_get(row, "failed")), 1);
	assert_true(json_is_null(json_object_get(row, "first_token_p50_ms")));
	assert_true(json_is_real(json_object_get(row, "p50_ms")));
	json_decref(body);
	let_go(&r);
	ask(&r, &local, (struct request){ .path = STR("/metrics") });
	assert_non_null(strstr(r.body.p, "\nweir_upstream_up{provider=\"acme\",target=\"acme/<b>&m\"} 0\n"));
	let_go(&r);
	atomic_store(&live.breakers[BREAKER_RATE_LIMIT].open_until, 1);
	ask(&r, &local, (struct request){ .path = STR("/status.json") });
	assert_non_null(strstr(r.body.p, "\"state\":\"trial\""));
	let_go(&r);
	atomic_store(&live.breakers[BREAKER_RATE_LIMIT].open_until, 0);
}

static void rates_are_of_the_last_minute(void **state)
{
	(void)state;
	struct status st;
	struct status_history h = { .n = 0 };
	struct endpoint_counters *e = families_endpoint(families_model(&fast), "chat");
	for (int i = 0; i < STATUS_SAMPLES + 3; i++)
		status_sample(&h);
	for (int i = 0; i < STATUS_SAMPLES; i++)
		h.samples[i].at_us -= 10 * 1000000;
	families_request(e, ERR_NONE, 200);
	families_request(e, ERR_BAD_REQUEST, 400);
	families_request(e, ERR_TIMEOUT, 504);
	families_request(e, ERR_INTERNAL, 500);
	for (int i = 0; i < 100; i++)	/* probes are nobody's requests */
		families_request(families_endpoint(families_model(&fast), i % 2 ? "livez" : "readyz"), ERR_NONE, 200);
	status_gather(&st, &h, &snapshot, 0);
	assert_true(st.requests_per_s > 0.3 && st.requests_per_s <= 0.4);
	assert_true(st.failed_share == 0.5);
	status_free(&st);
}

static void a_request_that_cannot_be_read_is_answered(void **state)
{
	(void)state;
	struct reader r = { .client = { &reader_ops } };
	buf_init(&r.type, 4096);
	buf_init(&r.headers, 4096);
	buf_init(&r.body, 4096);
	struct txn *t = admin_begin(&local, &r.client);
	t->error.status = 431;
	t->ops->refuse(t, ERR_TOO_LARGE, "The head is too large.");
	t->ops->hangup(t);
	assert_int_equal(r.status, 431);
	loop_run_deferred(&loop);
	let_go(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tokens_are_told_apart),
		cmocka_unit_test(doors_show_what_they_should),
		cmocka_unit_test(a_shared_target_is_told_once),
		cmocka_unit_test(other_methods_are_refused_as_json),
		cmocka_unit_test(metrics_are_negotiated),
		cmocka_unit_test(the_page_escapes_what_it_shows),
		cmocka_unit_test(an_open_breaker_is_shown),
		cmocka_unit_test(rates_are_of_the_last_minute),
		cmocka_unit_test(a_request_that_cannot_be_read_is_answered),
	};
	if (!loop_open(&loop))
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	loop_close(&loop);
	return failed;
}
