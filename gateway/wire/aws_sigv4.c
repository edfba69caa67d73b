/*
 * aws_sigv4.c: AWS Signature Version 4.
 *
 * The canonical request is built in one buffer in the order in which it is read; what has to
 * be sorted (parameters, headers) is laid out in the arena first.
 */
#include "wire/aws_sigv4.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/digest.h"

enum { TIME_SIZE = 16, DATE_SIZE = 8, HEX_SIZE = 2 * DIGEST_SIZE };

/* A parameter of the query, or a header. */
struct pair {
	struct str name, value;
	size_t at;	/* equal names of headers keep their order */
};

static int compare(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n ? memcmp(a.p, b.p, n) : 0;
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_name_and_value(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int c = compare(a->name, b->name);
	return c ? c : compare(a->value, b->value);
}

static int by_name_and_place(const void *left, const void *right)
{
	const struct pair *a = left, *b = right;
	int c = compare(a->name, b->name);
	return c ? c : (a->at > b->at) - (a->at < b->at);
}

/* --- path and query --- */

static bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

static void add_encoded(struct buf *out, char c, char kept)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char u = (unsigned char)c;
	char escape[] = { '%', digits[u >> 4], digits[u & 15] };
	if (unreserved(c) || (kept && c == kept))
		buf_addc(out, c);
	else
		buf_add(out, str_of(escape, sizeof(escape)));
}

