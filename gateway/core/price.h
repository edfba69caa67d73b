/*
 * price.h: what a model's tokens cost, and what is known of the model beside.
 *
 * Rates are nano-dollars per million tokens: one dollar per million is 1,000,000,000. A price
 * once made lives as long as the process (price_intern), so a stream may keep its pointer
 * when the snapshot it came from is gone.
 */
#ifndef WEIR_CORE_PRICE_H
#define WEIR_CORE_PRICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "core/money.h"
#include "core/usage.h"

#define PRICE_UNKNOWN INT64_C(-1)

enum rate {
	RATE_INPUT, RATE_OUTPUT,
	RATE_CACHED_INPUT,	/* these, where unknown, cost what input or output costs */
	RATE_CACHE_WRITE, RATE_CACHE_WRITE_1H, RATE_REASONING, RATE_AUDIO_INPUT, RATE_AUDIO_OUTPUT, RATE_IMAGE_INPUT,
	RATES
};

enum { PRICE_TIERS = 3 };

/* Base rates of a tier; its other rates stand to them as they do in the standard one. */
struct price_three {
	int64_t input, output, cached_input;	/* input PRICE_UNKNOWN: there is no such tier */
};

struct price {
	int64_t rates[RATES];
	int64_t request;				/* nano-dollars for each request */
	struct {
		int64_t above;				/* prompts of more tokens than this; 0: no tier */
		struct price_three price;
	} tiers[PRICE_TIERS];
	struct price_three services[SERVICE_TIERS];	/* SERVICE_UNSAID and _STANDARD are not used */
	bool free;					/* said to cost nothing */
	bool agreed;					/* the operator's own: holds against what a provider says it charged */
	bool estimated;					/* taken from another model: design decision 9 */
};

/* Capabilities, as `requires` asks for them. */
enum feature {
	FEATURE_TOOLS = 1 << 0, FEATURE_VISION = 1 << 1, FEATURE_AUDIO = 1 << 2, FEATURE_JSON_SCHEMA = 1 << 3,
	FEATURE_REASONING = 1 << 4
};
enum { FEATURES = 5 };

enum model_mode { MODE_CHAT, MODE_EMBEDDING, MODE_RERANK, MODE_MODERATION, MODE_AUDIO, MODE_IMAGE,
		  MODE_RESPONSES /* chat, under /responses alone */, MODES };

/* One row of a table of prices. */
struct model_facts {
	struct str name;		/* "preset/model" or "provider/model" */
	enum model_mode mode;
	struct price price;
	bool priced;			/* price.rates[RATE_INPUT] is known */
	bool listed;			/* `features` is said, if only that there are none */
	int64_t context, max_output;	/* tokens; 0: unknown */
	unsigned features;		/* enum feature; only what the table says */
	int32_t retires;		/* yyyymmdd; 0: not said */
};

/* Its word in tables and configurations; NULL beyond the last. */
const char *feature_name(unsigned index);
/* The bit of a word; 0: there is none such. */
unsigned feature_of(struct str word);

/* All unknown. */
void price_init(struct price *p);

/* The same price, for good: equal ones share one. */
const struct price *price_intern(const struct price *p);

/*
 * Nano-dollars, rounded up once, never negative. Counts that contradict each other are brought
 * within their whole: cached tokens beyond the input are not charged below nothing.
 */
int64_t price_cost(const struct price *p, const struct usage *u, enum service_tier service);

#endif
