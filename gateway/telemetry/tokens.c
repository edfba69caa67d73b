/*
 * tokens.c: fetches, and how long what was fetched is still good for.
 */
#include "telemetry/tokens.h"

#include "base/counters.h"
#include "core/families.h"
#include "core/token.h"

static struct counter_family fetches = {
	.name = "weir_credential_fetches_total", .help = "Tokens asked for, of credentials that are fetched.",
	.kind = COUNTER_SUM, .scale = 1, .labels = { "credential", "result" },
};
static struct counter_family left = {
	.name = "weir_credential_left_seconds", .help = "Until the token in use expires; below 0 when there is none.",
	.kind = COUNTER_GAUGE, .scale = 1e-6, .labels = { "credential" },
};

void families_token(struct str credential, bool good)
{
	counter_add(counter_of(&fetches, (struct str[]){ credential, good ? STR("good") : STR("failed") }), 1);
}

static void refresh(struct live_token *l, void *arg)
{
	int64_t us;
	(void)arg;
	if (live_token_left(l, &us) && live_token_source(l)->origin != TOKEN_GIVEN)
		counter_set(counter_of(&left, (struct str[]){ live_token_label(l) }), us);
}

void tokens_refresh(void)
{
	live_tokens_each(refresh, NULL);
}
