/*
 * failure.c: breakers, counters and words that follow from an attempt's outcome.
 *
 * A failure belongs to whoever it is about: a refused credential or an empty account to the
 * credential, a retired model to the target for an hour, a rate limit for as long as the
 * provider says. The rest is counted, and opens the target's breaker when it repeats.
 */
#include "upstream/failure.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "core/call.h"
#include "core/families.h"
#include "core/journal.h"

static const int64_t AUTH_OPEN_US = 60 * SECOND_US, BILLING_OPEN_US = 600 * SECOND_US,
		     GONE_OPEN_US = 3600 * SECOND_US, RATE_LIMIT_US = 5 * SECOND_US, LOADING_US = 1 * SECOND_US,
		     BUSY_US = SECOND_US / 4, RATE_LIMIT_MAX_US = 600 * SECOND_US;

static struct str credential_label(const struct attempt *a)
{
	return a->credential ? a->credential->label : STR("no credential");
}

static int64_t rate_limit_time(const struct outcome *o)
{
	int64_t us = o->retry_after_us ? o->retry_after_us : RATE_LIMIT_US;
	return us < RATE_LIMIT_MAX_US ? us : RATE_LIMIT_MAX_US;
}

static void open_credential(struct attempt *a, enum breaker_class c, int64_t now_us, int64_t for_us, const char *what)
{
	if (a->credential)
		breaker_open_for(&a->credential->breakers[c], now_us, for_us);
	else if (a->live)
		breaker_open_for(&a->live->breakers[c], now_us, for_us);
	log_error("%.*s: %s (credential %.*s, status %d)", STR_FMT(a->live ? a->live->name : STR("?")), what,
		  STR_FMT(credential_label(a)), a->status);
}

static void count_failure(struct attempt *a, enum breaker_class c, const struct breaker_settings *s, int64_t now_us,
			  bool *trials)
{
	if (!a->live)
		return;
	if (breaker_fail(&a->live->breakers[c], s, now_us, trials[c])) {
		atomic_store_explicit(&a->live->since_us, clock_wall_us(), memory_order_relaxed);
		log_warn("%.*s: breaker open: %s", STR_FMT(a->live->name), breaker_class_name(c));
	}
	trials[c] = false;
}

/* A local server's 503 or 429 is no illness: it loads its model, or all its places are taken. */
static bool is_passing(const struct attempt *a, const struct outcome *o, enum breaker_class *class)
{
	bool refused = o->status == 503 || o->status == 429;
	*class = str_ihas(o->said, STR("loading")) ? BREAKER_LOADING : BREAKER_BUSY;
	return a->local && refused && a->live;
}

/*
 * A token that is refused, or a signature by a wrong clock, is renewed once before the credential is blamed: the same
 * target may then be asked again.
 */
static bool is_renewed(struct attempt *a, const struct outcome *o)
{
	if (o->kind != ERR_UPSTREAM_AUTH || !a->token_row)
		return false;
	if (!a->skewed && !live_token_refuse(a->token_row, a->token))
		return false;
	log_warn("%.*s: the provider refused our token, %s (credential %.*s, status %d)",
		 STR_FMT(a->live ? a->live->name : STR("?")), a->skewed ? "our clock differs from its own" : "another is fetched",
		 STR_FMT(credential_label(a)), a->status);
	return true;
}

static void charge(struct attempt *a, const struct outcome *o, const struct breaker_settings *s, int64_t now_us, bool *trials)
{
	switch (o->kind) {
	case ERR_UPSTREAM_AUTH:
		open_credential(a, BREAKER_AUTH, now_us, AUTH_OPEN_US, "the provider refused our credential");
		break;
	case ERR_UPSTREAM_BILLING:
		open_credential(a, BREAKER_BILLING, now_us, BILLING_OPEN_US, "the provider says our account is out of credit");
		break;
	case ERR_UPSTREAM_RATE_LIMIT:
		if (a->credential)
			breaker_open_for(&a->credential->breakers[BREAKER_RATE_LIMIT], now_us, rate_limit_time(o));
		else if (a->live)
			breaker_open_for(&a->live->breakers[BREAKER_RATE_LIMIT], now_us, rate_limit_time(o));
		break;
	case ERR_UPSTREAM_MODEL_GONE:
		if (a->live)
			breaker_open_for(&a->live->breakers[BREAKER_MODEL_GONE], now_us, GONE_OPEN_US);
		log_error("%.*s: the provider does not know this model (any more)",
			  STR_FMT(a->live ? a->live->name : STR("?")));
		break;
	case ERR_UPSTREAM_CONNECT:
		count_failure(a, BREAKER_CONNECT, s, now_us, trials);
		break;
	case ERR_TIMEOUT:
		count_failure(a, BREAKER_TIMEOUT, s, now_us, trials);
		break;
	case ERR_UPSTREAM_BROKEN:
	case ERR_UPSTREAM_OVERLOADED:
		count_failure(a, BREAKER_ERROR, s, now_us, trials);
		break;
	default:
		break;
	}
}

