/*
 * token_reply_test.c: what those who give tokens answer, and what nobody should take for a token.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/clock.h"
#include "providers/token_reply.h"

/* 2030-01-01T00:00:00Z */
static const int64_t NOW_US = 1893456000 * SECOND_US;

static struct arena arena = ARENA_INIT;
static struct buf why = BUF_INIT(1024);

typedef struct token *reader(struct token_io *io, const struct token_answer *a, struct buf *why);

static struct token *read_it(reader *r, int status, const char *body)
{
	struct token_io io = { .arena = &arena, .wall_us = NOW_US };
	struct token_answer a = { .status = status, .body = str_c(body), .error = status ? NULL : "no route" };
	buf_clear(&why);
	return r(&io, &a, &why);
}

static bool gives(reader *r, const char *body, const char *secret, int64_t lives_s)
{
	struct token *t = read_it(r, 200, body);
	bool same = t && str_eq(t->secret, str_c(secret)) &&
		    t->expires_us == (lives_s ? NOW_US + lives_s * SECOND_US : TOKEN_FOREVER);
	token_unref(t);
	return same;
}

static bool refuses(reader *r, int status, const char *body, const char *reason)
{
	struct token *t = read_it(r, status, body);
	token_unref(t);
	return !t && str_eq(buf_str(&why), str_c(reason));
}

static void oauth(void **state)
{
	(void)state;
	assert_true(gives(token_reply_oauth, "{\"access_token\":\"a.b-c\",\"expires_in\":3599}", "a.b-c", 3599));
	assert_true(gives(token_reply_oauth, "{\"access_token\":\"t\",\"expires_in\":\"86399\"}", "t", 86399));
	assert_true(gives(token_reply_oauth, "{\"access_token\":\"t\",\"expires_on\":\"1893456060\"}", "t", 60));
	assert_true(gives(token_reply_oauth, "{\"access_token\":\"t\",\"expires_in\":12.7}", "t", 12));
	assert_true(gives(token_reply_oauth, "{\"access_token\":\"t\"}", "t", 300));
	assert_true(gives(token_reply_oauth, "{\"access_token\":\"t\",\"expires_in\":99999999999}", "t", 366 * 86400));
}

static void oauth_that_is_none(void **state)
{
	static const char *const bad[] = {
		"", "<html>", "[]", "{}", "{\"access_token\":\"\"}", "{\"access_token\":7}", "{\"access_token\":\"a\\r\\nb\"}",
		"{\"access_token\":\"a b\"}", "{\"access_token\":\"t\",\"expires_in\":0}", "{\"access_token\":\"t\",\"expires_on\":1}",
		"{\"access_token\":\"\\u00e9\"}", "{\"access_token\":\"t",
	};
	(void)state;
	for (size_t i = 0; i < array_len(bad); i++)
		assert_true(refuses(token_reply_oauth, 200, bad[i], "the answer holds no access_token that can be used"));
}

static void refusals(void **state)
{
	(void)state;
	assert_true(refuses(token_reply_oauth, 0, "", "no answer: no route"));
	assert_true(refuses(token_reply_oauth, 503, "", "status 503"));
	assert_true(refuses(token_reply_oauth, 400, "{\"error\":\"invalid_grant\",\"error_description\":\"Bad\\nday\"}",
			    "status 400, invalid_grant: Bad day"));
	assert_true(refuses(token_reply_oauth, 403, "{\"error\":{\"code\":403,\"message\":\"off\"}}", "status 403, off"));
	assert_true(refuses(token_reply_aws, 404, "{\"code\":\"NotFound\"}", "status 404, NotFound"));
	assert_true(refuses(token_reply_sts, 403, "<ErrorResponse><Error><Code>AccessDenied</Code><Message>No</Message></Error></ErrorResponse>",
			    "status 403, AccessDenied: No"));
}

#define KEYS "\"AccessKeyId\":\"ASIA\",\"SecretAccessKey\":\"s/k\",\"Token\":\"session==\""

static void metadata(void **state)
{
	(void)state;
	assert_true(gives(token_reply_aws, "{\"Code\":\"Success\"," KEYS ",\"Expiration\":\"2030-01-01T01:00:00Z\"}", "s/k", 3600));
	assert_true(gives(token_reply_aws, "{" KEYS "}", "s/k", 0));
	assert_true(refuses(token_reply_aws, 200, "{\"Code\":\"AssumeRoleUnauthorizedAccess\"}",
			    "the metadata service says AssumeRoleUnauthorizedAccess"));
	assert_true(refuses(token_reply_aws, 200, "{" KEYS ",\"Expiration\":\"2029-12-31T23:59:59Z\"}",
			    "the answer holds no credentials that can be used"));
	assert_true(refuses(token_reply_aws, 200, "{" KEYS ",\"Expiration\":\"soon\"}", "the answer holds no credentials that can be used"));
	assert_true(refuses(token_reply_aws, 200, "nothing", "the answer holds no credentials that can be used"));
}

static void sts(void **state)
{
	(void)state;
	assert_true(gives(token_reply_sts, "<R><Credentials><AccessKeyId>ASIA</AccessKeyId> <SecretAccessKey> s+k </SecretAccessKey>"
			  "<SessionToken>t</SessionToken><Expiration>2030-01-01T00:15:00.5Z</Expiration></Credentials></R>", "s+k", 900));
	assert_true(refuses(token_reply_sts, 200, "<R><Credentials><AccessKeyId>ASIA</AccessKeyId></Credentials></R>",
			    "the answer holds no credentials that can be used"));
	assert_true(refuses(token_reply_sts, 200, "<Credentials>", "the answer holds no credentials that can be used"));
}

static int clean_up(void **state)
{
	(void)state;
	arena_wipe(&arena);
	buf_free(&why);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(oauth),
		cmocka_unit_test(oauth_that_is_none),
		cmocka_unit_test(refusals),
		cmocka_unit_test(metadata),
		cmocka_unit_test(sts),
	};
	return cmocka_run_group_tests(tests, NULL, clean_up);
}