static int hex_value(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
	       c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One spelling for all: escapes are undone first; a `%` that begins none stands for itself. */
static struct str respell(struct arena *a, struct str s)
{
	struct buf out = BUF_INIT(SIGV4_CANONICAL_MAX);
	for (size_t i = 0; i < s.n; i++) {
		int high = s.p[i] == '%' && s.n - i > 2 ? hex_value(s.p[i + 1]) : -1;
		int low = high < 0 ? -1 : hex_value(s.p[i + 2]);
		char c = s.p[i];
		if (low >= 0) {
			c = (char)(high << 4 | low);
			i += 2;
		}
		add_encoded(&out, c, 0);
	}
	struct str spelled = arena_copy(a, buf_str(&out));
	buf_free(&out);
	return spelled;
}

static void cut_segment(struct buf *path)
{
	ptrdiff_t slash = str_rchr(buf_str(path), '/');
	path->n = slash < 0 ? 0 : (size_t)slash;
}

/* Without empty, `.` and `..` segments. */
static void add_tidied(struct buf *out, struct str path)
{
	struct str rest = path, part;
	while (str_split(&rest, '/', &part)) {
		if (str_eq(part, STR("..")))
			cut_segment(out);
		else if (part.n && !str_eq(part, STR("."))) {
			buf_addc(out, '/');
			buf_add(out, part);
		}
	}
	if (out->n == 0 || str_ends(path, STR("/")))
		buf_addc(out, '/');
}

static void add_path(struct buf *out, const struct sigv4_request *r)
{
	struct str path = r->path.n ? r->path : STR("/");
	if (r->path_as_is) {
		buf_add(out, path);
		return;
	}
	struct buf tidy = BUF_INIT(SIGV4_CANONICAL_MAX);
	if (!r->path_untidied) {
		add_tidied(&tidy, path);
		path = buf_str(&tidy);
	}
	for (size_t i = 0; i < path.n; i++)
		add_encoded(out, path.p[i], '/');
	out->failed |= tidy.failed;
	buf_free(&tidy);
}

static size_t count_of(struct str s, char c)
{
	size_t n = 0;
	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}

static void add_query(struct buf *out, struct arena *a, struct str query)
{
	struct pair *pairs = arena_array(a, struct pair, count_of(query, '&') + 1);
	struct str part;
	size_t n = 0;
	while (str_split(&query, '&', &part)) {
		ptrdiff_t equals = str_chr(part, '=');
		size_t name = equals < 0 ? part.n : (size_t)equals;
		if (part.n)
			pairs[n++] = (struct pair){ respell(a, str_head(part, name)),
						    respell(a, str_skip(part, name + 1)), 0 };
	}
	qsort(pairs, n, sizeof(*pairs), by_name_and_value);
	for (size_t i = 0; i < n; i++) {
		if (i)
			buf_addc(out, '&');
		buf_add(out, pairs[i].name);
		buf_addc(out, '=');
		buf_add(out, pairs[i].value);
	}
}

/* --- headers --- */

struct header_list {
	struct pair *pairs;
	size_t n;
	bool host;
};

static bool unsigned_name(struct str lower)
{
	static const struct str names[] = {
		STR_INIT("authorization"), STR_INIT("connection"), STR_INIT("expect"),
		STR_INIT("transfer-encoding"), STR_INIT("user-agent"), STR_INIT("x-amz-content-sha256"),
		STR_INIT("x-amz-date"), STR_INIT("x-amz-security-token"), STR_INIT("x-amzn-trace-id")
	};
	for (size_t i = 0; i < array_len(names); i++)
		if (str_eq(lower, names[i]))
			return true;
	return false;
}

static struct str lower_case(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	for (size_t i = 0; i < s.n; i++)
		p[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i];
	return str_of(p, s.n);
}

static void list_header(struct header_list *l, struct str lower, struct str value)
{
	l->pairs[l->n] = (struct pair){ lower, value, l->n };
	l->n++;
	l->host |= str_eq(lower, STR("host"));
}

static struct header_list list_headers(struct arena *a, const struct sigv4_request *r,
				       const struct sigv4_credentials *c)
{
	struct header_list l = { arena_array(a, struct pair, r->header_count + 3), 0, false };
	for (size_t i = 0; i < r->header_count; i++) {
		struct str name = lower_case(a, r->headers[i].name);
		if (!unsigned_name(name))
			list_header(&l, name, r->headers[i].value);
	}
	list_header(&l, STR("x-amz-date"), r->time);
	if (r->sign_digest)
		list_header(&l, STR("x-amz-content-sha256"), r->body_digest);
	if (c->session_token.n && !r->token_unsigned)
		list_header(&l, STR("x-amz-security-token"), c->session_token);
	qsort(l.pairs, l.n, sizeof(*l.pairs), by_name_and_place);
	return l;
}

static bool blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Without blanks around it, and one space for each run of blanks within. */
static void add_value(struct buf *out, struct str s)
{
	bool any = false, gap = false;
	for (size_t i = 0; i < s.n; i++) {
		if (blank(s.p[i])) {
			gap = any;
			continue;
		}
		if (gap)
			buf_addc(out, ' ');
		buf_addc(out, s.p[i]);
		any = true;
		gap = false;
	}
}

static bool repeats(const struct header_list *l, size_t i)
{
	return i > 0 && str_eq(l->pairs[i].name, l->pairs[i - 1].name);
}

static void add_headers(struct buf *out, const struct header_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		if (repeats(l, i)) {
			out->n--;	/* the line goes on */
			buf_addc(out, ',');
		} else {
			buf_add(out, l->pairs[i].name);
			buf_addc(out, ':');
		}
		add_value(out, l->pairs[i].value);
		if (!buf_addc(out, '\n'))
			return;
	}
}

static struct str header_names(struct arena *a, const struct header_list *l)
{
	struct buf out = BUF_INIT(SIGV4_CANONICAL_MAX);
	for (size_t i = 0; i < l->n; i++) {
		if (repeats(l, i))
			continue;
		if (i)
			buf_addc(&out, ';');
		buf_add(&out, l->pairs[i].name);
	}
	struct str names = arena_copy(a, buf_str(&out));
	buf_free(&out);
	return names;
}

/* --- the steps --- */

static void add_line(struct buf *out, struct str s)
{
	buf_add(out, s);
	buf_addc(out, '\n');
}

static bool write_canonical(struct arena *a, const struct sigv4_request *r, const struct header_list *l,
			    struct sigv4_signature *s)
{
	struct buf out = BUF_INIT(SIGV4_CANONICAL_MAX);
	s->signed_headers = header_names(a, l);
	add_line(&out, r->method);
	add_path(&out, r);
	buf_addc(&out, '\n');
	add_query(&out, a, r->query);
	buf_addc(&out, '\n');
	add_headers(&out, l);
	buf_addc(&out, '\n');
	add_line(&out, s->signed_headers);
	buf_add(&out, r->body_digest);
	bool ok = !out.failed;
	if (ok)
		s->canonical_request = arena_copy(a, buf_str(&out));
	buf_free(&out);
	return ok;
}

