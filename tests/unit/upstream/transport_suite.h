/*
 * transport_suite.h: what the contract's tests share: a provider and a caller for each
 * case, scripts of common use, and the running of one table of cases for each transport.
 */
#ifndef WEIR_TESTS_TRANSPORT_SUITE_H
#define WEIR_TESTS_TRANSPORT_SUITE_H

#include <assert.h>
#include <errno.h>
#include <signal.h>

#include "scripted_provider.h"
#include "transport_client.h"

struct fixture {
	struct client client;
	struct provider_thread provider;
};

#define OK_HELLO STR("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello")

static inline struct fixture *fixture_open(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	client_open(&f->client, *state);
	provider_listen(&f->provider);
	client_origin(&f->client, "127.0.0.1", f->provider.port);
	return f;
}

static inline void fixture_close(struct fixture *f)
{
	client_close(&f->client);
	provider_join(&f->provider);
	free(f);
}

/* Answers with p->text, waits for the other side to close. */
static inline void script_text(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, str_c(p->text));
	hear_close(p, &io);
	hang_up(&io);
}

static inline void script_text_then_close(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, str_c(p->text));
	hang_up(&io);
}

static inline void script_text_then_reset(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	if (hear(p, &io))
		say(&io, str_c(p->text));
	reset(&io);
}

static inline void script_three_hellos(struct provider_thread *p)
{
	struct io io = provider_accept(p);
	for (int i = 0; i < 3 && hear(p, &io); i++)
		say(&io, OK_HELLO);
	hear_close(p, &io);
	hang_up(&io);
}

static inline struct fixture *ask(void **state, void (*script)(struct provider_thread *), const char *text)
{
	struct fixture *f = fixture_open(state);
	f->provider.text = text;
	provider_run(&f->provider, script);
	client_get(&f->client);
	return f;
}

enum { CASES_MAX = 64 };

#define CASE(name) { #name, name, NULL, NULL, NULL }

static inline int suite_for(const char *name, const struct transport *t, const struct CMUnitTest *cases, size_t n)
{
	struct CMUnitTest tests[CASES_MAX];
	assert(n <= CASES_MAX);
	memcpy(tests, cases, n * sizeof(*cases));
	for (size_t i = 0; i < n; i++)
		tests[i].initial_state = (void *)(uintptr_t)t;
	return _cmocka_run_group_tests(name, tests, n, NULL, NULL);
}

/* Each case for each transport; its state is the transport. */
static inline int suite_run(const struct CMUnitTest *cases, size_t n)
{
	signal(SIGPIPE, SIG_IGN);
	if (!resolver_start())
		return 1;
	int failed = suite_for("http1", &http1_transport, cases, n);
	failed += suite_for("curl", &curl_transport, cases, n);
	resolver_stop();
	return failed;
}

#endif
