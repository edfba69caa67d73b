/*
 * cli_http.c: commands that talk to a running gateway, by libcurl's easy interface.
 */
#include "cli_http.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "wire/json_cursor.h"
#include "wire/sse.h"

enum { ANSWER_MAX = 16 * 1024 * 1024 };

struct chat {
	struct sse sse;
	struct arena arena;
	struct buf all;		/* what came, for an answer that is an error */
	bool streams, failed;
};

const char *cli_http_version(void)
{
	return curl_version_info(CURLVERSION_NOW)->version;
}

static size_t collect(char *p, size_t size, size_t n, void *to)
{
	return buf_add(to, str_of(p, size * n)) ? size * n : 0;
}

static struct curl_slist *key_header(struct curl_slist *list)
{
	const char *key = getenv("WEIR_KEY");
	char text[4200];
	if (!key || !*key)
		return list;
	snprintf(text, sizeof(text), "Authorization: Bearer %s", key);
	return curl_slist_append(list, text);
}

static CURL *handle(const char *base, const char *path, struct curl_slist *headers)
{
	char url[2048];
	CURL *h = curl_easy_init();
	if (!h)
		exit(1);
	snprintf(url, sizeof(url), "%s%s", base, path);
	curl_easy_setopt(h, CURLOPT_URL, url);
	curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(h, CURLOPT_PROXY, "");
	curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	curl_easy_setopt(h, CURLOPT_HTTPHEADER, headers);
	return h;
}

/* Performs, frees both, and gives the status; 0 when nothing answered. */
static long perform(CURL *h, struct curl_slist *headers, char *error, size_t size)
{
	long status = 0;
	CURLcode c = curl_easy_perform(h);
	if (c == CURLE_OK)
		curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
	else
		snprintf(error, size, "%s", curl_easy_strerror(c));
	curl_easy_cleanup(h);
	curl_slist_free_all(headers);
	return status;
}

long cli_get(const char *url, const char *header, struct buf *body, char *error, unsigned long error_size)
{
	struct curl_slist *headers = header ? curl_slist_append(NULL, header) : NULL;
	CURL *h = handle(url, "", headers);
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, 15000L);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, body);
	return perform(h, headers, error, error_size);
}

static const char *admin_url(char *to, size_t size)
{
	const char *said = getenv("WEIR_ADMIN_URL"), *listen = getenv("WEIR_ADMIN_ADDRESS");
	if (said && *said)
		return said;
	snprintf(to, size, "http://%s", listen && *listen && strncmp(listen, "unix:", 5) != 0 ? listen : "127.0.0.1:9090");
	return to;
}

long cli_admin(const char *path, const struct buf *body, struct buf *answer)
{
	return cli_admin_method(body ? "POST" : "GET", path, body, answer);
}

long cli_admin_method(const char *method, const char *path, const struct buf *body, struct buf *answer)
{
	char error[256] = "", base[256], text[4200];
	const char *token = getenv("WEIR_ADMIN_TOKEN"), *url = admin_url(base, sizeof(base));
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	if (token && *token) {
		snprintf(text, sizeof(text), "Authorization: Bearer %s", token);
		headers = curl_slist_append(headers, text);
	}
	CURL *h = handle(url, path, headers);
	if (strcmp(method, "GET") != 0) {
		curl_easy_setopt(h, CURLOPT_CUSTOMREQUEST, method);
		curl_easy_setopt(h, CURLOPT_POSTFIELDS, body->n ? body->p : "");
		curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)body->n);
	}
	curl_easy_setopt(h, CURLOPT_TIMEOUT_MS, 15000L);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, answer);
	long status = perform(h, headers, error, sizeof(error));
	if (status == 0)
		fprintf(stderr, "weir: %s: %s. Is weir running, with its admin listener there? WEIR_ADMIN_URL says where it is\n", url, error);
	return status;
}

static int complain(const char *url, long status, const char *error, struct str body)
{
	struct arena a = ARENA_INIT;
	struct str message = json_text(&a, json_get(json_get(json_value(body), STR("error")), STR("message")));
	if (status == 0)
		fprintf(stderr, "weir: %s: %s. Is weir running there? -u or WEIR_URL says where it is\n", url, error);
	else
		fprintf(stderr, "weir: %s answered %ld: %.*s%s\n", url, status, STR_FMT(message.n ? message : str_head(body, 500)),
			status == 401 ? " The key is taken from WEIR_KEY." : "");
	arena_clear(&a);
	return 1;
}

/* The list of models into `body`; 0, or what complain() says. */
static int ask_models(const char *url, struct buf *body)
{
	char error[256] = "";
	struct curl_slist *headers = key_header(NULL);
	CURL *h = handle(url, "/v1/models", headers);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, body);
	long status = perform(h, headers, error, sizeof(error));
	return status == 200 ? 0 : complain(url, status, error, buf_str(body));
}

