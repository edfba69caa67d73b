/*
 * credential.c: breakers and tokens, looked at together.
 */
#include "core/credential.h"

#include "core/breaker.h"
#include "core/token.h"

/* Its breakers let it through, and its token is there. */
static bool allows(const struct credential *c, int64_t now_us, struct credential_pause *pause)
{
	enum breaker_class open;
	bool failed;
	if (c->live && !breakers_allow(c->live->breakers, now_us, &open, &pause->back_at_us)) {
		pause->why = breaker_class_name(open);
		pause->as = open == BREAKER_RATE_LIMIT ? ERR_UPSTREAM_RATE_LIMIT : ERR_OVERLOADED;
		pause->passing = open == BREAKER_LOADING || open == BREAKER_BUSY || open == BREAKER_RATE_LIMIT;
		return false;
	}
	if (!c->token || live_token_ready(c->token, &pause->back_at_us, &failed))
		return true;
	pause->why = failed ? "its credential could not be fetched" : "its credential is being fetched";
	pause->as = ERR_UPSTREAM_AUTH;
	pause->passing = true;
	return false;
}

int credential_next(const struct provider *p, unsigned first, unsigned tried, int64_t now_us, struct credential_pause *pause)
{
	for (unsigned i = 0; i < p->n_credentials; i++) {
		unsigned c = (first + i) % p->n_credentials;
		if (!(tried & 1u << c) && allows(&p->credentials[c], now_us, pause))
			return (int)c;
	}
	return -1;
}
