/*
 * endpoints.c: everything callers may ask for, in one table, and the stage that looks it up.
 *
 * Applications get the base URL wrong in a few well-known ways; a missing or a doubled /v1
 * and a slash at the end are forgiven here, once, for every endpoint.
 */
#include "api/endpoints.h"

#include "api/cors.h"
#include "api/health.h"
#include "api/models.h"
#include "core/call.h"
#include "core/dialect.h"
#include "core/key_answer.h"
#include "core/snapshot.h"
#include "core/txn.h"

#define GET (1u << HTTP_GET)
#define POST (1u << HTTP_POST)
#define DELETE (1u << HTTP_DELETE)

extern const struct dialect openai_chat_dialect, openai_responses_dialect, anthropic_messages_dialect, gemini_dialect;

#define CHAT &openai_chat_dialect
#define RESPONSES &openai_responses_dialect
#define MESSAGES &anthropic_messages_dialect
#define GEMINI &gemini_dialect

static const struct endpoint table[] = {
	/* name, path below /v1, methods, body, route, open, good answers, dialect, answered here by */
	{ "chat", STR_INIT("/chat/completions"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_TEXT, CHAT, NULL },
	{ "completions", STR_INIT("/completions"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_TEXT, CHAT, NULL },
	{ "embeddings", STR_INIT("/embeddings"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_JSON, CHAT, NULL },
	{ "responses", STR_INIT("/responses"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_TEXT, RESPONSES, NULL },
	{ "responses", STR_INIT("/responses/{id}"), GET | DELETE, ENDPOINT_NO_BODY, ROUTE_PROVIDER, false, ANSWER_JSON,
	  RESPONSES, NULL },
	{ "responses", STR_INIT("/responses/{id}"), POST, ENDPOINT_JSON, ROUTE_PROVIDER, false, ANSWER_JSON, RESPONSES, NULL },
	{ "messages", STR_INIT("/messages"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_TEXT, MESSAGES, NULL },
	{ "count_tokens", STR_INIT("/messages/count_tokens"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_JSON, MESSAGES, NULL },
	{ "moderations", STR_INIT("/moderations"), POST, ENDPOINT_JSON, ROUTE_PROVIDER, false, ANSWER_JSON, CHAT, NULL },
	{ "rerank", STR_INIT("/rerank"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_JSON, CHAT, NULL },
	{ "images", STR_INIT("/images/generations"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_JSON, CHAT, NULL },
	{ "images", STR_INIT("/images/edits"), POST, ENDPOINT_JSON_OR_FORM, ROUTE_MODEL, false, ANSWER_JSON, CHAT, NULL },
	{ "images", STR_INIT("/images/variations"), POST, ENDPOINT_FORM, ROUTE_MODEL, false, ANSWER_JSON, CHAT, NULL },
	{ "audio", STR_INIT("/audio/speech"), POST, ENDPOINT_JSON, ROUTE_MODEL, false, ANSWER_ANY, CHAT, NULL },
	{ "audio", STR_INIT("/audio/transcriptions"), POST, ENDPOINT_JSON_OR_FORM, ROUTE_MODEL, false, ANSWER_ANY, CHAT, NULL },
	{ "audio", STR_INIT("/audio/translations"), POST, ENDPOINT_JSON_OR_FORM, ROUTE_MODEL, false, ANSWER_ANY, CHAT, NULL },
	{ "files", STR_INIT("/files"), POST, ENDPOINT_UPLOAD, ROUTE_PROVIDER, false, ANSWER_JSON, CHAT, NULL },
	{ "files", STR_INIT("/files"), GET, ENDPOINT_NO_BODY, ROUTE_PROVIDER, false, ANSWER_JSON, CHAT, NULL },
	{ "files", STR_INIT("/files/{id}"), GET | DELETE, ENDPOINT_NO_BODY, ROUTE_PROVIDER, false, ANSWER_ANY, CHAT, NULL },
	{ "batches", STR_INIT("/batches"), POST, ENDPOINT_JSON, ROUTE_PROVIDER, false, ANSWER_JSON, CHAT, NULL },
	{ "batches", STR_INIT("/batches"), GET, ENDPOINT_NO_BODY, ROUTE_PROVIDER, false, ANSWER_JSON, CHAT, NULL },
	{ "batches", STR_INIT("/batches/{id}"), GET, ENDPOINT_NO_BODY, ROUTE_PROVIDER, false, ANSWER_JSON, CHAT, NULL },
	{ "batches", STR_INIT("/batches/{id}"), POST, ENDPOINT_JSON, ROUTE_PROVIDER, false, ANSWER_JSON, CHAT, NULL },
	{ "generate_content", STR_INIT("/models/{id}:generateContent"), POST, ENDPOINT_JSON, ROUTE_PATH, false, ANSWER_TEXT, GEMINI, NULL },
	{ "generate_content", STR_INIT("/models/{id}:streamGenerateContent"), POST, ENDPOINT_JSON, ROUTE_PATH, false, ANSWER_TEXT, GEMINI, NULL },
	{ "count_tokens", STR_INIT("/models/{id}:countTokens"), POST, ENDPOINT_JSON, ROUTE_PATH, false, ANSWER_JSON, GEMINI, NULL },
	{ "embed_content", STR_INIT("/models/{id}:embedContent"), POST, ENDPOINT_JSON, ROUTE_PATH, false, ANSWER_JSON, GEMINI, NULL },
	{ "embed_content", STR_INIT("/models/{id}:batchEmbedContents"), POST, ENDPOINT_JSON, ROUTE_PATH, false, ANSWER_JSON, GEMINI, NULL },
	{ "models", STR_INIT("/models"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, false, ANSWER_JSON, CHAT, models_list },
	{ "models", STR_INIT("/models/{id}"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, false, ANSWER_JSON, CHAT, models_one },
	{ "key", STR_INIT("/key"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, false, ANSWER_JSON, CHAT, key_answer },
	{ "livez", STR_INIT("/livez"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, true, ANSWER_JSON, CHAT, health_live },
	{ "readyz", STR_INIT("/readyz"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, true, ANSWER_JSON, CHAT, health_ready },
	{ "readyz", STR_INIT("/healthz"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, true, ANSWER_JSON, CHAT, health_ready },
	{ "readyz", STR_INIT("/health"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, true, ANSWER_JSON, CHAT, health_ready },
	{ "root", STR_INIT("/"), GET, ENDPOINT_NO_BODY, ROUTE_HERE, true, ANSWER_JSON, CHAT, health_root },
};

static const struct endpoint preflight = {
	.name = "preflight", .methods = 1u << HTTP_OPTIONS, .body = ENDPOINT_NO_BODY, .route = ROUTE_HERE, .open = true,
	.dialect = CHAT, .answer = cors_preflight,
};

/* --- looking it up --- */

static struct str without_version(struct str path)
{
	static const struct str versions[] = { STR_INIT("/v1/"), STR_INIT("/v1beta/"), STR_INIT("/v1beta1/"), STR_INIT("/v1alpha/") };
	static const struct str vertex = STR_INIT("/publishers/google/models/");
	for (size_t i = 0; i < array_len(versions); i++)
		while (str_starts(path, versions[i]) || str_starts(path, STR("//")))
			path = str_skip(path, path.p[1] == '/' ? 1 : versions[i].n - 1);
	ptrdiff_t at = str_starts(path, STR("/projects/")) || str_starts(path, vertex) ? str_find(path, vertex) : -1;
	if (at >= 0)
		path = str_skip(path, (size_t)at + vertex.n - sizeof("/models/") + 1);
	while (path.n > 1 && path.p[path.n - 1] == '/')
		path.n--;
	return path;
}

/* "{id}" takes one or more segments; behind it may stand a verb. */
static bool path_matches(struct str pattern, struct str path, struct str *id)
{
	static const struct str mark = STR_INIT("{id}");
	*id = STR_NONE;
	ptrdiff_t at = str_find(pattern, mark);
	if (at < 0)
		return str_eq(pattern, path);
	struct str stem = str_head(pattern, (size_t)at), verb = str_skip(pattern, (size_t)at + mark.n);
	if (path.n <= stem.n + verb.n || !str_starts(path, stem) || !str_ends(path, verb))
		return false;
	*id = str_of(path.p + stem.n, path.n - stem.n - verb.n);
	return true;
}

enum endpoint_match endpoint_find(enum http_method method, struct str path, const struct endpoint **found,
				  struct str *below, struct str *id)
{
	enum endpoint_match best = ENDPOINT_UNKNOWN;
	unsigned bit = 1u << (method == HTTP_HEAD ? HTTP_GET : method);
	*below = without_version(path);
	for (size_t i = 0; i < array_len(table); i++) {
		if (!path_matches(table[i].path, *below, id))
			continue;
		*found = &table[i];
		if (table[i].methods & bit)
			return ENDPOINT_FOUND;
		best = ENDPOINT_OTHER_METHOD;
	}
	return best;
}

/* --- the stage --- */

/* Who asks for what has no dialect of its own (lists, nothing at all) is told from the headers its SDK sends. */
static const struct dialect *spoken(const struct request *req)
{
	return req->header[RH_GOOG_API_KEY].p ? GEMINI : req->header[RH_ANTHROPIC_VERSION].p ? MESSAGES : CHAT;
}

static enum stage_result not_found(struct txn *t)
{
	struct str path = str_head(t->req->path, 200);
	if (str_starts(path, STR("/v1")))
		return txn_error(t, ERR_NOT_FOUND, "weir does not serve %.*s.", STR_FMT(path));
	return txn_error(t, ERR_NOT_FOUND, "There is nothing at %.*s. The base URL of this gateway ends in /v1, "
			 "chat is POST /v1/chat/completions.", STR_FMT(path));
}

static enum stage_result enter(struct txn *t)
{
	struct request *req = t->req;
	struct call *call = arena_new(&t->arena, struct call);
	struct str id;
	t->call = call;
	t->dialect = spoken(req);
	if (req->method == HTTP_OPTIONS) {
		t->endpoint = &preflight;
		return preflight.answer(t);
	}
	enum endpoint_match m = endpoint_find(req->method, req->path, &t->endpoint, &call->path, &id);
	if (m == ENDPOINT_UNKNOWN) {
		t->endpoint = NULL;
		return not_found(t);
	}
	if (m == ENDPOINT_OTHER_METHOD)
		return txn_error(t, ERR_METHOD, "%.*s is not allowed at %.*s.", STR_FMT(str_head(req->method_text, 20)),
				 STR_FMT(str_head(req->path, 200)));
	if (t->endpoint->route != ROUTE_HERE)
		t->dialect = t->endpoint->dialect;
	if (t->endpoint->route == ROUTE_PATH)
		call->model = id;
	call->content_type = req->header[RH_CONTENT_TYPE];
	if (t->endpoint->route == ROUTE_HERE && t->endpoint->open)
		return t->endpoint->answer(t);
	return STAGE_NEXT;
}

const struct stage endpoint_stage = { .name = "endpoint", .enter = enter };
