/*
 * version.c: which weir this is, and what it stands on.
 */
#include "version.h"

#include <event2/event.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <yaml.h>

#include "cli_http.h"

const char version_text[] = WEIR_VERSION;
const char version_commit[] = WEIR_COMMIT;

void version_print(void)
{
	printf("weir %s (%s)\nlibevent %s, %s, libcurl %s, libyaml %s, jansson %s\n", version_text, version_commit,
	       event_get_version(), OpenSSL_version(OPENSSL_VERSION), cli_http_version(), yaml_get_version_string(),
	       JANSSON_VERSION);
}
