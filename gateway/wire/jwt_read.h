/*
 * jwt_read.h: JSON Web Tokens (RFC 7519, 7515) and key sets (RFC 7517) of others. Pure: nothing is verified here.
 */
#ifndef WEIR_WIRE_JWT_READ_H
#define WEIR_WIRE_JWT_READ_H

#include "base/arena.h"
#include "base/signature.h"

enum { JWT_READ_MAX = 8192, JWK_MAX = 64 };

struct jwt {
	enum signature_kind alg;	/* RS256, ES256, EdDSA: others, and `none`, are refused */
	struct str kid;			/* empty: not said */
	struct str claims;		/* one valid JSON object, names given once */
	struct str covered, signature;	/* what is signed; decoded */
};

/* NULL when it is well formed, with texts in the arena; otherwise a constant text that says what is wrong. */
const char *jwt_read(struct str token, struct arena *a, struct jwt *out);

/* Does it look like one? Three parts, the first a JSON object in base64url. */
bool jwt_looks(struct str token);

struct jwk {
	enum signature_kind alg;
	struct str kid;
	struct str parts[2];		/* decoded: n and e; x and y; x */
};

/* The keys of a set that can be used here, at most JWK_MAX; -1: this is no set. */
int jwks_parse(struct str text, struct arena *a, struct jwk out[JWK_MAX]);

#endif
