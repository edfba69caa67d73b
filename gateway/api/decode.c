/*
 * decode.c: the stage that reads the body and learns from it what routing needs.
 *
 * Only the few members that decide something are looked at and checked here; everything
 * else is the provider's business and passes unseen. What has to be changed for a provider
 * is noted as edits of the caller's own bytes.
 */
#include "api/decode.h"

#include "api/body.h"
#include "api/cache_member.h"
#include "api/multipart.h"
#include "core/call.h"
#include "core/dialect.h"
#include "core/endpoint.h"
#include "core/snapshot.h"
#include "core/txn.h"
#include "core/usage.h"
#include "wire/json_cursor.h"
#include "wire/url.h"

enum { MODEL_MAX = 512, N_MAX = 128 };
static const int64_t TOKENS_MAX = 100 * 1000 * 1000;

/* --- members of a JSON body --- */

static struct str member(const struct call *call, struct str key)
{
	const struct json_member *m = call->json ? json_scan_find(call->json, call->body, key) : NULL;
	return m ? str_of(call->body.p + m->value_at, m->value_length) : STR_NONE;
}

static enum stage_result wrong(struct txn *t, const char *param, const char *expected)
{
	t->error.param = str_c(param);
	return txn_error(t, ERR_BAD_REQUEST, "`%s` must be %s.", param, expected);
}

static bool is_absent(struct str value)
{
	enum json_type type = json_type(value);
	return type == JSON_NONE || type == JSON_NULL;
}

static bool name_is_clean(struct str name)
{
	for (size_t i = 0; i < name.n; i++)
		if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
			return false;
	return name.n > 0 && name.n <= MODEL_MAX;
}

static enum stage_result read_model(struct txn *t)
{
	struct call *call = t->call;
	struct str value = member(call, STR("model"));
	if (is_absent(value)) {
		if (t->endpoint->route == ROUTE_PROVIDER)
			return STAGE_NEXT;
		return wrong(t, "model", "given: the name of a model");
	}
	if (json_type(value) != JSON_STRING)
		return wrong(t, "model", "a string");
	call->model = json_text(&t->arena, value);
	if (!name_is_clean(call->model))
		return wrong(t, "model", "a name of at most 512 bytes without control characters");
	call->model_at = (size_t)(value.p - call->body.p);
	call->model_length = value.n;
	return STAGE_NEXT;
}

static bool is_flag(struct str value)
{
	enum json_type type = json_type(value);
	return is_absent(value) || type == JSON_TRUE || type == JSON_FALSE;
}

static bool is_count(struct str value, int64_t least, int64_t most)
{
	int64_t n;
	return is_absent(value) || (json_int(value, &n) && n >= least && n <= most);
}

/* The path names the model, and whether a stream is wanted. */
static enum stage_result read_path(struct txn *t)
{
	struct call *call = t->call;
	if (!url_decode(&t->arena, call->model, false, &call->model) || !name_is_clean(call->model))
		return txn_error(t, ERR_BAD_REQUEST, "The model's name in the path is not properly encoded, or too long.");
	call->stream = t->stream = str_ends(call->path, STR(":streamGenerateContent"));
	return STAGE_NEXT;
}

/* Numbers that decide how much may be spent, as Google's format has them. */
static enum stage_result read_gemini(struct txn *t)
{
	struct call *call = t->call;
	struct str config = member(call, STR("generationConfig"));
	if (!config.p)
		config = member(call, STR("generation_config"));
	struct str most = json_get(config, STR("maxOutputTokens")), choices = json_get(config, STR("candidateCount"));
	if (!most.p)
		most = json_get(config, STR("max_output_tokens"));
	if (!choices.p)
		choices = json_get(config, STR("candidate_count"));
	if (str_eq(str_c(t->endpoint->name), STR("generate_content")) && json_first(member(call, STR("contents"))) != '{')
		return wrong(t, "contents", "an array of at least one content, each an object");
	if (!is_count(most, 0, TOKENS_MAX))
		return wrong(t, "generationConfig.maxOutputTokens", "a whole number, at least 0");
	if (!is_count(choices, 1, 8))
		return wrong(t, "generationConfig.candidateCount", "a whole number from 1 to 8");
	if (!json_int(most, &call->max_output))
		call->max_output = 0;
	if (call->stream && !str_has(t->req->query, STR("alt=sse")))
		return wrong(t, "alt", "sse: streams are events here (?alt=sse)");
	call->session = t->req->header[RH_WEIR_SESSION];
	return STAGE_NEXT;
}

