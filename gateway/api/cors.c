/*
 * cors.c: off unless origins are configured. The caller's origin is echoed only when it
 * is listed (or `*` is), requested header names are echoed because `*` does not cover
 * `authorization`, and credentials in the browser's sense (cookies) are never allowed.
 */
#include "api/cors.h"

#include "api/answer_writer.h"
#include "core/snapshot.h"

static bool origin_allowed(const struct txn *t)
{
	struct str origin = t->req->header[RH_ORIGIN];
	if (!t->snapshot || str_empty(origin))
		return false;
	const struct listen_settings *l = &t->snapshot->settings.listen;
	for (unsigned i = 0; i < l->n_cors_origins; i++)
		if (str_eq(l->cors_origins[i], origin) || str_eq(l->cors_origins[i], STR("*")))
			return true;
	return false;
}

unsigned cors_headers(const struct txn *t, struct answer_header *to, unsigned room)
{
	if (room < 3 || !origin_allowed(t))
		return 0;
	to[0] = (struct answer_header){ STR("access-control-allow-origin"), t->req->header[RH_ORIGIN] };
	to[1] = (struct answer_header){ STR("vary"), STR("origin") };
	to[2] = (struct answer_header){ STR("access-control-expose-headers"),
		STR("x-request-id, request-id, retry-after, x-should-retry, x-weir-target, x-weir-attempts, "
		    "x-weir-cache, x-weir-cache-id, x-weir-cache-items, x-weir-cost-usd, x-weir-cost-estimated, x-weir-dropped, "
		    "x-weir-answered-by, x-weir-estimated, x-weir-budget-reset, x-ratelimit-limit-requests, x-ratelimit-remaining-requests, "
		    "x-ratelimit-reset-requests, x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, "
		    "x-ratelimit-reset-tokens") };
	return 3;
}

enum stage_result cors_preflight(struct txn *t)
{
	struct answer_header h[3];
	unsigned n = 0;
	if (!origin_allowed(t))
		return answer_empty(t, 204, NULL, 0);
	h[n++] = (struct answer_header){ STR("access-control-allow-methods"), STR("GET, POST, DELETE, OPTIONS") };
	if (!str_empty(t->req->header[RH_REQUEST_HEADERS]))
		h[n++] = (struct answer_header){ STR("access-control-allow-headers"), t->req->header[RH_REQUEST_HEADERS] };
	h[n++] = (struct answer_header){ STR("access-control-max-age"), STR("600") };
	return answer_empty(t, 204, h, n);
}
