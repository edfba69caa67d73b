/*
 * attempt_show.c: a token is taken once for each attempt, so that its refusal can be told from that of a newer one.
 */
#include "upstream/attempt_show.h"

#include "base/clock.h"
#include "upstream/authorise.h"
#include "wire/date.h"
#include "wire/http_parser.h"

/* Signatures hold for five minutes to either side. */
static const int64_t SKEW_LEAST_US = 240 * SECOND_US;

bool attempt_show(struct attempt *a, const struct provider *p, const struct credential *c, struct transport_call *call,
		  struct outcome *o)
{
	*o = (struct outcome){ .kind = ERR_OVERLOADED, .unprocessed = true, .why = "there is no token for it" };
	a->token_row = c ? c->token : NULL;
	a->token = a->token_row ? live_token_take(a->token_row, clock_wall_us()) : NULL;
	if (a->token_row && !a->token)
		return false;
	o->why = authorise(a->t, p, c, a->token, call);
	if (!o->why)
		return true;
	o->kind = ERR_UPSTREAM_REJECTED;
	o->status = 400;
	o->message = arena_printf(&a->t->arena, "The request cannot be sent to %.*s: %s.", STR_FMT(p->name), o->why);
	return false;
}

/* True: the clocks had drifted apart, and the next signature goes by the vendor's. */
static bool note_skew(struct live_token *row, struct str date)
{
	int64_t theirs_s;
	if (!date_http(date, &theirs_s))
		return false;
	int64_t skew = theirs_s * SECOND_US - clock_wall_us(), drift = skew - live_token_skew(row);
	if (drift > -SKEW_LEAST_US && drift < SKEW_LEAST_US)
		return false;
	live_token_set_skew(row, skew);
	return true;
}

void attempt_was_shown(struct attempt *a, bool good, const struct http_head *head)
{
	if (good)
		a->token_row = NULL;	/* the snapshot may go */
	else if (a->token_row && a->token->kind == TOKEN_AWS)
		a->skewed = note_skew(a->token_row, http_header_find(head, STR("date")));
}
