/*
 * blank_secrets.c: some vendors say back what they were shown, and what they say of a request goes on to the caller.
 */
#include <string.h>

#include "core/snapshot.h"
#include "core/token.h"
#include "upstream/attempt_parts.h"

enum { SECRET_LEAST = 8, HEADER_LEAST = 12 };	/* what is shorter is no secret, and may be any word */
enum { SHOWN_MAX = 64 * 1024 };

static void blank_as(struct buf *body, struct str spelled)
{
	size_t from = 0;
	ptrdiff_t at = 0;
	while ((at = str_find(str_skip(buf_str(body), from), spelled)) >= 0) {
		memset(body->p + from + at, '*', spelled.n);
		from += (size_t)at + spelled.n;
	}
}

/* As it is, and as writers of JSON spell it that escape slashes. */
static void blank(struct buf *body, struct str secret, size_t least)
{
	if (secret.n < least)
		return;
	blank_as(body, secret);
	if (!memchr(secret.p, '/', secret.n))
		return;
	struct buf escaped = BUF_INIT(2 * secret.n + 1);
	for (size_t i = 0; i < secret.n; i++) {
		if (secret.p[i] == '/')
			buf_addc(&escaped, '\\');
		buf_addc(&escaped, secret.p[i]);
	}
	blank_as(body, buf_str(&escaped));
	buf_free(&escaped);
}

static void keep(struct buf *shown, struct str secret, size_t least)
{
	if (secret.n < least || shown->n + secret.n + 2 > shown->max)
		return;		/* each that is kept has its NUL, and the last one another */
	buf_add(shown, secret);
	buf_addc(shown, '\0');
}

void attempt_keep_shown(struct attempt *a)
{
	const struct snapshot *s = a->t->snapshot;
	if (a->translate || !a->dialect->failure_ends || !a->credential || a->shown)
		return;		/* its failures are told in our own words */
	struct buf shown = BUF_INIT(SHOWN_MAX);
	for (unsigned i = 0; s && i < s->n_providers; i++) {
		const struct provider *p = s->providers[i];
		for (unsigned k = 0; k < p->n_credentials; k++) {
			if (p->credentials[k].live != a->credential)
				continue;
			keep(&shown, p->credentials[k].secret, SECRET_LEAST);
			for (unsigned h = 0; h < p->n_headers; h++)
				keep(&shown, p->headers[h].value, HEADER_LEAST);
			buf_addc(&shown, '\0');
			a->shown = shown.p;
			return;
		}
	}
}

static void blank_configured(const struct snapshot *s, struct buf *body)
{
	for (unsigned i = 0; i < s->n_providers; i++) {
		const struct provider *p = s->providers[i];
		for (unsigned k = 0; k < p->n_credentials; k++)
			blank(body, p->credentials[k].secret, SECRET_LEAST);
		for (unsigned k = 0; k < p->n_headers; k++)
			blank(body, p->headers[k].value, HEADER_LEAST);
	}
}

void attempt_blank_secrets(const struct attempt *a, struct buf *body)
{
	if (a->t->snapshot)
		blank_configured(a->t->snapshot, body);
	for (const char *s = a->shown; s && *s; s += strlen(s) + 1)
		blank(body, str_c(s), 1);
	if (a->token) {
		blank(body, a->token->secret, SECRET_LEAST);
		blank(body, a->token->session, SECRET_LEAST);
	}
}
