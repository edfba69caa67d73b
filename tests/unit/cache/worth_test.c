/*
 * worth_test.c: only what is whole and good is kept, in every dialect, however its JSON is spelled.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "api/endpoints.h"
#include "cache/worth.h"
#include "core/endpoint.h"

enum { NO, YES, TOOLS, LIMITED };	/* never kept; always; only where tool calls are wanted; only with a limit of the caller's */

struct sample { const char *body; int when; };

static const struct endpoint *endpoint(const char *path)
{
	const struct endpoint *found;
	struct str below, id;
	assert_int_equal(endpoint_find(HTTP_POST, str_c(path), &found, &below, &id), ENDPOINT_FOUND);
	return found;
}

static void check_one(const char *path, bool stream, const struct sample *s)
{
	struct worth w = { .endpoint = endpoint(path), .stream = stream };
	for (int i = 0; i < 4; i++) {
		w.tools = i & 1;
		w.limited = i & 2;
		bool expected = s->when == YES || (s->when == TOOLS && w.tools) || (s->when == LIMITED && w.limited);
		if (worth_keeping(&w, str_c(s->body)) != expected)
			fail_msg("%s, tools %d, limited %d: %s", path, w.tools, w.limited, s->body);
	}
}

static void check(const char *path, bool stream, const struct sample *samples, size_t n)
{
	for (size_t i = 0; i < n; i++)
		check_one(path, stream, &samples[i]);
}

#define CHECK(path, stream, samples) check(path, stream, samples, sizeof(samples) / sizeof((samples)[0]))
#define CHOICE(message, finish) "{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\"," message "},\"finish_reason\":" finish "}]}"
#define SAID "\"content\":\"hi\""
#define CALLED(space) "\"content\":null,\"tool_calls\"" space ":" space "[" space "{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}]"

static void chat(void **state)
{
	static const struct sample plain[] = {
		{ CHOICE(SAID, "\"stop\""), YES }, { CHOICE(SAID, "\"length\""), LIMITED }, { CHOICE(SAID, "\"content_filter\""), NO },
		{ CHOICE(SAID, "null"), NO }, { CHOICE(SAID, "\"error\""), NO }, { CHOICE(SAID, "\"insufficient_system_resource\""), NO },
		{ CHOICE(CALLED(""), "\"tool_calls\""), TOOLS }, { CHOICE(CALLED(" "), "\"tool_calls\""), TOOLS },
		{ CHOICE(CALLED("\n\t "), "\"tool_calls\""), TOOLS }, { CHOICE(SAID ",\"tool_calls\":[]", "\"stop\""), YES },
		{ CHOICE("\"function_call\":{\"name\":\"f\",\"arguments\":\"{}\"}", "\"function_call\""), TOOLS },
		{ CHOICE("\"refusal\":\"I cannot\"", "\"stop\""), NO }, { CHOICE("\"content\":\"\\\"finish_reason\\\":\\\"content_filter\\\"\"", "\"stop\""), YES },
		{ CHOICE("\"\\u0074ool_calls\":[{\"id\":\"a\",\"function\":{\"name\":\"f\"}}]", "\"tool_calls\""), TOOLS },
		{ "{\"choices\":[]}", NO }, { "{}", NO }, { "", NO }, { "nonsense", NO }, { "{\"error\":{\"message\":\"no\"}}", NO },
		{ "{\"choices\":[{\"index\":0,\"message\":{" SAID "},\"finish_reason\":\"stop\"},{\"index\":1,\"message\":{" SAID "},\"finish_reason\":null}]}", NO },
	};
	static const struct sample streams[] = {
		{ "data: {\"choices\":[{\"index\":0,\"delta\":{" SAID "}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n", YES },
		{ "data: {\"choices\":[{\"index\":0,\"delta\":{" SAID "}}]}\n\ndata: [DONE]\n\n", NO },
		{ "data: {\"choices\":[{\"index\":0,\"delta\":{" SAID "}}]}\n\ndata: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\n", NO },
		{ "data: {\"choices\":[{\"index\":0,\"delta\":{" CALLED("  ") "},\"finish_reason\":\"tool_calls\"}]}\r\n\r\ndata: [DONE]", TOOLS },
	};
	(void)state;
	CHECK("/v1/chat/completions", false, plain);
	CHECK("/v1/chat/completions", true, streams);
}

static void text_completions(void **state)
{
	static const struct sample plain[] = {
		{ "{\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":\"stop\"}]}", YES },
		{ "{\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":\"length\"}]}", LIMITED },
		{ "{\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":\"content_filter\"}]}", NO },
	};
	(void)state;
	CHECK("/v1/completions", false, plain);
}

#define MESSAGE(content, reason) "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[" content "],\"stop_reason\":" reason "}"
#define TEXT "{\"type\":\"text\",\"text\":\"hi\"}"

static void messages(void **state)
{
	static const struct sample plain[] = {
		{ MESSAGE(TEXT, "\"end_turn\""), YES }, { MESSAGE(TEXT, "\"stop_sequence\""), YES }, { MESSAGE(TEXT, "\"max_tokens\""), LIMITED },
		{ MESSAGE(TEXT, "\"refusal\""), NO }, { MESSAGE(TEXT, "\"pause_turn\""), NO }, { MESSAGE(TEXT, "\"model_context_window_exceeded\""), NO },
		{ MESSAGE(TEXT, "null"), NO }, { MESSAGE("{\"type\" :\n\"tool_use\",\"id\":\"a\",\"name\":\"f\",\"input\":{}}", "\"tool_use\""), TOOLS },
		{ MESSAGE("{\"type\":\"server_tool_use\",\"id\":\"a\",\"name\":\"web_search\",\"input\":{}}," TEXT, "\"end_turn\""), TOOLS },
		{ MESSAGE("{\"type\":\"thinking\",\"thinking\":\"hm\",\"signature\":\"s\"}," TEXT, "\"end_turn\""), YES },
	};
	static const struct sample streams[] = {
		{ "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"content\":[]}}\n\nevent: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
		  "\"content_block\":{\"type\":\"text\",\"text\":\"hi\"}}\n\nevent: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n", YES },
		{ "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"mcp_tool_use\",\"id\":\"a\",\"name\":\"f\"}}\n\n"
		  "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"}}\n\n", TOOLS },
	};
	(void)state;
	CHECK("/v1/messages", false, plain);
	CHECK("/v1/messages", true, streams);
}

