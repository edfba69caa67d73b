/*
 * presets.c: what is known about vendors and local servers that speak OpenAI's format.
 *
 * Data only: one row each. Base URLs and quirks were read in the vendors' own client
 * libraries and pages in 2026-11; of anthropic, gemini, vertex, bedrock and cohere these are
 * the OpenAI-compatible faces, and the vendors' own stand below.
 */
#include <string.h>

#include "providers/presets.h"

static const struct preset rows[] = {
	/* name, base URL, credential, its name, variable, quirks, health, local, prefixes of models it owns, API version, more */
	{ "openai", "https://api.openai.com/v1", CREDENTIAL_BEARER, "", "OPENAI_API_KEY",
	  0, "", false, "gpt- o1 o3 o4 chatgpt- text-embedding- dall-e- whisper- tts- omni-moderation text-moderation codex- sora-", "", "", "" },
	{ "anthropic", "https://api.anthropic.com/v1", CREDENTIAL_BEARER, "", "ANTHROPIC_API_KEY",
	  QUIRK_MESSAGES | QUIRK_MESSAGES_KEY | QUIRK_NO_RESPONSES, "", false, "claude-", "", "", "" },
	{ "gemini", "https://generativelanguage.googleapis.com/v1beta/openai", CREDENTIAL_BEARER, "", "GEMINI_API_KEY",
	  QUIRK_NO_RESPONSES | QUIRK_EFFORT_NONE, "", false, "gemini- gemma-", "", "GOOGLE_API_KEY", "" },
	{ "vertex", "https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/endpoints/openapi", CREDENTIAL_BEARER, "", "VERTEX_ACCESS_TOKEN",
	  QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "bedrock", "https://bedrock-runtime.{region}.amazonaws.com/openai/v1", CREDENTIAL_BEARER, "", "AWS_BEARER_TOKEN_BEDROCK",
	  QUIRK_NO_RESPONSES, "", false, "amazon. anthropic. meta. us. eu.", "", "", "" },
	{ "bedrock-mantle", "https://bedrock-mantle.{region}.api.aws/v1", CREDENTIAL_BEARER, "", "AWS_BEARER_TOKEN_BEDROCK",
	  0, "", false, "", "", "", "" },
	{ "azure", "https://{resource}.openai.azure.com", CREDENTIAL_HEADER, "api-key", "AZURE_OPENAI_API_KEY",
	  QUIRK_AZURE_DEPLOYMENTS, "", false, "", "2024-10-21", "", "AZURE_OPENAI_ENDPOINT" },
	{ "azure-v1", "https://{resource}.openai.azure.com/openai/v1", CREDENTIAL_HEADER, "api-key", "AZURE_OPENAI_API_KEY",
	  0, "", false, "", "", "", "" },
	{ "mistral", "https://api.mistral.ai/v1", CREDENTIAL_BEARER, "", "MISTRAL_API_KEY",
	  QUIRK_NO_STREAM_OPTIONS | QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "mistral- ministral- codestral- magistral- pixtral- devstral- open-mistral-", "", "", "" },
	{ "groq", "https://api.groq.com/openai/v1", CREDENTIAL_BEARER, "", "GROQ_API_KEY",
	  QUIRK_EFFORT_NONE, "", false, "", "", "", "" },
	{ "deepseek", "https://api.deepseek.com", CREDENTIAL_BEARER, "", "DEEPSEEK_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_TAKES_REASONING | QUIRK_THINKING_TYPE, "", false, "deepseek-", "", "", "" },
	{ "xai", "https://api.x.ai/v1", CREDENTIAL_BEARER, "", "XAI_API_KEY",
	  QUIRK_COMPLETION_EXCLUDES_REASONING, "", false, "grok-", "", "", "" },
	{ "together", "https://api.together.xyz/v1", CREDENTIAL_BEARER, "", "TOGETHER_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "TOGETHERAI_API_KEY", "" },
	{ "fireworks", "https://api.fireworks.ai/inference/v1", CREDENTIAL_BEARER, "", "FIREWORKS_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY, "", false, "accounts/fireworks/", "", "", "" },
	{ "openrouter", "https://openrouter.ai/api/v1", CREDENTIAL_BEARER, "", "OPENROUTER_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MESSAGES | QUIRK_TAKES_REASONING | QUIRK_EFFORT_NONE, "", false, "", "", "", "" },
	{ "perplexity", "https://api.perplexity.ai", CREDENTIAL_BEARER, "", "PERPLEXITY_API_KEY",
	  QUIRK_NO_STREAM_OPTIONS | QUIRK_NO_DONE | QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "sonar", "", "PPLX_API_KEY", "" },
	{ "cerebras", "https://api.cerebras.ai/v1", CREDENTIAL_BEARER, "", "CEREBRAS_API_KEY",
	  QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "nvidia", "https://integrate.api.nvidia.com/v1", CREDENTIAL_BEARER, "", "NVIDIA_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "NVIDIA_NIM_API_KEY", "" },
	{ "cohere", "https://api.cohere.ai/compatibility/v1", CREDENTIAL_BEARER, "", "COHERE_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "command- embed-english- embed-multilingual- rerank-", "", "CO_API_KEY", "" },
	{ "alibaba", "https://dashscope-intl.aliyuncs.com/compatible-mode/v1", CREDENTIAL_BEARER, "", "DASHSCOPE_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY, "", false, "qwen", "", "", "" },
	{ "alibaba-cn", "https://dashscope.aliyuncs.com/compatible-mode/v1", CREDENTIAL_BEARER, "", "DASHSCOPE_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY, "", false, "", "", "", "" },
	{ "hunyuan", "https://api.hunyuan.cloud.tencent.com/v1", CREDENTIAL_BEARER, "", "HUNYUAN_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "hunyuan-", "", "", "" },
	{ "baidu", "https://qianfan.baidubce.com/v2", CREDENTIAL_BEARER, "", "QIANFAN_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "ernie-", "", "", "" },
	{ "zai", "https://api.z.ai/api/paas/v4", CREDENTIAL_BEARER, "", "ZAI_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_TAKES_REASONING | QUIRK_NO_RESPONSES | QUIRK_THINKING_TYPE, "", false, "glm-", "", "ZHIPUAI_API_KEY", "" },
	{ "zai-cn", "https://open.bigmodel.cn/api/paas/v4", CREDENTIAL_BEARER, "", "ZAI_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_TAKES_REASONING | QUIRK_NO_RESPONSES | QUIRK_THINKING_TYPE, "", false, "", "", "", "" },
	{ "moonshot", "https://api.moonshot.ai/v1", CREDENTIAL_BEARER, "", "MOONSHOT_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_TAKES_REASONING | QUIRK_NO_RESPONSES | QUIRK_THINKING_TYPE, "", false, "kimi- moonshot-", "", "", "" },
	{ "moonshot-cn", "https://api.moonshot.cn/v1", CREDENTIAL_BEARER, "", "MOONSHOT_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_TAKES_REASONING | QUIRK_NO_RESPONSES | QUIRK_THINKING_TYPE, "", false, "", "", "", "" },
	{ "minimax", "https://api.minimax.io/v1", CREDENTIAL_BEARER, "", "MINIMAX_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_TAKES_REASONING | QUIRK_NO_RESPONSES, "", false, "MiniMax- minimax-", "", "", "" },
	{ "volcengine", "https://ark.cn-beijing.volces.com/api/v3", CREDENTIAL_BEARER, "", "ARK_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_THINKING_TYPE, "", false, "doubao- ep-", "", "", "" },
	{ "byteplus", "https://ark.ap-southeast.bytepluses.com/api/v3", CREDENTIAL_BEARER, "", "ARK_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_THINKING_TYPE, "", false, "", "", "", "" },
	{ "siliconflow", "https://api.siliconflow.cn/v1", CREDENTIAL_BEARER, "", "SILICONFLOW_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "stepfun", "https://api.stepfun.com/v1", CREDENTIAL_BEARER, "", "STEPFUN_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "step-", "", "", "" },
	{ "github", "https://models.github.ai/inference", CREDENTIAL_BEARER, "", "GITHUB_TOKEN",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "huggingface", "https://router.huggingface.co/v1", CREDENTIAL_BEARER, "", "HF_TOKEN",
	  QUIRK_MAX_TOKENS_ONLY, "", false, "", "", "HUGGINGFACE_API_KEY", "" },
	{ "databricks", "https://{workspace}/serving-endpoints", CREDENTIAL_BEARER, "", "DATABRICKS_TOKEN",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "cloudflare", "https://api.cloudflare.com/client/v4/accounts/{account}/ai/v1", CREDENTIAL_BEARER, "", "CLOUDFLARE_API_TOKEN",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "@cf/", "", "CLOUDFLARE_API_KEY", "" },
	{ "sambanova", "https://api.sambanova.ai/v1", CREDENTIAL_BEARER, "", "SAMBANOVA_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "deepinfra", "https://api.deepinfra.com/v1/openai", CREDENTIAL_BEARER, "", "DEEPINFRA_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "vercel", "https://ai-gateway.vercel.sh/v1", CREDENTIAL_BEARER, "", "AI_GATEWAY_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY, "", false, "", "", "", "" },
	{ "voyage", "https://api.voyageai.com/v1", CREDENTIAL_BEARER, "", "VOYAGE_API_KEY",
	  0, "", false, "voyage-", "", "", "" },
	{ "jina", "https://api.jina.ai/v1", CREDENTIAL_BEARER, "", "JINA_API_KEY",
	  0, "", false, "jina-", "", "", "" },
	{ "nebius", "https://api.studio.nebius.com/v1", CREDENTIAL_BEARER, "", "NEBIUS_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "baseten", "https://inference.baseten.co/v1", CREDENTIAL_BEARER, "", "BASETEN_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "novita", "https://api.novita.ai/v3/openai", CREDENTIAL_BEARER, "", "NOVITA_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "hyperbolic", "https://api.hyperbolic.xyz/v1", CREDENTIAL_BEARER, "", "HYPERBOLIC_API_KEY",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "", false, "", "", "", "" },
	{ "vllm", "http://127.0.0.1:8000/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MESSAGES, "/health", true, "", "", "", "" },
	{ "sglang", "http://127.0.0.1:30000/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "/health", true, "", "", "", "" },
	{ "llamacpp", "http://127.0.0.1:8080/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MESSAGES | QUIRK_NO_RESPONSES, "/health", true, "", "", "", "" },
	{ "ollama", "http://127.0.0.1:11434/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MESSAGES | QUIRK_EFFORT_NONE, "/api/version", true, "", "", "", "" },
	{ "lmstudio", "http://127.0.0.1:1234/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MESSAGES, "/v1/models", true, "", "", "", "" },
	{ "tgi", "http://127.0.0.1:3000/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MODEL_IN_BODY_ANY | QUIRK_NO_RESPONSES, "/health", true, "", "", "", "" },
	{ "localai", "http://127.0.0.1:8080/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MESSAGES | QUIRK_NO_RESPONSES, "/readyz", true, "", "", "", "" },
	{ "triton", "http://127.0.0.1:9000/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "/health/ready", true, "", "", "", "" },
	{ "trtllm", "http://127.0.0.1:8000/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_NO_RESPONSES, "/health", true, "", "", "", "" },
	{ "nim", "http://127.0.0.1:8000/v1", CREDENTIAL_NONE, "", "",
	  QUIRK_MAX_TOKENS_ONLY | QUIRK_MESSAGES | QUIRK_NO_RESPONSES, "/v1/health/ready", true, "", "", "", "" },
};

static const struct preset_face faces[] = {
	{ "anthropic", "anthropic", "https://api.anthropic.com/v1", CREDENTIAL_HEADER, "x-api-key" },
	{ "gemini", "gemini", "https://generativelanguage.googleapis.com/v1beta", CREDENTIAL_HEADER, "x-goog-api-key" },
	{ "vertex", "gemini", "https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/publishers/google",
	  CREDENTIAL_BEARER, "" },
	{ "vertex", "anthropic", "https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}/publishers/anthropic",
	  CREDENTIAL_BEARER, "" },
	{ "bedrock", "bedrock", "https://bedrock-runtime.{region}.amazonaws.com", CREDENTIAL_BEARER, "" },
	{ "cohere", "cohere", "https://api.cohere.com/v2", CREDENTIAL_BEARER, "" },
};

const struct preset *preset_find(struct str name)
{
	for (size_t i = 0; i < array_len(rows); i++)
		if (str_eq(str_c(rows[i].name), name))
			return &rows[i];
	return NULL;
}

const struct preset *preset_at(size_t i)
{
	return i < array_len(rows) ? &rows[i] : NULL;
}

const struct preset_face *preset_face(const struct preset *p, struct str dialect)
{
	for (size_t i = 0; p && i < array_len(faces); i++)
		if (strcmp(faces[i].preset, p->name) == 0 && str_eq(str_c(faces[i].dialect), dialect))
			return &faces[i];
	return NULL;
}

bool preset_owns(struct str prefixes, struct str model)
{
	struct str prefix;
	while (str_split(&prefixes, ' ', &prefix))
		if (prefix.n && str_starts(model, prefix))
			return true;
	return false;
}