static void step(uint8_t key[DIGEST_SIZE], struct str text)
{
	uint8_t next[DIGEST_SIZE];
	digest_hmac_sha256(str_of((const char *)key, DIGEST_SIZE), text, next);
	memcpy(key, next, DIGEST_SIZE);
	secret_wipe(next, sizeof(next));
}

static void make_key(struct arena *a, const struct sigv4_request *r, struct str secret,
		     uint8_t key[DIGEST_SIZE])
{
	enum { PREFIX = 4 };
	char *first = arena_alloc(a, PREFIX + secret.n);
	memcpy(first, "AWS4", PREFIX);
	if (secret.n)
		memcpy(first + PREFIX, secret.p, secret.n);
	digest_hmac_sha256(str_of(first, PREFIX + secret.n), str_head(r->time, DATE_SIZE), key);
	step(key, r->region);
	step(key, r->service);
	step(key, STR("aws4_request"));
	secret_wipe(first, PREFIX + secret.n);
}

static struct str hex(struct arena *a, const uint8_t digest[DIGEST_SIZE])
{
	char *text = arena_alloc(a, HEX_SIZE + 1);
	digest_to_hex(digest, text);
	return str_of(text, HEX_SIZE);
}

static void sign(struct arena *a, const struct sigv4_request *r, struct str secret, struct str scope,
		 struct sigv4_signature *s)
{
	uint8_t digest[DIGEST_SIZE], key[DIGEST_SIZE];
	digest_sha256(s->canonical_request, digest);
	s->string_to_sign = arena_printf(a, "AWS4-HMAC-SHA256\n%.*s\n%.*s\n%.*s", STR_FMT(r->time), STR_FMT(scope),
					 STR_FMT(hex(a, digest)));
	make_key(a, r, secret, key);
	step(key, s->string_to_sign);
	s->signature = hex(a, key);
	secret_wipe(key, sizeof(key));
}

static void add(struct sigv4_signature *s, struct str name, struct str value)
{
	s->add[s->add_count++] = (struct http_header){ name, value };
}

static void list_added(struct arena *a, const struct sigv4_request *r, const struct sigv4_credentials *c,
		       struct str scope, struct sigv4_signature *s)
{
	add(s, STR("X-Amz-Date"), r->time);
	if (r->sign_digest)
		add(s, STR("X-Amz-Content-Sha256"), r->body_digest);
	if (c->session_token.n)
		add(s, STR("X-Amz-Security-Token"), c->session_token);
	add(s, STR("Authorization"),
	    arena_printf(a, "AWS4-HMAC-SHA256 Credential=%.*s/%.*s, SignedHeaders=%.*s, Signature=%.*s",
			 STR_FMT(c->access_key_id), STR_FMT(scope), STR_FMT(s->signed_headers),
			 STR_FMT(s->signature)));
}

static bool well_formed(struct str time)
{
	if (time.n != TIME_SIZE || time.p[DATE_SIZE] != 'T' || time.p[TIME_SIZE - 1] != 'Z')
		return false;
	for (size_t i = 0; i < TIME_SIZE - 1; i++)
		if (i != DATE_SIZE && (time.p[i] < '0' || time.p[i] > '9'))
			return false;
	return true;
}

bool sigv4_sign(struct arena *a, const struct sigv4_request *r, const struct sigv4_credentials *c,
		struct sigv4_signature *out)
{
	*out = (struct sigv4_signature){ .add_count = 0 };
	if (!well_formed(r->time) || r->path.n > SIGV4_PART_MAX || r->query.n > SIGV4_PART_MAX)
		return false;
	struct header_list l = list_headers(a, r, c);
	if (!l.host || !write_canonical(a, r, &l, out))
		return false;
	struct str scope = arena_printf(a, "%.*s/%.*s/%.*s/aws4_request", DATE_SIZE, r->time.p, STR_FMT(r->region),
					STR_FMT(r->service));
	sign(a, r, c->secret_access_key, scope, out);
	list_added(a, r, c, scope, out);
	return true;
}