#define RESPONSE(status, items) "{\"object\":\"response\",\"status\":" status ",\"output\":[" items "]}"
#define ITEM "{\"type\":\"message\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"hi\"}]}"

static void responses(void **state)
{
	static const struct sample plain[] = {
		{ RESPONSE("\"completed\"", ITEM), YES }, { RESPONSE("\"incomplete\"", ITEM), NO }, { RESPONSE("\"failed\"", ""), NO },
		{ RESPONSE("\"in_progress\"", ITEM), NO }, { RESPONSE("\"queued\"", ""), NO }, { RESPONSE("\"cancelled\"", ITEM), NO },
		{ "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"},\"output\":[" ITEM "]}", LIMITED },
		{ "{\"status\":\"incomplete\",\"incomplete_details\":{\"reason\":\"content_filter\"},\"output\":[" ITEM "]}", NO },
		{ RESPONSE("\"completed\"", "{\"type\":  \"function_call\",\"call_id\":\"a\",\"name\":\"f\",\"arguments\":\"{}\"}"), TOOLS },
		{ RESPONSE("\"completed\"", "{\"type\":\"custom_tool_call\",\"call_id\":\"a\",\"name\":\"f\",\"input\":\"x\"}"), TOOLS },
		{ RESPONSE("\"completed\"", "{\"type\":\"computer_call\",\"call_id\":\"a\"}"), TOOLS },
	};
	static const struct sample streams[] = {
		{ "event: response.output_text.delta\ndata: {\"delta\":\"hi\"}\n\nevent: response.completed\ndata: {\"response\":" RESPONSE("\"completed\"", ITEM) "}\n\n", YES },
		{ "event: response.output_text.delta\ndata: {\"delta\":\"hi\"}\n\nevent: response.incomplete\ndata: {\"response\":" RESPONSE("\"incomplete\"", ITEM) "}\n\n", NO },
		{ "event: response.output_item.added\ndata: {\"output_index\":0,\"item\":{\"type\":\"local_shell_call\"}}\n\nevent: response.completed\ndata: {\"response\":"
		  RESPONSE("\"completed\"", "") "}\n\n", TOOLS },
		{ "event: response.output_text.delta\ndata: {\"delta\":\"hi\"}\n\nevent: response.failed\ndata: {\"response\":" RESPONSE("\"failed\"", "") "}\n\n", NO },
	};
	(void)state;
	CHECK("/v1/responses", false, plain);
	CHECK("/v1/responses", true, streams);
}

static void generate_content(void **state)
{
	static const char *const ends[] = { "SAFETY", "RECITATION", "LANGUAGE", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MALFORMED_FUNCTION_CALL",
		"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_OTHER", "NO_IMAGE", "IMAGE_RECITATION", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS",
		"MISSING_THOUGHT_SIGNATURE", "MALFORMED_RESPONSE", "FINISH_REASON_UNSPECIFIED", "NEVER_HEARD_OF" };
	static const char *const parts[] = { "{\"text\":\"hi\"}", "{\"functionCall\":{\"name\":\"f\",\"args\":{}}}" };
	static const struct sample plain[] = {
		{ "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]},\"finishReason\":\"STOP\"}]}", YES },
		{ "{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]},\"finishReason\":\"MAX_TOKENS\"}]}", LIMITED },
		{ "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\" : {\"name\":\"f\"}}]},\"finishReason\":\"STOP\"}]}", TOOLS },
		{ "{\"candidates\":[{\"content\":{\"parts\":[{\"executableCode\":{\"code\":\"1\"}}]},\"finishReason\":\"STOP\"}]}", TOOLS },
		{ "{\"promptFeedback\":{\"blockReason\":\"OTHER\"}}", NO },
	};
	char body[512];
	(void)state;
	CHECK("/v1beta/models/m:generateContent", false, plain);
	for (size_t i = 0; i < 2 * sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(body, sizeof(body), "%s{\"candidates\":[{\"content\":{\"parts\":[%s]},\"finishReason\":\"%s\",\"index\":0}]}%s", i & 1 ? "data: " : "",
			 parts[i / 2 % 2], ends[i / 2], i & 1 ? "\n\n" : "");
		check_one("/v1beta/models/m:generateContent", i & 1, &(struct sample){ body, NO });
	}
}

static void what_is_no_text(void **state)
{
	static const struct sample plain[] = {
		{ "{\"data\":[{\"embedding\":[0.5]}]}", YES }, { "{\"data\":[{\"embedding\":[0.5]}", NO }, { "[]", NO },
		{ "{\"error\":{\"message\":\"no\"}}", NO }, { "{\"results\":[],\"error\":null}", YES },
	};
	(void)state;
	CHECK("/v1/embeddings", false, plain);
	CHECK("/v1/rerank", false, plain);
	CHECK("/v1/moderations", false, plain);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chat), cmocka_unit_test(text_completions), cmocka_unit_test(messages), cmocka_unit_test(responses),
		cmocka_unit_test(generate_content), cmocka_unit_test(what_is_no_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
