/*
 * token_http.c: one handle a question.
 */
#include "upstream/token_http.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/digest.h"
#include "wire/url.h"

static const long CONNECT_MS = 5000, NEAR_CONNECT_MS = 2000, ALL_MS = 15000, NEAR_ALL_MS = 5000;

/* --- what answers --- */

struct hearing {
	struct arena *arena;
	struct buf body;
	struct str date, flavor;
	const _Atomic bool *stop;
};

static size_t on_body(char *p, size_t size, size_t n, void *owner)
{
	struct hearing *h = owner;
	return buf_add(&h->body, str_of(p, size * n)) ? size * n : 0;
}

static size_t on_header(char *p, size_t size, size_t n, void *owner)
{
	struct hearing *h = owner;
	struct str line = str_of(p, size * n), name;
	if (str_split(&line, ':', &name) && name.n < size * n) {
		while (line.n && (line.p[line.n - 1] == '\r' || line.p[line.n - 1] == '\n'))
			line.n--;
		if (str_ieq(name, STR("date")))
			h->date = arena_copy(h->arena, str_trim(line));
		else if (str_ieq(name, STR("metadata-flavor")))
			h->flavor = arena_copy(h->arena, str_trim(line));
	}
	return size * n;
}

static int on_progress(void *owner, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct hearing *h = owner;
	(void)a, (void)b, (void)c, (void)d;
	return h->stop && atomic_load_explicit(h->stop, memory_order_relaxed);
}

/* --- what is asked --- */

static bool is_this_machine(struct str host)
{
	return str_starts(host, STR("127.")) || str_ieq(host, STR("localhost")) || str_eq(host, STR("::1"));
}

static const char *refuse(const struct token_question *q)
{
	struct url url;
	struct str text = q->url;
	ptrdiff_t mark = str_chr(text, '?');
	const char *wrong = url_parse(mark < 0 ? text : str_head(text, (size_t)mark), &url);
	if (wrong)
		return wrong;
	return url.tls || q->near || is_this_machine(url.host) ? NULL : "plain http:// is for this machine alone";
}

static void set_request(CURL *h, struct arena *a, const struct token_question *q, struct curl_slist **headers)
{
	for (unsigned i = 0; i < q->n_headers; i++)
		*headers = curl_slist_append(*headers, arena_copy(a, q->headers[i]).p);
	*headers = curl_slist_append(*headers, "Accept: application/json");
	*headers = curl_slist_append(*headers, "Expect:");
	curl_easy_setopt(h, CURLOPT_URL, arena_copy(a, q->url).p);
	if (strcmp(q->method, "POST") == 0) {
		curl_easy_setopt(h, CURLOPT_POST, 1L);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, q->body.p);
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)q->body.n);
	} else if (strcmp(q->method, "GET") != 0) {
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, q->method);
	}
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, *headers);
	curl_easy_setopt(h, CURLOPT_USERAGENT, "weir/" WEIR_VERSION);
}

static void set_manner(CURL *h, struct arena *a, const struct token_question *q, struct hearing *to)
{
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, q->near ? NEAR_CONNECT_MS : CONNECT_MS);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, q->near ? NEAR_ALL_MS : ALL_MS);
	const char *trusted = getenv("SSL_CERT_FILE");	/* as for providers */
	if (trusted && *trusted)
		curl_easy_setopt(h, CURLOPT_CAINFO, trusted);
	if (q->near)
		curl_easy_setopt(h, CURLOPT_PROXY, "");
	else if (!str_empty(q->proxy))
		curl_easy_setopt(h, CURLOPT_PROXY, arena_copy(a, q->proxy).p);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, to);
	curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(h, CURLOPT_HEADERDATA, to);
	curl_easy_setopt(h, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(h, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(h, CURLOPT_XFERINFODATA, to);
}

static void ask(struct token_io *io, const struct token_question *q, struct token_answer *out)
{
	struct hearing hearing = { .arena = io->arena, .body = BUF_INIT(TOKEN_ANSWER_MAX),
				   .stop = ((struct token_world *)io)->stop };
	struct curl_slist *headers = NULL;
	out->error = refuse(q);
	CURL *h = out->error ? NULL : curl_easy_init();
	if (!h)
		return;
	set_request(h, io->arena, q, &headers);
	set_manner(h, io->arena, q, &hearing);
	CURLcode code = curl_easy_perform(h);
	long status = 0;
	curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	out->status = code == CURLE_OK ? (int)status : 0;
	out->error = code == CURLE_OK ? NULL : hearing.body.failed ? "it is too large" : curl_easy_strerror(code);
	out->body = arena_copy(io->arena, buf_str(&hearing.body));
	out->date = hearing.date;
	out->flavor = hearing.flavor;
	secret_wipe(hearing.body.p, hearing.body.n);
	buf_free(&hearing.body);
	curl_easy_cleanup(h);
	curl_slist_free_all(headers);
}

/* --- files --- */

static bool read_file(struct token_io *io, struct str path, struct str *out)
{
	int fd = open(arena_copy(io->arena, path).p, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	char *to = fd < 0 ? NULL : arena_alloc(io->arena, TOKEN_FILE_MAX + 1);
	size_t n = 0;
	ssize_t got = fd < 0 ? -1 : 1;
	while (got > 0 && n <= TOKEN_FILE_MAX) {
		got = read(fd, to + n, TOKEN_FILE_MAX + 1 - n);
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0)
			n += (size_t)got;
	}
	if (fd >= 0)
		close(fd);
	*out = got == 0 ? str_of(to, n) : STR_NONE;
	return got == 0;
}

void token_world_open(struct token_world *w, struct arena *a, int64_t skew_us, const _Atomic bool *stop)
{
	w->io = (struct token_io){ .ask = ask, .read_file = read_file, .arena = a, .wall_us = clock_wall_us(), .skew_us = skew_us };
	w->stop = stop;
}
