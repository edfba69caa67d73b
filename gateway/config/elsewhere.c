/*
 * elsewhere.c: how other gateways write things.
 */
#include "config/elsewhere.h"

/* Only words that mean one thing wherever they stand. */
static const struct {
	const char *key, *here;
} options[] = {
	{ "model_list", "`providers` and `models`; conf/docs/moving.md shows LiteLLM's file as weir's" },
	{ "router_settings", "said of each model; see conf/docs/moving.md" },
	{ "litellm_settings", "said where it belongs; see conf/docs/moving.md" },
	{ "general_settings", "said where it belongs; see conf/docs/moving.md" },
	{ "governance", "`keys` and `teams`; see conf/docs/moving.md" },
	{ "api_base", "`base_url`" },
	{ "timeout", "`timeouts: { total: ... }`, of a model or of all" },
	{ "rpm", "`limits: { requests_per_minute: ... }` of a key" },
	{ "tpm", "`limits: { tokens_per_minute: ... }` of a key" },
	{ "rpm_limit", "`limits: { requests_per_minute: ... }`" },
	{ "tpm_limit", "`limits: { tokens_per_minute: ... }`" },
	{ "max_parallel_requests", "`max_concurrent` of a provider or target, `limits: { concurrent: ... }` of a key" },
	{ "max_budget", "`budgets: [{ usd: ..., per: month }]`" },
	{ "key_alias", "`name`" },
	{ "routing_strategy", "`strategy` of a model" },
	{ "load_balancing", "`strategy` of a model" },
	{ "num_retries", "`retry: { same_target: ... }`; the next target is tried in any case" },
	{ "cooldown_time", "`breaker: { open: ... }`" },
	{ "allowed_fails", "`breaker: { failures: ... }`" },
	{ "drop_params", "`on_unsupported: drop` of a model" },
};

const char *elsewhere_option(struct str key)
{
	for (size_t i = 0; i < array_len(options); i++)
		if (str_eq(str_c(options[i].key), key))
			return options[i].here;
	return NULL;
}

static const struct {
	const char *name, *preset;
} presets[] = {
	{ "chatgpt", "openai" }, { "claude", "anthropic" }, { "google", "gemini" }, { "vertex_ai", "vertex" }, { "aws", "bedrock" },
	{ "bedrock_converse", "bedrock" }, { "azure_ai", "azure-v1" }, { "azure-openai", "azure" }, { "azure_openai", "azure" },
	{ "grok", "xai" }, { "kimi", "moonshot" }, { "qwen", "alibaba" }, { "dashscope", "alibaba" }, { "zhipu", "zai" },
	{ "together_ai", "together" }, { "fireworks_ai", "fireworks" }, { "nvidia_nim", "nvidia" }, { "hosted_vllm", "vllm" },
	{ "ollama_chat", "ollama" }, { "lm_studio", "lmstudio" }, { "llama.cpp", "llamacpp" }, { "llama-server", "llamacpp" },
};

const char *elsewhere_preset(struct str name)
{
	for (size_t i = 0; i < array_len(presets); i++)
		if (str_eq(str_c(presets[i].name), name))
			return presets[i].preset;
	return NULL;
}

static bool is_variable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] >= 'A' && s.p[i] <= 'Z') && s.p[i] != '_' && !(i && s.p[i] >= '0' && s.p[i] <= '9'))
			return false;
	return s.n > 0;
}

bool elsewhere_variable(struct str value)
{
	static const char *const before[] = { "os.environ/", "env::", "env.", "env:", "$" };
	for (size_t i = 0; i < array_len(before); i++)
		if (str_starts(value, str_c(before[i])) && is_variable(str_skip(value, str_c(before[i]).n)))
			return true;
	return false;
}