int cli_models(const char *url)
{
	struct arena a = ARENA_INIT;
	struct buf body = BUF_INIT(ANSWER_MAX);
	struct json_cursor c;
	int result = ask_models(url, &body);
	if (!result && json_cursor_open(&c, json_get(json_value(buf_str(&body)), STR("data"))))
		while (json_cursor_next(&c))
			printf("%.*s\n", STR_FMT(json_text(&a, json_get(c.value, STR("id")))));
	arena_clear(&a);
	buf_free(&body);
	return result;
}

int cli_health(const char *url)
{
	char error[256] = "";
	struct buf body = BUF_INIT(ANSWER_MAX);
	char full[2048];
	snprintf(full, sizeof(full), "%s/readyz", url);
	long status = cli_get(full, NULL, &body, error, sizeof(error));
	int result = status == 200 ? 0 : complain(url, status, error, buf_str(&body));
	if (status == 200)
		printf("ready\n");
	buf_free(&body);
	return result;
}

/* --- chat --- */

static void print_event(struct chat *c, const struct sse_event *e)
{
	struct json_cursor choice;
	struct str error = json_get(json_get(e->data, STR("error")), STR("message"));
	if (error.p) {
		fprintf(stderr, "\nweir: %.*s\n", STR_FMT(json_text(&c->arena, error)));
		c->failed = true;
	}
	if (!json_cursor_open(&choice, json_get(e->data, STR("choices"))) || !json_cursor_next(&choice))
		return;
	struct str text = json_text(&c->arena, json_get(json_get(choice.value, STR("delta")), STR("content")));
	printf("%.*s", STR_FMT(text));
	fflush(stdout);
	c->streams = true;
	arena_clear(&c->arena);
}

static size_t on_chat(char *p, size_t size, size_t n, void *to)
{
	struct chat *c = to;
	struct str in = str_of(p, size * n);
	struct sse_event e;
	buf_add(&c->all, in);
	while (sse_feed(&c->sse, &in, &e) == SSE_EVENT)
		print_event(c, &e);
	return size * n;
}

static void write_question(struct buf *to, struct str model, struct str text)
{
	buf_add(to, STR("{\"stream\":true,\"model\":"));
	buf_add_json(to, model);
	buf_add(to, STR(",\"messages\":[{\"role\":\"user\",\"content\":"));
	buf_add_json(to, text);
	buf_add(to, STR("}]}"));
}

static int ask(const char *url, struct chat *c, const struct buf *question)
{
	char error[256] = "";
	struct curl_slist *headers = key_header(curl_slist_append(NULL, "Content-Type: application/json"));
	CURL *h = handle(url, "/v1/chat/completions", headers);
	curl_easy_setopt(h, CURLOPT_POSTFIELDS, question->p);
	curl_easy_setopt(h, CURLOPT_POSTFIELDSIZE, (long)question->n);
	curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, on_chat);
	curl_easy_setopt(h, CURLOPT_WRITEDATA, c);
	long status = perform(h, headers, error, sizeof(error));
	if (c->streams)
		printf("\n");
	return status != 200 ? complain(url, status, error, buf_str(&c->all)) : c->failed;
}

/* The first name of the configuration's own, or the only one there is; empty, which was said, where neither is clear. */
static struct str usual_model(const char *url, struct arena *a)
{
	struct buf body = BUF_INIT(ANSWER_MAX);
	struct json_cursor c;
	struct str first = STR_NONE;
	if (ask_models(url, &body) == 0) {
		bool more = json_cursor_open(&c, json_get(json_value(buf_str(&body)), STR("data")));
		bool own = false;
		unsigned n = 0;
		for (; more && !own && json_cursor_next(&c); n++) {
			own = json_is(json_get(c.value, STR("owned_by")), STR("weir"));
			first = arena_copy(a, json_text(a, json_get(c.value, STR("id"))));
		}
		if (!own && n != 1)
			first = STR_NONE;
		if (str_empty(first))
			fprintf(stderr, "weir: say which model with -m; `weir models` lists them\n");
	}
	buf_free(&body);
	return first;
}

int cli_chat(const char *url, const char *model, struct str text)
{
	struct arena a = ARENA_INIT;
	struct chat c = { .all = BUF_INIT(ANSWER_MAX) };
	struct buf question = BUF_INIT(ANSWER_MAX);
	struct str name = model ? str_c(model) : usual_model(url, &a);
	sse_init(&c.sse);
	write_question(&question, name, text);
	int result = str_empty(name) ? 1 : ask(url, &c, &question);
	sse_free(&c.sse);
	arena_clear(&c.arena);
	arena_clear(&a);
	buf_free(&c.all);
	buf_free(&question);
	return result;
}
