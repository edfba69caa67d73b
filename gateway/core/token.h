/*
 * token.h: credentials that are fetched: where from, what is held now, and when to fetch again.
 *
 * Rows are process-wide, one for each source, whoever names it: two providers of one account share
 * a row, and a reload that changes nothing keeps it. A snapshot references its rows; the last
 * reference frees one and wipes its token. A row of another source is another row, so that no token
 * ever reaches a provider it was not configured for.
 *
 * Requests take the token of the moment, which is immutable and counted. Threads of their own
 * (upstream/token_keeper.h) fetch ahead of expiry, one fetch a row at a time; the old token serves until
 * the new one is there. Wall-clock times are microseconds since 1970.
 */
#ifndef WEIR_CORE_TOKEN_H
#define WEIR_CORE_TOKEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* --- where from --- */

enum token_origin {
	TOKEN_GIVEN,		/* the configuration or the environment has it */
	TOKEN_AWS_FILES,	/* shared config and credentials files */
	TOKEN_AWS_WEB_IDENTITY,	/* STS, AssumeRoleWithWebIdentity */
	TOKEN_AWS_CONTAINER,	/* ECS, EKS pod identity */
	TOKEN_AWS_INSTANCE,	/* EC2 instance metadata, version 2 */
	TOKEN_GOOGLE_FILE,	/* service account or authorised user */
	TOKEN_GOOGLE_METADATA,
	TOKEN_ENTRA,		/* client credentials: a secret, or a federated token */
	TOKEN_AZURE_INSTANCE,	/* managed identity of a machine */
	TOKEN_AZURE_APP		/* managed identity of App Service and its kin */
};

enum token_field {
	TOKEN_ID,		/* client id, access key id */
	TOKEN_SECRET,		/* client secret, secret access key; App Service's identity header */
	TOKEN_SESSION,		/* AWS session token; a role session's name */
	TOKEN_TENANT,
	TOKEN_FILE,		/* Google's JSON, AWS shared credentials, a federated token, a container's authorization */
	TOKEN_CONFIG_FILE,	/* AWS shared config */
	TOKEN_PROFILE,
	TOKEN_ROLE,
	TOKEN_REGION,
	TOKEN_SCOPE,		/* or resource */
	TOKEN_ENDPOINT,		/* of who gives it, where that is not the vendor's usual one */
	TOKEN_PROXY,
	TOKEN_FIELDS
};

struct token_source {
	enum token_origin origin;
	struct str field[TOKEN_FIELDS];
};

/* --- what is held --- */

enum token_kind { TOKEN_BEARER, TOKEN_AWS };

struct token {
	_Atomic int refs;
	enum token_kind kind;
	int64_t expires_us;	/* wall clock; TOKEN_FOREVER */
	struct str secret;	/* the bearer token, or the secret access key */
	struct str id, session;	/* AWS: access key id; session token, may be empty */
};

#define TOKEN_FOREVER INT64_MAX

/* Copies; one reference, the caller's. */
struct token *token_make(enum token_kind kind, struct str id, struct str secret, struct str session, int64_t expires_us);
void token_unref(struct token *t);	/* NULL is allowed; the last one wipes it */

/* --- rows --- */

struct live_token;

/* The row of this source, referenced for the caller; `label` is for logs and metrics of one that is new. */
struct live_token *live_token_of(const struct token_source *s, struct str label);
void live_token_unref(struct live_token *l);	/* NULL is allowed */

struct str live_token_label(const struct live_token *l);
const struct token_source *live_token_source(const struct live_token *l);

/* A reference to the token of the moment; NULL when there is none that is valid. From any thread. */
struct token *live_token_take(struct live_token *l, int64_t wall_us);

/*
 * Is there one to take? False: `*look_us` (monotonic) is when it is worth looking again, `*failed` says that
 * fetching it failed.
 */
bool live_token_ready(struct live_token *l, int64_t *look_us, bool *failed);

/*
 * The provider refused `used`. True: another one is there, or on its way, and worth a further try;
 * this fetches early at most once a minute. False: it is the credential that is refused.
 */
bool live_token_refuse(struct live_token *l, const struct token *used);

/* The vendor's clock minus ours, as its refusals told; signatures go by it. */
int64_t live_token_skew(const struct live_token *l);
void live_token_set_skew(struct live_token *l, int64_t us);

/* --- for who fetches --- */

/* The next row that is due, referenced, and nobody else's until live_token_fetched(). Blocks; NULL: the end. */
struct live_token *live_token_next(void);
/*
 * Takes over `fresh`; NULL: it failed, and is tried again after a growing pause. `again_us`: how long until it is
 * fetched again although it does not expire (a file may have changed); 0: by its expiry. How many failures in a row.
 */
unsigned live_token_fetched(struct live_token *l, struct token *fresh, int64_t again_us);
unsigned live_token_failures(const struct live_token *l);	/* in a row, until now */
/* From now on live_token_next() blocks, or ends at once, for all threads. */
void live_tokens_serve(bool on);
/* Microseconds until the token expires, below zero when there is none; for metrics. False: it does not expire. */
bool live_token_left(struct live_token *l, int64_t *us);
/* Every row; `each` may ask it what it holds, and must neither make nor release one. */
void live_tokens_each(void (*each)(struct live_token *, void *arg), void *arg);

#endif
