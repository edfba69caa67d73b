/*
 * build_identity.h: between build_identity.c and build_aws.c.
 */
#ifndef WEIR_CONFIG_BUILD_IDENTITY_H
#define WEIR_CONFIG_BUILD_IDENTITY_H

#include "config/build.h"
#include "core/token.h"

/* The variable for as long as the snapshot; empty where the environment is not looked at. */
struct str identity_variable(const struct build *b, const char *name);
struct str identity_either(struct build *b, struct str option, const char *name);
struct str identity_home(struct build *b, const char *path);	/* under HOME */
bool identity_file(const struct build *b, struct str path);	/* can be read */

/* `far`: metadata servers may be asked, too. False: nothing was found, and `*lacks` says what to set. */
bool identity_aws(struct build *b, const struct node *n, const struct provider_draft *d, struct provider *p, bool far,
		  struct token_source *s, struct str *lacks);

#endif