bool failure_trip(struct attempt *a, const struct outcome *o, const struct breaker_settings *s, bool blame, bool *trials)
{
	int64_t now_us = loop_now(a->t->loop);
	enum breaker_class passing;
	if (a->live) {
		atomic_store_explicit(&a->live->last_error, (int)o->kind, memory_order_relaxed);
		atomic_store_explicit(&a->live->last_status, o->status, memory_order_relaxed);
	}
	if (!s->on)
		return false;
	if (is_passing(a, o, &passing)) {
		int64_t pause = passing == BREAKER_LOADING ? LOADING_US : BUSY_US;
		breaker_open_for(&a->live->breakers[passing], now_us, o->retry_after_us ? rate_limit_time(o) : pause);
		return true;
	}
	if (is_renewed(a, o))
		return true;
	if (blame)
		charge(a, o, s, now_us, trials);
	return false;
}

bool failure_teaches(const struct attempt *a, const struct outcome *o)
{
	bool no_path = o->status == 404 || o->status == 405 || o->status == 501;
	if (!no_path || a->translate || !a->live || !(a->quirks & QUIRK_TRY_RESPONSES) || !str_eq(a->t->call->path, STR("/responses")) ||
	    o->kind == ERR_UPSTREAM_MODEL_GONE || a->t->method != HTTP_POST)
		return false;
	if (!atomic_exchange_explicit(&a->live->no_responses, true, memory_order_relaxed))
		log_warn("%.*s: the provider has no /responses (status %d): callers of them are translated to chat; `responses: translate` says so "
			 "ahead, `responses: relay` asks all the same", STR_FMT(a->live->name), o->status);
	return true;
}

void failure_walk_on(struct txn *t, const struct live_target *from, const struct live_target *to,
		     const struct outcome *o)
{
	struct str a = from ? from->name : STR("?"), b = to ? to->name : STR("?");
	log_info("request %s: failover %.*s -> %.*s: %s%s%s", t->id, STR_FMT(a), STR_FMT(b),
		 error_row(o->kind)->fault, o->why ? ", " : "", o->why ? o->why : "");
	families_fallback(a, b, o->kind);
}

void failure_count(struct txn *t, const struct attempt *a, const struct outcome *o)
{
	int64_t took = loop_now(t->loop) - a->began_us;
	families_attempt(a->live, o ? o->kind : ERR_NONE, took);
	journal_attempt(t, a->live, o ? o->kind : ERR_NONE, a->status, a->began_us);
	if (o)
		log_debug("request %s: attempt at %.*s failed: %s (%s, status %d)", t->id,
			  STR_FMT(a->live ? a->live->name : STR("?")), o->why ? o->why : "", error_row(o->kind)->fault, o->status);
}

static const char *words(enum error_kind kind)
{
	switch (kind) {
	case ERR_UPSTREAM_RATE_LIMIT: return "The provider limits our rate of requests.";
	case ERR_UPSTREAM_AUTH:       return "The provider refused the gateway's credential. Its operator has been told.";
	case ERR_UPSTREAM_BILLING:    return "The gateway's account with the provider is out of credit.";
	case ERR_UPSTREAM_MODEL_GONE: return "The provider does not know this model (any more).";
	case ERR_UPSTREAM_CONNECT:    return "The provider could not be reached.";
	case ERR_UPSTREAM_OVERLOADED: return "The provider is overloaded.";
	case ERR_UPSTREAM_CHECK:      return "The model's answer failed its checks, and no larger one could be asked.";
	case ERR_TIMEOUT:             return "The provider did not answer in time.";
	case ERR_CONTEXT_LENGTH:      return "The request is longer than the model's context.";
	case ERR_CONTENT_POLICY:      return "The provider's content policy refused the request.";
	case ERR_UPSTREAM_REJECTED:   return "The provider rejected the request.";
	case ERR_OVERLOADED:          return "No target of this model can be asked now.";
	case ERR_MEMORY:              return "The gateway is short of memory; try again shortly.";
	default:                      return "The provider's answer broke off or made no sense.";
	}
}

void failure_describe(struct txn *t, const struct outcome *o)
{
	struct error *e = &t->error;
	const struct error_row *row = error_row(e->kind);
	bool about_request = row->next != NEXT_TARGET && o->status >= 400 && o->status < 500;
	e->status = e->kind == ERR_UPSTREAM_REJECTED && about_request ? o->status : 0;
	e->message = about_request && !str_empty(o->message) ? o->message : str_c(words(e->kind));
	e->relay = about_request ? o->relay : STR_NONE;
	/* Every target was asked: a client's own retries would only multiply that. */
	e->final = e->kind != ERR_UPSTREAM_RATE_LIMIT || e->retry_after_s == 0 || e->retry_after_s > 60;
}

enum error_kind failure_kind(enum transport_failure f)
{
	switch (f) {
	case TRANSPORT_RESOLVE:
	case TRANSPORT_FORBIDDEN:
	case TRANSPORT_CONNECT:
	case TRANSPORT_TLS:
		return ERR_UPSTREAM_CONNECT;
	case TRANSPORT_MEMORY:
		return ERR_MEMORY;
	default:
		return ERR_UPSTREAM_BROKEN;
	}
}
