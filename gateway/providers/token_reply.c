/*
 * token_reply.c: foreign bytes are trusted in nothing: what goes into a header is visible ASCII, and of a length.
 */
#include "providers/token_reply.h"

#include "base/clock.h"
#include "wire/date.h"
#include "wire/json_cursor.h"

enum { SECRET_MOST = 16 * 1024, WORDS_MOST = 160 };

/* Of a token whose life is not told. */
static const int64_t LIFE_UNKNOWN_US = 300 * SECOND_US, LIFE_MOST_S = 366 * 86400;

static bool is_sendable(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f)
			return false;
	return s.n <= SECRET_MOST;
}

/* --- refusals --- */

static void add_words(struct buf *why, struct str words)
{
	words = str_head(words, WORDS_MOST);
	for (size_t i = 0; i < words.n; i++)
		buf_addc(why, words.p[i] >= ' ' && words.p[i] < 0x7f ? words.p[i] : ' ');
}

static struct str tag(struct str xml, const char *open, const char *close)
{
	ptrdiff_t begin = str_find(xml, str_c(open));
	struct str rest = begin < 0 ? STR_NONE : str_skip(xml, (size_t)begin + strlen(open));
	ptrdiff_t end = rest.n ? str_find(rest, str_c(close)) : -1;
	return end < 0 ? STR_NONE : str_trim(str_head(rest, (size_t)end));
}

void token_reply_refused(struct token_io *io, const struct token_answer *a, struct buf *why)
{
	if (a->status == 0) {
		buf_addf(why, "no answer: %s", a->error ? a->error : "unknown");
		return;
	}
	buf_addf(why, "status %d", a->status);
	struct str error = json_get(a->body, STR("error")), code = json_text(io->arena, error);
	struct str more = json_text(io->arena, json_get(a->body, STR("error_description")));
	if (json_type(error) == JSON_OBJECT)
		code = json_text(io->arena, json_get(error, STR("message")));
	if (str_empty(code))
		code = json_text(io->arena, json_get(a->body, STR("code")));
	if (str_empty(code))
		code = tag(a->body, "<Code>", "</Code>");
	if (str_empty(more))
		more = tag(a->body, "<Message>", "</Message>");
	if (!str_empty(code))
		buf_add(why, STR(", "));
	add_words(why, code);
	if (!str_empty(more))
		buf_add(why, STR(": "));
	add_words(why, more);
}

static bool is_answer(struct token_io *io, const struct token_answer *a, struct buf *why)
{
	if (a->status == 200)
		return true;
	token_reply_refused(io, a, why);
	return false;
}

/* --- OAuth --- */

/* A number, or one in quotes. */
static bool number(struct token_io *io, struct str value, int64_t *out)
{
	uint64_t n;
	struct str text = json_type(value) == JSON_STRING ? json_text(io->arena, value) : value;
	ptrdiff_t dot = str_chr(text, '.');
	if (!str_u64(dot > 0 ? str_head(text, (size_t)dot) : text, &n) || n > INT64_MAX / 2)
		return false;
	*out = (int64_t)n;
	return true;
}

static int64_t life_us(struct token_io *io, struct str body)
{
	int64_t s, now_s = (io->wall_us + io->skew_us) / SECOND_US;
	if (number(io, json_get(body, STR("expires_in")), &s))
		return (s < LIFE_MOST_S ? s : LIFE_MOST_S) * SECOND_US;
	if (number(io, json_get(body, STR("expires_on")), &s))
		return s > now_s ? (s - now_s < LIFE_MOST_S ? s - now_s : LIFE_MOST_S) * SECOND_US : 0;
	return LIFE_UNKNOWN_US;
}

struct token *token_reply_oauth(struct token_io *io, const struct token_answer *a, struct buf *why)
{
	if (!is_answer(io, a, why))
		return NULL;
	struct str secret = json_text(io->arena, json_get(a->body, STR("access_token")));
	int64_t life = life_us(io, a->body);
	if (str_empty(secret) || !is_sendable(secret) || life <= 0) {
		buf_add(why, STR("the answer holds no access_token that can be used"));
		return NULL;
	}
	return token_make(TOKEN_BEARER, STR_NONE, secret, STR_NONE, io->wall_us + life);
}

/* --- AWS --- */

/* By the vendor's clock it ends at `expiration`; by ours, so much later or sooner. */
static bool ends_at(struct token_io *io, struct str expiration, int64_t *us)
{
	int64_t s;
	*us = TOKEN_FOREVER;
	if (str_empty(expiration))
		return true;
	if (!date_iso(expiration, &s))
		return false;
	*us = s * SECOND_US - io->skew_us;
	return *us > io->wall_us;
}

static struct token *aws_token(struct token_io *io, struct str id, struct str secret, struct str session, struct str expiration,
			       struct buf *why)
{
	int64_t ends_us;
	bool good = !str_empty(id) && !str_empty(secret) && is_sendable(id) && is_sendable(secret) && is_sendable(session) &&
		    ends_at(io, expiration, &ends_us);
	if (good)
		return token_make(TOKEN_AWS, id, secret, session, ends_us);
	buf_add(why, STR("the answer holds no credentials that can be used"));
	return NULL;
}

struct token *token_reply_aws(struct token_io *io, const struct token_answer *a, struct buf *why)
{
	if (!is_answer(io, a, why))
		return NULL;
	struct str code = json_text(io->arena, json_get(a->body, STR("Code")));
	if (!str_empty(code) && !str_eq(code, STR("Success"))) {
		buf_add(why, STR("the metadata service says "));
		add_words(why, code);
		return NULL;
	}
	return aws_token(io, json_text(io->arena, json_get(a->body, STR("AccessKeyId"))),
			 json_text(io->arena, json_get(a->body, STR("SecretAccessKey"))),
			 json_text(io->arena, json_get(a->body, STR("Token"))),
			 json_text(io->arena, json_get(a->body, STR("Expiration"))), why);
}

struct token *token_reply_sts(struct token_io *io, const struct token_answer *a, struct buf *why)
{
	if (!is_answer(io, a, why))
		return NULL;
	struct str c = tag(a->body, "<Credentials>", "</Credentials>");
	return aws_token(io, tag(c, "<AccessKeyId>", "</AccessKeyId>"), tag(c, "<SecretAccessKey>", "</SecretAccessKey>"),
			 tag(c, "<SessionToken>", "</SessionToken>"), tag(c, "<Expiration>", "</Expiration>"), why);
}