/* Numbers that decide how much may be spent: never guessed at. */
static enum stage_result check_numbers(struct txn *t)
{
	static const char *const tokens[] = { "max_tokens", "max_completion_tokens", "max_output_tokens" };
	const struct call *call = t->call;
	for (size_t i = 0; i < array_len(tokens); i++)
		if (!is_count(member(call, str_c(tokens[i])), 0, TOKENS_MAX))
			return wrong(t, tokens[i], "a whole number, at least 0");
	if (!is_count(member(call, STR("n")), 1, N_MAX))
		return wrong(t, "n", "a whole number from 1 to 128");
	return STAGE_NEXT;
}

static enum stage_result check_messages(struct txn *t)
{
	struct str messages = member(t->call, STR("messages"));
	if (json_type(messages) != JSON_ARRAY)
		return wrong(t, "messages", "an array of messages");
	if (json_first(messages) != '{')
		return wrong(t, "messages", "an array of at least one message, each an object");
	t->call->messages_end = (size_t)(messages.p - t->call->body.p) + messages.n - 1;
	return STAGE_NEXT;
}

/* --- edits --- */

/* Where usage has to be asked for: in stream_options, or as a member of its own behind the opening brace. */
static void plan_usage(struct call *call)
{
	struct str options = member(call, STR("stream_options"));
	struct str usage = json_get(options, STR("include_usage"));
	size_t brace = (size_t)str_chr(call->body, '{');
	call->usage_asked = json_type(usage) == JSON_TRUE;
	if (call->usage_asked)
		return;
	if (json_type(options) == JSON_OBJECT && usage.p) {
		call->ask_usage = (struct call_edit){ (size_t)(usage.p - call->body.p), usage.n, STR("true") };
	} else if (json_type(options) == JSON_OBJECT) {
		bool empty = !json_value(str_skip(options, 1)).p;
		call->ask_usage = (struct call_edit){ (size_t)(options.p - call->body.p) + 1, 0,
			empty ? STR("\"include_usage\":true") : STR("\"include_usage\":true,") };
	} else if (options.p) {
		call->ask_usage = (struct call_edit){ (size_t)(options.p - call->body.p), options.n,
			STR("{\"include_usage\":true}") };
	} else {
		call->ask_usage = (struct call_edit){ brace + 1, 0, STR("\"stream_options\":{\"include_usage\":true},") };
	}
}

static void plan_max_tokens(struct call *call)
{
	const struct json_member *m = json_scan_find(call->json, call->body, STR("max_completion_tokens"));
	if (m && is_absent(member(call, STR("max_tokens"))))
		call->max_tokens = (struct call_edit){ m->key_at, m->key_length, STR("\"max_tokens\"") };
}

static bool wants_several(const struct call *call)
{
	int64_t n;
	return json_int(member(call, STR("n")), &n) && n > 1;
}

/* A cut answer can be continued elsewhere when it is one choice of plain text. */
static bool is_resumable(const struct call *call)
{
	return call->stream && call->messages_end && !call->several &&
	       is_absent(member(call, STR("logprobs"))) && is_absent(member(call, STR("audio")));
}

/* What a caller pays more or less for. */
static void read_service(struct call *call)
{
	struct str tier = member(call, STR("service_tier"));
	if (json_is(tier, STR("flex")))
		call->service = SERVICE_FLEX;
	else if (json_is(tier, STR("priority")))
		call->service = SERVICE_PRIORITY;
}

/* What ties a request to earlier ones, most telling first. */
static void read_session(struct txn *t)
{
	static const char *const members[] = { "prompt_cache_key", "user" };
	struct call *call = t->call;
	call->session = t->req->header[RH_WEIR_SESSION];
	for (size_t i = 0; i < array_len(members) && str_empty(call->session); i++)
		call->session = json_raw(member(call, str_c(members[i])));
	if (str_empty(call->session))
		call->session = json_raw(json_get(member(call, STR("metadata")), STR("user_id")));
}

