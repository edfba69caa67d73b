/*
 * usage.h: tokens by kind, as a vendor reported or weir estimated them.
 */
#ifndef WEIR_CORE_USAGE_H
#define WEIR_CORE_USAGE_H

#include <stdbool.h>
#include <stdint.h>

struct usage {
	bool known;			/* some number arrived */
	int64_t input, output, total;	/* input includes cached; output includes reasoning */
	int64_t cached;			/* of input: read from the vendor's prompt cache */
	int64_t cache_write;		/* of input: written to it */
	int64_t reasoning;		/* of output */
	int64_t audio_input, audio_output;
};

#endif
