/*
 * error.c: the one table of errors.
 */
#include "core/error.h"

#define INVALID "invalid_request_error"

static const struct error_row rows[ERR_KINDS] = {
	[ERR_NONE]                = { 200, "", NULL, NEXT_NONE, "none" },
	[ERR_BAD_REQUEST]         = { 400, INVALID, NULL, NEXT_NONE, "caller_bad_request" },
	[ERR_BAD_JSON]            = { 400, INVALID, NULL, NEXT_NONE, "caller_bad_json" },
	[ERR_CONTEXT_LENGTH]      = { 400, INVALID, "context_length_exceeded", NEXT_BIGGER, "caller_context_length" },
	[ERR_CONTENT_POLICY]      = { 400, INVALID, "content_policy_violation", NEXT_IF_ALLOWED, "caller_content_policy" },
	[ERR_NO_KEY]              = { 401, INVALID, "invalid_api_key", NEXT_NONE, "caller_no_key" },
	[ERR_BAD_KEY]             = { 401, INVALID, "invalid_api_key", NEXT_NONE, "caller_bad_key" },
	[ERR_NOT_FOUND]           = { 404, INVALID, "unknown_url", NEXT_NONE, "caller_not_found" },
	[ERR_METHOD]              = { 405, INVALID, "method_not_allowed", NEXT_NONE, "caller_method" },
	[ERR_UNSUPPORTED_MEDIA]   = { 415, INVALID, NULL, NEXT_NONE, "caller_media_type" },
	[ERR_TOO_LARGE]           = { 413, INVALID, NULL, NEXT_NONE, "caller_too_large" },
	[ERR_SLOW_REQUEST]        = { 408, INVALID, "request_timeout", NEXT_NONE, "caller_slow" },
	[ERR_EXPECTATION]         = { 417, INVALID, NULL, NEXT_NONE, "caller_expectation" },
	[ERR_NO_MODEL]            = { 404, INVALID, "model_not_found", NEXT_NONE, "caller_no_model" },
	[ERR_CALLER_GONE]         = { 499, "api_error", "client_closed_request", NEXT_NONE, "caller_gone" },
	[ERR_MODEL_NOT_ALLOWED]   = { 403, "permission_error", "model_not_allowed", NEXT_NONE, "policy_model" },
	[ERR_KEY_RATE_LIMIT]      = { 429, "rate_limit_error", "rate_limit_exceeded", NEXT_NONE, "policy_rate_limit" },
	[ERR_BUDGET]              = { 429, "insufficient_quota", "insufficient_quota", NEXT_NONE, "policy_budget" },
	[ERR_COST_CEILING]        = { 429, "insufficient_quota", "cost_ceiling", NEXT_NONE, "policy_cost_ceiling" },
	[ERR_PLUGIN]              = { 403, INVALID, "rejected", NEXT_NONE, "policy_plugin" },
	[ERR_UPSTREAM_REJECTED]   = { 400, INVALID, NULL, NEXT_NONE, "provider_rejected" },
	[ERR_UPSTREAM_RATE_LIMIT] = { 429, "rate_limit_error", "rate_limit_exceeded", NEXT_TARGET, "provider_rate_limit" },
	[ERR_UPSTREAM_AUTH]       = { 502, "api_error", "provider_auth", NEXT_TARGET, "provider_auth" },
	[ERR_UPSTREAM_BILLING]    = { 502, "api_error", "provider_billing", NEXT_TARGET, "provider_billing" },
	[ERR_UPSTREAM_MODEL_GONE] = { 502, "api_error", "provider_model_gone", NEXT_TARGET, "provider_model_gone" },
	[ERR_UPSTREAM_BROKEN]     = { 502, "api_error", "provider_error", NEXT_TARGET, "provider_error" },
	[ERR_UPSTREAM_CONNECT]    = { 502, "api_error", "provider_error", NEXT_TARGET, "provider_connect" },
	[ERR_UPSTREAM_OVERLOADED] = { 502, "api_error", "provider_error", NEXT_TARGET, "provider_overloaded" },
	[ERR_UPSTREAM_CHECK]      = { 502, "api_error", "check_failed", NEXT_TARGET, "provider_check" },
	[ERR_OVERLOADED]          = { 503, "api_error", "overloaded", NEXT_NONE, "provider_all_down" },
	[ERR_TIMEOUT]             = { 504, "api_error", "timeout", NEXT_TARGET, "provider_timeout" },
	[ERR_PLUGIN_FAILED]       = { 503, "api_error", "plugin_failed", NEXT_NONE, "gateway_plugin" },
	[ERR_MEMORY]              = { 503, "api_error", "overloaded", NEXT_NONE, "gateway_memory" },
	[ERR_DRAINING]            = { 503, "api_error", "draining", NEXT_NONE, "gateway_draining" },
	[ERR_INTERNAL]            = { 500, "api_error", "internal_error", NEXT_NONE, "gateway_internal" },
};

const struct error_row *error_row(enum error_kind kind)
{
	return &rows[kind < ERR_KINDS ? kind : ERR_INTERNAL];
}