static void read_user(struct txn *t)
{
	struct call *call = t->call;
	call->user = json_raw(member(call, STR("user")));
	if (str_empty(call->user))
		call->user = json_raw(json_get(member(call, STR("metadata")), STR("user_id")));
}

static void read_max_output(struct call *call)
{
	static const char *const members[] = { "max_completion_tokens", "max_tokens", "max_output_tokens" };
	for (size_t i = 0; i < array_len(members) && !call->max_output; i++)
		if (!json_int(member(call, str_c(members[i])), &call->max_output))
			call->max_output = 0;
}

static enum stage_result read_chat(struct txn *t)
{
	struct call *call = t->call;
	bool chat = str_eq(call->path, STR("/chat/completions")), anthropic = str_starts(call->path, STR("/messages"));
	if ((chat || anthropic) && check_messages(t) == STAGE_FAILED)
		return STAGE_FAILED;
	if (call->stream && (chat || str_eq(call->path, STR("/completions"))))
		plan_usage(call);
	if (chat)
		plan_max_tokens(call);
	call->several = chat && wants_several(call);
	call->resumable = chat && is_resumable(call);
	call->base64 = str_eq(call->path, STR("/embeddings")) &&
		       json_is(member(call, STR("encoding_format")), STR("base64"));
	return STAGE_NEXT;
}

static enum stage_result read_json(struct txn *t, struct body *b)
{
	struct call *call = t->call;
	if (b->bad)
		return txn_error(t, ERR_BAD_JSON, "The body is not valid JSON: %s at byte %zu.", b->scan.error,
				 b->scan.error_at);
	struct str rest;
	if (unlikely(cache_member_take(&t->arena, &b->scan, call->body, &call->cache_object, &rest)))
		return decode_json(t, rest);
	call->json = &b->scan;
	if (t->key && t->key->asks_user)
		read_user(t);
	if (t->endpoint->route == ROUTE_PATH)
		return read_path(t) == STAGE_FAILED ? STAGE_FAILED : read_gemini(t);
	if (read_model(t) == STAGE_FAILED)
		return STAGE_FAILED;
	struct str stream = member(call, STR("stream"));
	if (!is_flag(stream))
		return wrong(t, "stream", "true or false");
	call->stream = t->stream = json_type(stream) == JSON_TRUE;
	if (check_numbers(t) == STAGE_FAILED)
		return STAGE_FAILED;
	read_service(call);
	read_session(t);
	read_max_output(call);
	return read_chat(t);
}

static enum stage_result read_form(struct txn *t)
{
	struct call *call = t->call;
	struct str boundary = multipart_boundary(call->content_type);
	struct str model = multipart_field(call->body, boundary, STR("model"));
	if (str_empty(boundary))
		return txn_error(t, ERR_BAD_REQUEST, "The multipart body has no boundary in its content type.");
	if (!model.p && t->endpoint->route == ROUTE_MODEL && str_ends(call->path, STR("/variations")))
		model = STR("dall-e-2");	/* the only model this endpoint ever had, and its default */
	else if (!model.p)
		return wrong(t, "model", "given: the name of a model");
	if (!name_is_clean(model))
		return wrong(t, "model", "a name of at most 512 bytes without control characters");
	call->model = model;
	if (model.p >= call->body.p && model.p < call->body.p + call->body.n) {
		call->model_at = (size_t)(model.p - call->body.p);
		call->model_length = model.n;
	}
	call->stream = t->stream = str_eq(multipart_field(call->body, boundary, STR("stream")), STR("true"));
	return STAGE_NEXT;
}

enum stage_result decode_json(struct txn *t, struct str text)
{
	struct body *b = arena_new(&t->arena, struct body);
	json_scan_init(&b->scan, &t->arena);
	b->bad = json_scan_feed(&b->scan, text.p, text.n, true) != JSON_DONE;
	t->call->body = text;
	t->call->shared = NULL;
	return read_json(t, b);
}

/* --- headers that lower the time --- */

