/*
 * openai_errors.c: errors of OpenAI's formats, and of everybody who says to be compatible.
 *
 * Vendors agree on the status and on little else: {"error":{...}}, {"error":"text"},
 * {"detail":...}, {"message":...}, flat {"code","error"}, HTML, nothing. The status decides
 * first, the words only where a status means several things (read 2026-11 from the vendors'
 * published traffic).
 */
#include "dialects/openai_errors.h"

#include "wire/json_cursor.h"

void openai_write_error(struct buf *out, const struct error *e, struct str request_id)
{
	const struct error_row *row = error_row(e->kind);
	(void)request_id;
	buf_add(out, STR("{\"error\":{\"message\":"));
	buf_add_json(out, e->message);
	buf_addf(out, ",\"type\":\"%s\",\"param\":", row->type);
	if (str_empty(e->param))
		buf_add(out, STR("null"));
	else
		buf_add_json(out, e->param);
	buf_add(out, STR(",\"code\":"));
	if (!str_empty(e->code))
		buf_add_json(out, e->code);
	else if (row->code)
		buf_addf(out, "\"%s\"", row->code);
	else
		buf_add(out, STR("null"));
	buf_add(out, STR("}}"));
}

void openai_write_error_event(struct buf *out, const struct error *e, struct str request_id)
{
	buf_add(out, STR("data: "));
	openai_write_error(out, e, request_id);
	buf_add(out, STR("\n\n"));
}

/* --- reading --- */

static struct str scalar(struct str value)
{
	struct str text = json_raw(value);
	return text.p ? text : value;
}

static struct str first_text(struct str object, const char *const *keys)
{
	for (; *keys; keys++) {
		struct str text = json_raw(json_get(object, str_c(*keys)));
		if (!str_empty(text))
			return text;
	}
	return STR_NONE;
}

/* Finds the object that describes the error, and its message and code. */
static struct str find_message(struct str body, struct provider_error *out)
{
	static const char *const words[] = { "message", "detail", "error", "error_description", "title", NULL };
	struct json_cursor c;
	body = json_value(body);
	if (json_type(body) == JSON_ARRAY && json_cursor_open(&c, body) && json_cursor_next(&c))
		body = c.value;
	struct str error = json_get(body, STR("error")), type = STR_NONE;
	if (json_type(error) == JSON_OBJECT) {
		out->code = scalar(json_get(error, STR("code")));
		type = json_raw(json_get(error, STR("type")));
		out->message = first_text(error, words);
		out->native = !str_empty(out->message) && json_raw(json_get(error, STR("message"))).p != NULL;
	} else {
		struct str detail = json_get(body, STR("detail"));
		out->code = scalar(json_get(body, STR("code")));
		type = json_raw(json_get(body, STR("type")));
		out->message = json_type(detail) == JSON_OBJECT ? first_text(detail, words) : first_text(body, words);
	}
	return type;
}

static bool says(struct str text, const char *const *phrases)
{
	for (; *phrases; phrases++)
		if (str_ihas(text, str_c(*phrases)))
			return true;
	return false;
}

static bool is_context_length(const struct provider_error *e)
{
	static const char *const phrases[] = {
		"maximum context length", "context length", "context window", "context_length", "too many tokens",
		"prompt is too long", "input is too long", "exceeds the model's maximum", "exceed context",
		"exceeds the available context", "messages is too long", NULL
	};
	return str_eq(e->code, STR("context_length_exceeded")) || says(e->message, phrases);
}

static bool is_content_policy(const struct provider_error *e)
{
	static const char *const phrases[] = { "content management policy", "content policy", "safety system", NULL };
	return str_eq(e->code, STR("content_filter")) || str_has(e->code, STR("content_policy")) ||
	       str_eq(e->code, STR("moderation_blocked")) || says(e->message, phrases);
}

