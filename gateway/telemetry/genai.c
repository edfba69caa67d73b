/*
 * genai.c: the gen_ai_ families.
 *
 * Their vocabulary for operations and providers is closed where it knows a name; what it
 * does not know goes by weir's own name. The model that answers is the one that was asked
 * of the provider: a vendor's word in the answer is no label.
 */
#include "telemetry/genai.h"

static const uint64_t duration_bounds[] = {
	10000, 20000, 40000, 80000, 160000, 320000, 640000, 1280000, 2560000, 5120000, 10240000, 20480000,
	40960000, 81920000, 163840000, 327680000, 655360000
};
static const uint64_t first_token_bounds[] = {
	1000, 5000, 10000, 20000, 40000, 60000, 80000, 100000, 250000, 500000, 750000, 1000000, 2500000,
	5000000, 7500000, 10000000
};
static const uint64_t per_token_bounds[] = {
	10000, 25000, 50000, 75000, 100000, 150000, 200000, 300000, 400000, 500000, 750000, 1000000, 2500000
};
static const uint64_t usage_bounds[] = {
	1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864
};

#define LABELS "gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_original_model", "gen_ai_request_model"
#define BOUNDS(b) .bounds = b, .n_bounds = array_len(b)

static struct counter_family duration = {
	.name = "gen_ai_server_request_duration_seconds", .help = "Duration of a request, whole.",
	.kind = COUNTER_HISTOGRAM, .scale = 1e-6, .labels = { LABELS, "error_type" }, BOUNDS(duration_bounds),
};
static struct counter_family first_token = {
	.name = "gen_ai_server_time_to_first_token_seconds", .help = "Time to the first token of a stream.",
	.kind = COUNTER_HISTOGRAM, .scale = 1e-6, .labels = { LABELS, "gen_ai_response_model" },
	BOUNDS(first_token_bounds),
};
static struct counter_family per_token = {
	.name = "gen_ai_server_time_per_output_token_seconds", .help = "Time per output token after the first of a stream.",
	.kind = COUNTER_HISTOGRAM, .scale = 1e-6, .labels = { LABELS, "gen_ai_response_model" },
	BOUNDS(per_token_bounds),
};
static struct counter_family usage = {
	.name = "gen_ai_client_token_usage", .help = "Tokens of a request, by type.",
	.kind = COUNTER_HISTOGRAM, .scale = 1, .labels = { LABELS, "gen_ai_token_type" }, BOUNDS(usage_bounds),
};

static const struct str operations[][2] = {
	{ STR_INIT("completions"), STR_INIT("text_completion") },
	{ STR_INIT("responses"), STR_INIT("chat") },
	{ STR_INIT("messages"), STR_INIT("chat") },
	{ STR_INIT("generate"), STR_INIT("generate_content") },
};

static const struct str providers[][2] = {
	{ STR_INIT("azure"), STR_INIT("azure.ai.openai") },
	{ STR_INIT("bedrock"), STR_INIT("aws.bedrock") },
	{ STR_INIT("gemini"), STR_INIT("gcp.gemini") },
	{ STR_INIT("mistral"), STR_INIT("mistral_ai") },
	{ STR_INIT("vertex"), STR_INIT("gcp.vertex_ai") },
	{ STR_INIT("xai"), STR_INIT("x_ai") },
};

static struct str convert(const struct str table[][2], size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(table[i][0], name))
			return table[i][1];
	return name;
}

static struct counter *series(struct counter_family *f, const struct route_counters *r,
			      const struct target_counters *t, struct str last)
{
	return counter_of(f, (struct str[]){
		convert(operations, array_len(operations), str_c(r->endpoint)),
		convert(providers, array_len(providers), t->provider),
		r->model, t->model, last,
	});
}

void genai_fill(struct route_counters *r, const struct target_counters *t)
{
	r->ai_input = series(&usage, r, t, STR("input"));
	r->ai_output = series(&usage, r, t, STR("output"));
	r->ai_first_token = series(&first_token, r, t, t->model);
	r->ai_per_token = series(&per_token, r, t, t->model);
}

struct counter *genai_duration(const struct route_counters *r, const struct target_counters *t, enum error_kind kind)
{
	return series(&duration, r, t, kind == ERR_NONE ? STR_NONE : str_c(error_row(kind)->fault));
}