static int64_t lower(int64_t limit_us, uint64_t us)
{
	return us > 0 && us < (uint64_t)INT64_MAX && (limit_us == 0 || (int64_t)us < limit_us) ? (int64_t)us : limit_us;
}

static void read_timeouts(struct txn *t)
{
	uint64_t n;
	struct str seconds = t->req->header[RH_STAINLESS_TIMEOUT];
	ptrdiff_t dot = str_chr(seconds, '.');
	if (str_u64(t->req->header[RH_WEIR_TIMEOUT_MS], &n) && n < UINT64_MAX / 1000)
		t->call->timeout_us = lower(t->call->timeout_us, n * 1000);
	if (str_u64(dot > 0 ? str_head(seconds, (size_t)dot) : seconds, &n) && n < UINT64_MAX / 1000000)
		t->call->timeout_us = lower(t->call->timeout_us, n * 1000000);
}

/* --- the stage --- */

static bool is_json_type(struct str type)
{
	struct str media;
	if (str_empty(type))
		return true;
	str_split(&type, ';', &media);
	media = str_trim(media);
	return str_ieq(media, STR("application/json")) || (media.n > 5 && str_ieq(str_skip(media, media.n - 5), STR("+json")));
}

static enum stage_result check_type(struct txn *t, bool *is_json)
{
	enum endpoint_body want = t->endpoint->body;
	struct str type = t->call->content_type, encoding = t->req->header[RH_CONTENT_ENCODING];
	bool form = str_istarts(type, STR("multipart/form-data"));
	*is_json = want == ENDPOINT_JSON || (want == ENDPOINT_JSON_OR_FORM && !form);
	if (encoding.p && !str_ieq(encoding, STR("identity")))
		return txn_error(t, ERR_UNSUPPORTED_MEDIA, "A compressed body is not accepted; send it without content-encoding.");
	if (*is_json && !is_json_type(type))
		return txn_error(t, ERR_UNSUPPORTED_MEDIA, "The content type must be application/json, not %.*s.", STR_FMT(str_head(type, 100)));
	if (!*is_json && !form)
		return txn_error(t, ERR_UNSUPPORTED_MEDIA, "The content type must be multipart/form-data.");
	return STAGE_NEXT;
}

static enum stage_result read_whole(struct txn *t, struct body *b)
{
	t->call->body = str_of(b->bytes, b->n);
	t->call->shared = b->shared;
	t->cancel = NULL;
	if (b->n == 0 && t->endpoint->route == ROUTE_PROVIDER)
		return STAGE_NEXT;
	if (b->is_json)
		return read_json(t, b);
	return read_form(t);
}

static enum stage_result enter(struct txn *t)
{
	struct body *b = t->stage_data;
	bool is_json;
	if (b) {	/* resumed: the body is complete */
		t->stage_data = NULL;
		return read_whole(t, b);
	}
	read_timeouts(t);
	if (t->endpoint->body == ENDPOINT_NO_BODY)
		return STAGE_NEXT;
	if (t->endpoint->body == ENDPOINT_UPLOAD) {
		t->call->upload = true;
		return STAGE_NEXT;
	}
	if (check_type(t, &is_json) == STAGE_FAILED)
		return STAGE_FAILED;
	b = arena_new(&t->arena, struct body);
	if (body_collect(t, b, is_json))
		return read_whole(t, b);
	if (t->state == TXN_DONE)
		return STAGE_ANSWERED;	/* the body was refused while it was read */
	t->stage_data = b;
	return STAGE_PARKED;
}

const struct stage decode_stage = { .name = "decode", .enter = enter };

/* --- again --- */

static enum stage_result enter_changes(struct txn *t)
{
	struct call before = *t->call;
	if (likely(!before.changed))
		return STAGE_NEXT;
	*t->call = (struct call){ .model = t->endpoint->route == ROUTE_PATH ? before.model : STR_NONE, .content_type = before.content_type, .path = before.path, .timeout_us = before.timeout_us,
				   .cache_object = before.cache_object };
	return decode_json(t, before.body);
}

const struct stage decode_changes_stage = { .name = "decode_changes", .enter = enter_changes };
