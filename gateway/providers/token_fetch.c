/*
 * token_fetch.c: who knows each source, and what they share.
 */
#include "providers/token_fetch.h"

#include "base/clock.h"
#include "base/digest.h"
#include "wire/date.h"

/* Date has whole seconds, and an answer takes its time: less than this is no difference. */
static const int64_t SKEW_LEAST_US = 30 * SECOND_US;

struct token *token_fetch(const struct token_source *s, struct token_io *io, int64_t *again_us, struct buf *why)
{
	static token_fetcher *const fetchers[] = {
		[TOKEN_AWS_FILES] = aws_files_fetch, [TOKEN_AWS_WEB_IDENTITY] = aws_web_identity_fetch,
		[TOKEN_AWS_CONTAINER] = aws_container_fetch, [TOKEN_AWS_INSTANCE] = aws_instance_fetch,
		[TOKEN_GOOGLE_FILE] = google_file_fetch, [TOKEN_GOOGLE_METADATA] = google_metadata_fetch,
		[TOKEN_ENTRA] = entra_fetch, [TOKEN_AZURE_INSTANCE] = azure_instance_fetch, [TOKEN_AZURE_APP] = azure_app_fetch,
	};
	int64_t skew_us = io->skew_us;
	*again_us = 0;
	if (s->origin == TOKEN_GIVEN)
		return token_make(TOKEN_AWS, s->field[TOKEN_ID], s->field[TOKEN_SECRET], s->field[TOKEN_SESSION], TOKEN_FOREVER);
	struct token *t = fetchers[s->origin](s, io, again_us, why);
	if (t || io->skew_us == skew_us)
		return t;
	io->n_hidden = 0;
	buf_clear(why);		/* it may have been our clock: once more, by theirs */
	return fetchers[s->origin](s, io, again_us, why);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim(struct str s)
{
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	while (s.n && is_space(s.p[0]))
		s = str_skip(s, 1);
	return s;
}

void token_hide(struct token_io *io, struct str secret)
{
	if (io->n_hidden < TOKEN_HIDDEN_MAX && !str_empty(secret))
		io->hidden[io->n_hidden++] = secret;
}

static void blank_out(struct str text, struct str secret)
{
	ptrdiff_t at;
	while ((at = str_find(text, secret)) >= 0) {
		memset((char *)(uintptr_t)text.p + at, '*', secret.n);
		text = str_skip(text, (size_t)at + secret.n);
	}
}

/* The answer is this fetch's own copy. */
void token_ask(struct token_io *io, const struct token_question *q, struct token_answer *out)
{
	int64_t theirs_s;
	*out = (struct token_answer){ 0 };
	io->ask(io, q, out);
	out->body = trim(out->body);
	for (unsigned i = 0; out->status != 200 && i < io->n_hidden; i++)
		blank_out(out->body, io->hidden[i]);
	if (q->near || !date_http(out->date, &theirs_s))
		return;
	int64_t skew = theirs_s * SECOND_US - io->wall_us;
	io->skew_us = skew > SKEW_LEAST_US || skew < -SKEW_LEAST_US ? skew : 0;
}

void token_header(struct token_io *io, struct token_question *q, const char *name, struct str value)
{
	q->headers[q->n_headers++] = arena_printf(io->arena, "%s: %.*s", name, STR_FMT(value));
}

static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void token_form(struct buf *form, const char *name, struct str value)
{
	static const char digits[] = "0123456789ABCDEF";
	buf_addf(form, "%s%s=", form->n ? "&" : "", name);
	for (size_t i = 0; i < value.n; i++) {
		unsigned char c = (unsigned char)value.p[i];
		if (is_unreserved((char)c)) {
			buf_addc(form, (char)c);
			continue;
		}
		buf_addc(form, '%');
		buf_addc(form, digits[c >> 4]);
		buf_addc(form, digits[c & 15]);
	}
}

struct str token_form_end(struct token_io *io, struct buf *form)
{
	struct str kept = arena_copy(io->arena, buf_str(form));
	secret_wipe(form->p, form->n);
	buf_free(form);
	return kept;
}

bool token_file(struct token_io *io, struct str path, struct str *out, struct buf *why)
{
	struct str s;
	if (!io->read_file(io, path, &s)) {
		buf_addf(why, "cannot read %.*s", STR_FMT(path));
		return false;
	}
	*out = trim(s);
	return true;
}

struct str token_either(struct str said, struct str usual)
{
	return str_empty(said) ? usual : said;
}