static bool is_billing(const struct provider_error *e, struct str type)
{
	static const char *const phrases[] = {
		"insufficient balance", "insufficient_quota", "credit balance", "out of credit", "exceeded your current quota",
		"insufficient credits", "billing", NULL
	};
	return str_eq(e->code, STR("insufficient_quota")) || str_eq(type, STR("insufficient_quota")) ||
	       str_eq(e->code, STR("credit_balance_exhausted")) || says(e->message, phrases);
}

static bool is_model_gone(const struct provider_error *e)
{
	static const char *const codes[] = { "model_not_found", "model_decommissioned", "DeploymentNotFound",
					     "model_not_available", "invalid_model", "UnknownModelError", NULL };
	static const char *const phrases[] = { "model does not exist", "model not exist",
					       "does not exist or you do not have access", "supported models are",
					       "model not found", "no such model", "has been decommissioned", "has been deprecated",
					       "is no longer available", "unknown model", "model_not_found",
					       "is not a valid model", "invalid model", NULL };
	for (const char *const *c = codes; *c; c++)
		if (str_eq(e->code, str_c(*c)))
			return true;
	return says(e->message, phrases) ||
	       (str_ihas(e->message, STR("model")) && str_ihas(e->message, STR("not found")));
}

static bool is_bad_key(const struct provider_error *e)
{
	static const char *const phrases[] = { "incorrect api key", "invalid api key", "api key not valid", NULL };
	return str_eq(e->code, STR("invalid_api_key")) || says(e->message, phrases);
}

/* "Request too large for ..." comes as a 429 and will never fit: waiting does not help. */
static enum error_kind kind_of_429(const struct provider_error *e, struct str type)
{
	if (is_billing(e, type))
		return ERR_UPSTREAM_BILLING;
	return str_ihas(e->message, STR("request too large")) ? ERR_CONTEXT_LENGTH : ERR_UPSTREAM_RATE_LIMIT;
}

static enum error_kind kind_of_400(const struct provider_error *e)
{
	if (is_context_length(e))
		return ERR_CONTEXT_LENGTH;
	if (is_content_policy(e))
		return ERR_CONTENT_POLICY;
	if (is_bad_key(e))
		return ERR_UPSTREAM_AUTH;
	return is_model_gone(e) ? ERR_UPSTREAM_MODEL_GONE : ERR_UPSTREAM_REJECTED;
}

/* Inside a stream: the code is all there is. */
static enum error_kind kind_of_event(const struct provider_error *e, struct str type)
{
	if (str_eq(e->code, STR("429")) || str_eq(e->code, STR("rate_limit_exceeded")))
		return kind_of_429(e, type);
	if (is_context_length(e))
		return ERR_CONTEXT_LENGTH;
	if (is_content_policy(e))
		return ERR_CONTENT_POLICY;
	return is_billing(e, type) ? ERR_UPSTREAM_BILLING : ERR_UPSTREAM_BROKEN;
}

static enum error_kind kind_of(int status, const struct provider_error *e, struct str type)
{
	switch (status) {
	case 200: return kind_of_event(e, type);
	case 401:
	case 403: return is_billing(e, type) ? ERR_UPSTREAM_BILLING : ERR_UPSTREAM_AUTH;
	case 402: return ERR_UPSTREAM_BILLING;
	case 404: return is_model_gone(e) ? ERR_UPSTREAM_MODEL_GONE : ERR_UPSTREAM_REJECTED;
	case 408: return ERR_TIMEOUT;
	case 410: return ERR_UPSTREAM_MODEL_GONE;
	case 413: return is_context_length(e) ? ERR_CONTEXT_LENGTH : ERR_UPSTREAM_REJECTED;
	case 429: return kind_of_429(e, type);
	case 503:
	case 529: return ERR_UPSTREAM_OVERLOADED;
	default: break;
	}
	return status >= 400 && status < 500 ? kind_of_400(e) : ERR_UPSTREAM_BROKEN;
}

void openai_read_error(int status, struct str body, struct provider_error *out)
{
	*out = (struct provider_error){ .kind = ERR_UPSTREAM_BROKEN };
	struct str type = find_message(body, out);
	out->kind = kind_of(status, out, type);
}
