/*
 * signature.h: signatures, made and verified, through OpenSSL.
 */
#ifndef WEIR_BASE_SIGNATURE_H
#define WEIR_BASE_SIGNATURE_H

#include <stdint.h>

#include "base/str.h"

enum { SIGNATURE_MAX = 1024 };	/* of an RSA key of 8192 bits */

/*
 * RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017; RS256 of RFC 7518) by a key in PEM without a passphrase. Returns its
 * length; 0 when this is no RSA key that can be used.
 */
size_t signature_rs256(struct str pem, struct str bytes, uint8_t out[SIGNATURE_MAX]);

/* --- signatures of others --- */

enum signature_kind { SIGNATURE_RS256, SIGNATURE_ES256, SIGNATURE_EDDSA };

struct public_key;

/* From big-endian numbers as JSON web keys have them (RFC 7518); NULL when it is no such key, or RSA of less than 2048 bits. */
struct public_key *public_key_rsa(struct str n, struct str e);
struct public_key *public_key_p256(struct str x, struct str y);
struct public_key *public_key_ed25519(struct str x);
void public_key_free(struct public_key *k);

/* Never true for a key of another kind than `kind` is made with. ES256: r and s, 32 bytes each. Any thread. */
bool signature_verify(const struct public_key *k, enum signature_kind kind, struct str bytes, struct str signature);

#endif
