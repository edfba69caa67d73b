/*
 * stages_test.c: what is counted and logged of requests that ended in different ways.
 */
#include "telemetry/stages.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/call.h"
#include "core/endpoint.h"
#include "core/families.h"
#include "core/txn.h"
#include "telemetry/families.h"

static const struct endpoint chat = { .name = "chat" };
static struct live_model fast = { .name = STR_INIT("fast") };
static struct live_target answering = { .name = STR_INIT("mistral/large") };

static struct txn served(void)
{
	return (struct txn){
		.endpoint = &chat, .live_model = &fast, .live_target = &answering, .attempts = 1, .stream = true,
		.answer = { .status = 200, .begun = true, .event_stream = true }, .method = HTTP_POST, .id = "req_1",
		.usage = { .known = true, .input = 10, .output = 21, .cached = 4 },
		.began_us = 1000000, .first_content_us = 1200000, .ended_us = 3200000, .upstream_us = 2199900,
	};
}

static void assert_metric(const char *text)
{
	struct buf b = BUF_INIT(16 << 20);
	assert_true(counters_render(&b, false));
	buf_addc(&b, '\0');
	if (!strstr(b.p, text))
		fail_msg("no \"%s\" in:\n%s", text, b.p);
	buf_free(&b);
}

static void a_served_stream_is_counted(void **state)
{
	(void)state;
	struct txn t = served();
	assert_int_equal(metrics_stage.enter(&t), STAGE_NEXT);
	assert_metric("\nweir_requests_in_flight 1\n");
	metrics_stage.leave(&t);
	assert_metric("\nweir_requests_in_flight 0\n");
	assert_metric("\nweir_requests_total{endpoint=\"chat\",model=\"fast\",status=\"2xx\",error_type=\"none\"} 1\n");
	assert_metric("\nweir_request_duration_seconds_sum{endpoint=\"chat\",model=\"fast\"} 2.2\n");
	assert_metric("\nweir_time_to_first_token_seconds_sum{endpoint=\"chat\",model=\"fast\"} 0.2\n");
	assert_metric("\nweir_overhead_seconds_bucket{endpoint=\"chat\",le=\"5e-05\"} 0\n"
		      "weir_overhead_seconds_bucket{endpoint=\"chat\",le=\"0.0001\"} 1\n");
	assert_metric("\nweir_tokens_total{model=\"fast\",provider=\"mistral\",type=\"output\"} 21\n");
	assert_metric("\nweir_tokens_total{model=\"fast\",provider=\"mistral\",type=\"cache_read\"} 4\n");
	assert_metric("gen_ai_server_time_per_output_token_seconds_sum{gen_ai_operation_name=\"chat\","
		      "gen_ai_provider_name=\"mistral_ai\",gen_ai_original_model=\"fast\","
		      "gen_ai_request_model=\"large\",gen_ai_response_model=\"large\"} 0.1\n");
	assert_metric("gen_ai_client_token_usage_sum{gen_ai_operation_name=\"chat\","
		      "gen_ai_provider_name=\"mistral_ai\",gen_ai_original_model=\"fast\","
		      "gen_ai_request_model=\"large\",gen_ai_token_type=\"input\"} 10\n");
	assert_metric("gen_ai_server_request_duration_seconds_count{gen_ai_operation_name=\"chat\","
		      "gen_ai_provider_name=\"mistral_ai\",gen_ai_original_model=\"fast\","
		      "gen_ai_request_model=\"large\",error_type=\"\"} 1\n");
}

static void a_refused_request_is_counted(void **state)
{
	(void)state;
	struct txn t = { .error = { .kind = ERR_BAD_REQUEST }, .began_us = 5, .ended_us = 7 };
	metrics_stage.enter(&t);
	metrics_stage.leave(&t);
	assert_metric("\nweir_requests_total{endpoint=\"none\",model=\"none\",status=\"4xx\","
		      "error_type=\"caller_bad_request\"} 1\n");
}

static void broken_streams_and_retries_are_counted(void **state)
{
	(void)state;
	struct txn t = served();
	t.cut = true;
	t.attempts = 3;
	t.error.kind = ERR_UPSTREAM_BROKEN;
	metrics_stage.enter(&t);
	metrics_stage.leave(&t);
	assert_metric("\nweir_stream_aborts_total{side=\"upstream\"} 1\n");
	assert_metric("\nweir_retries_total{model=\"fast\"} 2\n");
	assert_metric("{endpoint=\"chat\",model=\"fast\",status=\"2xx\",error_type=\"provider_error\"} 1\n");
}

static void attempts_are_counted_by_target(void **state)
{
	(void)state;
	families_attempt(&answering, ERR_NONE, 300000);
	families_attempt(&answering, ERR_TIMEOUT, 300000);
	families_attempt(NULL, ERR_TIMEOUT, 300000);
	families_fallback(STR("a/b"), STR("c/d"), ERR_TIMEOUT);
	assert_metric("\nweir_upstream_attempts_total{provider=\"mistral\",target=\"mistral/large\",result=\"success\"} 1\n");
	assert_metric("target=\"mistral/large\",result=\"provider_timeout\"} 1\n");
	assert_metric("\nweir_upstream_duration_seconds_count{provider=\"mistral\",target=\"mistral/large\"} 1\n");
	assert_metric("\nweir_fallbacks_total{from=\"a/b\",to=\"c/d\",reason=\"provider_timeout\"} 1\n");
}

