/*
 * tokens.h: what is counted of credentials that are fetched.
 */
#ifndef WEIR_TELEMETRY_TOKENS_H
#define WEIR_TELEMETRY_TOKENS_H

/* Sets the gauges to what each holds now. */
void tokens_refresh(void);

#endif
