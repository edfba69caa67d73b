/*
 * authorise.c: adding the credential to a head.
 */
#include "upstream/authorise.h"

#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "wire/aws_sigv4.h"

enum { HEAD_MAX = 64 * 1024, SIGNED_MAX = 16, TIME_SIZE = 17 };

/* --- the head --- */

struct head {
	struct str method, path, query, lines;	/* lines: the headers, without the empty line */
};

static bool head_read(struct str text, struct head *h)
{
	ptrdiff_t line = str_find(text, STR("\r\n"));
	struct str first = str_head(text, line < 0 ? 0 : (size_t)line), target;
	if (!str_split(&first, ' ', &h->method) || !str_split(&first, ' ', &target) || !str_ends(text, STR("\r\n\r\n")))
		return false;
	ptrdiff_t mark = str_chr(target, '?');
	h->path = mark < 0 ? target : str_head(target, (size_t)mark);
	h->query = mark < 0 ? STR_NONE : str_skip(target, (size_t)mark + 1);
	h->lines = str_skip(str_head(text, text.n - 2), (size_t)line + 2);
	return true;
}

static void add_header(struct buf *b, struct str name, struct str value)
{
	buf_add(b, name);
	buf_add(b, STR(": "));
	buf_add(b, value);
	buf_add(b, STR("\r\n"));
}

static void add_bearer(struct buf *b, struct str secret)
{
	buf_add(b, STR("authorization: Bearer "));
	buf_add(b, secret);
	buf_add(b, STR("\r\n"));
}

/* --- what a vendor gives once --- */

static void add_callers(struct buf *b, const struct txn *t, const struct provider *p)
{
	struct str own = t->req->header[RH_API_KEY];
	if (!str_empty(t->req->header[RH_AUTHORIZATION]) && str_istarts(t->req->header[RH_AUTHORIZATION], STR("bearer ")))
		own = str_trim(str_skip(t->req->header[RH_AUTHORIZATION], 7));
	if (!str_empty(own) && p->scheme == CREDENTIAL_HEADER)
		add_header(b, p->scheme_name, own);
	else if (!str_empty(own))
		add_bearer(b, own);
}

static bool is_messages(const struct provider *p, struct str path)
{
	return str_starts(str_skip(path, p->base_path.n), STR("/messages"));
}

static void add_static(struct buf *b, const struct provider *p, const struct credential *c, struct str path)
{
	if ((p->quirks & QUIRK_MESSAGES_KEY) && is_messages(p, path))
		add_header(b, STR("x-api-key"), c->secret);
	else if (p->scheme == CREDENTIAL_BEARER)
		add_bearer(b, c->secret);
	else if (p->scheme == CREDENTIAL_HEADER)
		add_header(b, p->scheme_name, c->secret);
}

/* --- AWS --- */

/* Signed are those that make the request what it is; what else is sent may be changed on the way. */
static size_t signed_headers(struct str lines, struct http_header *to)
{
	static const struct str names[] = { STR_INIT("host"), STR_INIT("content-type") };
	size_t n = 0;
	struct str line;
	while (str_split(&lines, '\n', &line)) {
		ptrdiff_t colon = str_chr(line, ':');
		struct str name = str_head(line, colon < 0 ? 0 : (size_t)colon);
		bool wanted = str_ieq(name, names[0]) || str_ieq(name, names[1]) || str_istarts(name, STR("x-amz"));
		if (wanted && n < SIGNED_MAX)
			to[n++] = (struct http_header){ name, str_trim(str_head(str_skip(line, (size_t)colon + 1),
										line.n - (size_t)colon - 2)) };
	}
	return n;
}

static void write_time(char to[TIME_SIZE], int64_t wall_us)
{
	time_t s = (time_t)(wall_us / SECOND_US);
	struct tm tm;
	gmtime_r(&s, &tm);
	strftime(to, TIME_SIZE, "%Y%m%dT%H%M%SZ", &tm);
}

static const char *add_signature(struct buf *b, struct txn *t, const struct provider *p, const struct credential *c,
				 const struct token *token, const struct head *h, const struct transport_call *call)
{
	char time[TIME_SIZE], digest[2 * DIGEST_SIZE + 1];
	uint8_t raw[DIGEST_SIZE];
	struct http_header headers[SIGNED_MAX];
	const struct sigv4_credentials who = { token->id, token->secret, token->session };
	struct sigv4_signature s;
	if (call->streamed)
		return "AWS signs whole bodies, and this one is passed on as it comes";
	write_time(time, clock_wall_us() + live_token_skew(c->token));
	digest_sha256_parts(call->parts + 1, call->n_parts - 1, raw);
	digest_to_hex(raw, digest);
	const struct sigv4_request r = {
		.method = h->method, .path = h->path, .query = h->query, .headers = headers,
		.header_count = signed_headers(h->lines, headers), .body_digest = str_c(digest), .region = p->region,
		.service = p->aws_service, .time = str_c(time),
	};
	if (!sigv4_sign(&t->arena, &r, &who, &s))
		return "it is too long to be signed";
	for (size_t i = 0; i < s.add_count; i++)
		add_header(b, s.add[i].name, s.add[i].value);
	return NULL;
}

/* --- all --- */

/* The first line again, with the credential as one more parameter. */
static void add_target(struct buf *b, const struct provider *p, const struct credential *c, const struct head *h)
{
	bool query = c && !c->token && !p->caller_credential && p->scheme == CREDENTIAL_QUERY;
	buf_add(b, h->method);
	buf_addc(b, ' ');
	buf_add(b, h->path);
	buf_add(b, str_empty(h->query) ? STR_NONE : STR("?"));
	buf_add(b, h->query);
	if (query) {
		buf_add(b, str_empty(h->query) ? STR("?") : STR("&"));
		buf_add(b, p->scheme_name);
		buf_addc(b, '=');
		buf_add(b, c->secret);
	}
	buf_add(b, STR(" HTTP/1.1\r\n"));
}

const char *authorise(struct txn *t, const struct provider *p, const struct credential *c, const struct token *token,
		      struct transport_call *call)
{
	struct iovec *first = (struct iovec *)(uintptr_t)call->parts;
	struct head h;
	const char *why = NULL;
	if (!c && !p->caller_credential)
		return NULL;
	if (!head_read(str_of(first->iov_base, first->iov_len), &h))
		return "its head is too long";
	struct buf b = BUF_INIT(HEAD_MAX);
	add_target(&b, p, c, &h);
	buf_add(&b, h.lines);
	if (p->caller_credential)
		add_callers(&b, t, p);
	else if (token && token->kind == TOKEN_AWS)
		why = add_signature(&b, t, p, c, token, &h, call);
	else if (token)
		add_bearer(&b, token->secret);
	else
		add_static(&b, p, c, h.path);
	buf_add(&b, STR("\r\n"));
	if (b.failed)
		why = "its head is too long";
	struct str head = arena_copy(&t->arena, buf_str(&b));
	secret_wipe(b.p, b.n);
	buf_free(&b);
	*first = (struct iovec){ (void *)(uintptr_t)head.p, head.n };
	return why;
}