static void what_is_configured_is_there_at_zero(void **state)
{
	(void)state;
	static struct live_target live = { .name = STR_INIT("p/m") };
	static struct live_model model = { .name = STR_INIT("alias") };
	struct provider p = { .name = STR_INIT("p") };
	struct target t = { .provider = &p, .model = STR_INIT("m"), .name = STR_INIT("p/m"), .live = &live };
	struct target *const targets[] = { &t };
	struct model m = { .name = STR_INIT("alias"), .targets = targets, .n_targets = 1, .live = &model };
	struct model *const models[] = { &m };
	struct snapshot s = { .targets = targets, .n_targets = 1, .models = models, .n_models = 1 };
	families_prepare(&s);
	families_prepare(&s);
	assert_metric("\nweir_upstream_attempts_total{provider=\"p\",target=\"p/m\",result=\"success\"} 0\n");
	assert_metric("\nweir_requests_total{endpoint=\"chat\",model=\"alias\",status=\"2xx\",error_type=\"none\"} 0\n");
	assert_metric("\nweir_tokens_total{model=\"alias\",provider=\"p\",type=\"reasoning\"} 0\n");
	assert_metric("\nweir_upstream_up{provider=\"p\",target=\"p/m\"} 1\n");
}

/* The line written for `t`, parsed. */
static json_t *logged(struct txn *t)
{
	char path[] = "/tmp/weir-access-XXXXXX", text[16384];
	struct buf why = BUF_INIT(256);
	int fd = mkstemp(path);
	struct log_sink *s = log_sink_open(str_c(path), &why);
	access_log_to(s);
	assert_int_equal(access_log_stage.enter(t), STAGE_NEXT);
	access_log_stage.leave(t);
	access_log_to(NULL);
	log_sink_close(s);
	ssize_t n = read(fd, text, sizeof text);
	close(fd);
	unlink(path);
	assert_true(n > 0 && text[n - 1] == '\n');
	json_error_t e;
	json_t *line = json_loadb(text, (size_t)n, JSON_ALLOW_NUL, &e);
	if (!line)
		fail_msg("%s: %.*s", e.text, (int)n, text);
	return line;
}

static void assert_field(json_t *line, const char *key, const char *value)
{
	char *text = json_dumps(json_object_get(line, key), JSON_ENCODE_ANY | JSON_COMPACT);
	assert_non_null(text);
	assert_string_equal(text, value);
	free(text);
}

static void a_stream_leaves_one_line(void **state)
{
	(void)state;
	struct request req = { .peer = STR("::1") };
	struct txn t = served();
	t.req = &req;
	t.answer.bytes = 77;
	access_log_stage.enter(&t);
	t.req = NULL;	/* let go at the stream's commit */
	json_t *line = logged(&t);
	assert_field(line, "peer", "\"::1\"");
	assert_field(line, "bytes", "77");
	assert_field(line, "id", "\"req_1\"");
	assert_field(line, "method", "\"POST\"");
	assert_field(line, "endpoint", "\"chat\"");
	assert_field(line, "model", "\"fast\"");
	assert_field(line, "target", "\"mistral/large\"");
	assert_field(line, "attempts", "1");
	assert_field(line, "status", "200");
	assert_field(line, "stream", "true");
	assert_field(line, "tokens", "{\"input\":10,\"output\":21,\"cached\":4,\"reasoning\":0}");
	assert_true(json_real_value(json_object_get(line, "ms")) == 2200.0);
	assert_true(json_real_value(json_object_get(line, "ms_first_token")) == 200.0);
	assert_true(json_real_value(json_object_get(line, "ms_upstream")) == 2199.9);
	assert_null(json_object_get(line, "error"));
	json_decref(line);
}

static void callers_text_is_capped_and_escaped(void **state)
{
	(void)state;
	char evil[5000];
	memset(evil, '\x1f', sizeof evil);
	memcpy(evil, "a\"\\\0\n\xff", 6);
	struct str text = str_of(evil, sizeof evil);
	struct request req = { .path = text, .peer = text };
	struct call call = { .model = text };
	struct live_key live_key = { .name = text };
	struct key key = { .team = text };
	struct live_target target = { .name = text };
	struct txn t = { .req = &req, .call = &call, .live_key = &live_key, .key = &key, .live_target = &target,
		.attempts = 1, .error = { .kind = ERR_NO_MODEL }, .caller_gone = true, .cut = true };
	memset(t.id, 'x', sizeof t.id - 1);
	json_t *line = logged(&t);
	assert_field(line, "status", "404");
	assert_field(line, "error", "\"caller_no_model\"");
	assert_field(line, "caller_gone", "true");
	json_t *path = json_object_get(line, "path");
	assert_non_null(path);
	assert_true(json_string_length(path) <= 256 + 2);	/* one byte became a U+FFFD of three */
	json_decref(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_served_stream_is_counted),
		cmocka_unit_test(a_refused_request_is_counted),
		cmocka_unit_test(broken_streams_and_retries_are_counted),
		cmocka_unit_test(attempts_are_counted_by_target),
		cmocka_unit_test(what_is_configured_is_there_at_zero),
		cmocka_unit_test(a_stream_leaves_one_line),
		cmocka_unit_test(callers_text_is_capped_and_escaped),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	log_close();
	return failed;
}
