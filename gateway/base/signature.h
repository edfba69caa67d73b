/*
 * signature.h: signatures by private keys, through OpenSSL.
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

#endif
