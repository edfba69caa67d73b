/*
 * usage.h: tokens by kind, as a vendor reported or weir estimated them.
 */
#ifndef WEIR_CORE_USAGE_H
#define WEIR_CORE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

/* What the vendor did at another price. */
enum service_tier { SERVICE_UNSAID, SERVICE_STANDARD, SERVICE_FLEX, SERVICE_PRIORITY, SERVICE_BATCH, SERVICE_TIERS };

struct usage {
	int64_t input, output, total;	/* input includes cached; output includes reasoning */
	int64_t cached;			/* of input: read from the vendor's prompt cache */
	int64_t cache_write;		/* of input: written to it, whatever its lifetime */
	int64_t cache_write_1h;		/* of cache_write: for an hour */
	int64_t reasoning;		/* of output */
	int64_t audio_input, audio_output;	/* of input, of output */
	int64_t image_input;		/* of input */
	int64_t cost;			/* nano-dollars, where the provider says what it charged; 0: it does not */
	bool known;			/* some number arrived */
	bool estimated;			/* weir's own estimate, in part or whole: the vendor reported nothing, or nonsense */
	bool doubtful;			/* the report has negative, huge or contradictory numbers, or text for numbers */
	uint8_t service;		/* enum service_tier, as the answer says it was done */
};

/*
 * Vendors report once, with every event as a running sum, or in pieces: the largest of each
 * kind is what was used, and a last report of zeros takes nothing back.
 */
static inline void usage_merge(struct usage *to, const struct usage *from)
{
#define USAGE_LARGER(m) to->m = from->m > to->m ? from->m : to->m
	USAGE_LARGER(input);
	USAGE_LARGER(output);
	USAGE_LARGER(total);
	USAGE_LARGER(cached);
	USAGE_LARGER(cache_write);
	USAGE_LARGER(cache_write_1h);
	USAGE_LARGER(reasoning);
	USAGE_LARGER(audio_input);
	USAGE_LARGER(audio_output);
	USAGE_LARGER(image_input);
	USAGE_LARGER(cost);
#undef USAGE_LARGER
	to->known |= from->known;
	to->doubtful |= from->doubtful;
	to->estimated |= from->estimated;
	to->service = from->service ? from->service : to->service;
}

#endif
