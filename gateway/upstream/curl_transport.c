/*
 * curl_transport.c: the general transport: libcurl's multi interface on our loop, for
 * proxies, HTTP/2 and calls that are rare. Resolving is libcurl's own, on its threads.
 *
 * Answers' heads are judged by our own parser, as on the other transport; bodies are
 * deframed by libcurl, which takes an end of TLS without close_notify for an end: of a
 * body without a length a cut does not show here, as it does on the other transport.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/resolver.h"
#include "base/tls.h"
#include "upstream/curl_exchange.h"

enum { CONNECTIONS_KEPT = 64, IDLE_S = 55 };

struct curl_socket {
	struct watch watch;
	struct transport_state *state;
	int fd;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void init(void)
{
	curl_global_init(CURL_GLOBAL_ALL);
}

void curl_judge(struct exchange *e, enum transport_failure f, const char *why)
{
	if (e->judged)
		return;
	e->judged = true;
	e->failure = f;
	e->why = why;
}

/* --- what libcurl says of one exchange; nothing may be asked of it here --- */

static void address_fill(struct sockaddr_storage *to, const struct curl_sockaddr *a)
{
	memcpy(to, &a->addr, a->addrlen < sizeof(*to) ? a->addrlen : sizeof(*to));
}

/* Of a proxied call the address is the proxy's, which the operator chose. */
static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct exchange *e = arg;
	struct sockaddr_storage sa = { 0 };
	const struct origin *o = e->call.origin;
	(void)purpose;
	address_fill(&sa, a);
	if (!o->allow_private && !o->proxy.n && !o->unix_path.n && address_is_private((struct sockaddr *)&sa)) {
		e->forbidden = true;
		return CURL_SOCKET_BAD;
	}
	return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int on_request(void *arg, char *ip, char *local, int port, int local_port)
{
	struct exchange *e = arg;
	(void)ip, (void)local, (void)port, (void)local_port;
	if (e->gone)
		return CURL_PREREQFUNC_ABORT;
	if (!e->began && e->call.events->on_connected)
		e->call.events->on_connected(e->call.owner);
	e->began = true;
	if (e->call.streamed)
		e->throttled = true;	/* the first on_writable */
	return e->gone ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static CURLcode on_ssl_context(CURL *easy, void *ssl_ctx, void *arg)
{
	struct exchange *e = arg;
	(void)easy;
	if (e->call.origin->tls_context)
		tls_lend(e->call.origin->tls_context, ssl_ctx);
	return CURLE_OK;
}

/* libcurl stops sending by itself when the status is 300 or more. */
static void final_head(struct exchange *e)
{
	struct http_head *h = &e->state->head;
	e->has_head = true;
	if (h->status >= 300) {
		curl_request_drop_unsent(e);
	} else if (!curl_request_keep_unsent(e)) {
		curl_judge(e, TRANSPORT_MEMORY, "too many bytes wait for the provider");
		return;
	}
	e->call.events->on_head(e->call.owner, h);
}

static bool head_end(struct exchange *e)
{
	struct transport_state *s = e->state;
	struct http_parser parser = { 0 };
	enum http_result r = http_response_parse(&parser, buf_str(&e->head), &http_response_limits,
						 e->call.method, &s->head);
	if (r != HTTP_DONE) {
		curl_judge(e, r == HTTP_BAD && s->head.error == 431 ? TRANSPORT_TOO_LARGE : TRANSPORT_PROTOCOL,
			   r == HTTP_BAD ? s->head.why : "malformed head");
		return false;
	}
	if (s->head.status == 101) {
		curl_judge(e, TRANSPORT_PROTOCOL, "unexpected interim answers");
		return false;
	}
	if (s->head.status >= 200)
		final_head(e);
	buf_free(&e->head);
	return !e->judged && !e->gone;
}

/* HTTP/2 has no reason and writes its version otherwise; the rest of the line is the same. */
static bool head_add(struct exchange *e, struct str line)
{
	static const struct str two = STR_INIT("HTTP/2 ");
	bool first = e->head.n == 0;
	if (first && str_starts(line, two))
		return buf_add(&e->head, STR("HTTP/1.1 ")) && buf_add(&e->head, str_skip(line, two.n));
	return buf_add(&e->head, line);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *e = arg;
	struct str line = str_of(p, size * n);
	if (e->gone || e->judged)
		return 0;
	if (e->has_head)
		return line.n;	/* a trailer */
	if (!head_add(e, line)) {
		curl_judge(e, TRANSPORT_TOO_LARGE, "head too long");
		return 0;
	}
	if (line.n > 2)
		return line.n;
	return head_end(e) ? line.n : 0;
}

static size_t on_write(char *p, size_t size, size_t n, void *arg)
{
	struct exchange *e = arg;
	struct str bytes = str_of(p, size * n);
	if (e->gone)
		return 0;
	if (e->paused)
		return CURL_WRITEFUNC_PAUSE;
	if (bytes.n && !e->call.events->on_body(e->call.owner, bytes, false))
		e->paused = true;
	return e->gone ? 0 : bytes.n;
}

/* --- the exchange's end --- */

static void exchange_free(struct exchange *e)
{
	loop_task_cancel(&e->task);
	if (e->added)
		curl_multi_remove_handle(e->state->multi, e->easy);
	curl_easy_cleanup(e->easy);
	curl_slist_free_all(e->headers);
	buf_free(&e->head);
	buf_free(&e->out);
	free(e);
}

static enum transport_failure failure_of(const struct exchange *e)
{
	switch (e->result) {
	case CURLE_COULDNT_RESOLVE_HOST: case CURLE_COULDNT_RESOLVE_PROXY:
		return TRANSPORT_RESOLVE;
	case CURLE_COULDNT_CONNECT:
		return e->forbidden ? TRANSPORT_FORBIDDEN : TRANSPORT_CONNECT;
	case CURLE_OPERATION_TIMEDOUT: case CURLE_PROXY: case CURLE_SEND_FAIL_REWIND:
		return e->began ? TRANSPORT_RESET : TRANSPORT_CONNECT;
	case CURLE_SSL_CONNECT_ERROR: case CURLE_PEER_FAILED_VERIFICATION: case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER: case CURLE_SSL_ISSUER_ERROR: case CURLE_SSL_CACERT_BADFILE:
		return TRANSPORT_TLS;
	case CURLE_RECV_ERROR:
		/* The one code is for both; the text of a framing error begins with "Illegal or missing hexadecimal ..." */
		return str_ihas(str_c(e->error), STR("chunk")) ? TRANSPORT_PROTOCOL : TRANSPORT_RESET;
	case CURLE_SEND_ERROR: case CURLE_GOT_NOTHING: case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2: case CURLE_HTTP2_STREAM:
		return TRANSPORT_RESET;
	case CURLE_OUT_OF_MEMORY:
		return TRANSPORT_MEMORY;
	default:
		return TRANSPORT_PROTOCOL;
	}
}

static const char *reason_of(const struct exchange *e)
{
	if (e->forbidden && e->result == CURLE_COULDNT_CONNECT)
		return "a private address, which this provider may not have";
	return e->error[0] ? e->error : curl_easy_strerror(e->result);
}

/* An answer without a head is none, whatever libcurl makes of it. */
static void exchange_report(struct exchange *e)
{
	const struct transport_events *events = e->call.events;
	void *owner = e->call.owner;
	e->gone = true;
	if (e->judged)
		events->on_fail(owner, e->failure, !e->began, e->why);
	else if (e->result != CURLE_OK)
		events->on_fail(owner, failure_of(e), !e->began, reason_of(e));
	else if (!e->has_head)
		events->on_fail(owner, TRANSPORT_RESET, false, "no complete answer");
	else
		events->on_end(owner);
	exchange_free(e);
}

/* --- driving libcurl --- */

static void collect(struct transport_state *s)
{
	CURLMsg *m;
	int left;
	while ((m = curl_multi_info_read(s->multi, &left))) {
		struct exchange *e = NULL;
		if (m->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &e);
		e->done = true;
		e->result = m->data.result;
		loop_defer(s->loop, &e->task);
	}
}

static void act(struct transport_state *s, curl_socket_t fd, int what)
{
	int running;
	s->inside++;
	curl_multi_socket_action(s->multi, fd, what, &running);
	s->inside--;
	collect(s);
}

static void on_ready(struct watch *w, bool readable, bool writable)
{
	struct curl_socket *k = container_of(w, struct curl_socket, watch);
	act(k->state, k->fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
}

static void on_timer(struct timer *t)
{
	act(container_of(t, struct transport_state, timer), CURL_SOCKET_TIMEOUT, 0);
}

static void on_kick(struct loop_task *t)
{
	act(container_of(t, struct transport_state, kick), CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout_change(CURLM *multi, long ms, void *arg)
{
	struct transport_state *s = arg;
	(void)multi;
	timer_stop(&s->timer);
	if (ms == 0)
		loop_defer(s->loop, &s->kick);
	else if (ms > 0)
		timer_in(&s->timer, ms * MS_US);
	return 0;
}

static struct curl_socket *socket_new(struct transport_state *s, int fd)
{
	struct curl_socket *k = mem_alloc(sizeof(*k));
	k->state = s;
	k->fd = fd;
	watch_open(&k->watch, s->loop, fd, on_ready);
	curl_multi_assign(s->multi, fd, k);
	return k;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mine)
{
	struct curl_socket *k = mine;
	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		if (k)
			watch_close(&k->watch);
		free(k);
		return 0;
	}
	if (!k)
		k = socket_new(arg, fd);
	watch_read(&k->watch, (what & CURL_POLL_IN) != 0);
	watch_write(&k->watch, (what & CURL_POLL_OUT) != 0);
	return 0;
}

/* --- what is due of one exchange --- */

static void exchange_add(struct exchange *e)
{
	struct transport_state *s = e->state;
	s->inside++;
	e->added = curl_multi_add_handle(s->multi, e->easy) == CURLM_OK;
	s->inside--;
	if (!e->added) {
		curl_judge(e, TRANSPORT_MEMORY, "libcurl takes no further call");
		exchange_report(e);
	}
}

/* libcurl may call on_write() and on_read() from within. */
static void exchange_unpause(struct exchange *e)
{
	bool fed = e->starved && (e->out.n || e->last);
	if (!fed && !e->resumed)
		return;
	e->starved = e->starved && !fed;
	e->resumed = false;
	e->state->inside++;
	curl_easy_pause(e->easy, (e->paused ? CURLPAUSE_RECV : 0) | (e->starved ? CURLPAUSE_SEND : 0));
	e->state->inside--;
}

/*
 * A stale connection may also show while the body is being written, of which libcurl
 * makes an error: the one silent resend is then ours.
 */
static bool exchange_resend(struct exchange *e)
{
	long connects = 1;
	if (!e->done || (e->result != CURLE_SEND_ERROR && e->result != CURLE_RECV_ERROR) || e->judged ||
	    e->resent || e->has_head || e->head.n || e->call.streamed)
		return false;
	curl_easy_getinfo(e->easy, CURLINFO_NUM_CONNECTS, &connects);
	if (connects > 0)
		return false;
	curl_multi_remove_handle(e->state->multi, e->easy);
	curl_easy_setopt(e->easy, CURLOPT_FRESH_CONNECT, 1L);
	e->resent = true;
	e->added = e->done = false;
	e->sent = e->body_at;
	return true;
}

static void ask_for_more(struct exchange *e)
{
	if (!e->throttled || !e->began || e->last || e->out.n || !e->call.events->on_writable)
		return;
	e->throttled = false;
	e->state->inside++;
	e->call.events->on_writable(e->call.owner);
	e->state->inside--;
}

static void run_task(struct loop_task *t)
{
	struct exchange *e = container_of(t, struct exchange, task);
	if (!e->gone && e->added && !e->done && !e->judged) {
		ask_for_more(e);
		if (!e->gone)
			exchange_unpause(e);
	}
	if (e->gone)
		exchange_free(e);
	else if (e->judged || (e->done && !e->paused && !exchange_resend(e)))
		exchange_report(e);
	else if (!e->added)
		exchange_add(e);
}

/* --- setting up --- */

static char *text_of(struct str s)
{
	return s.n ? mem_copy(s) : NULL;
}

static void set_connection(struct exchange *e)
{
	const struct origin *o = e->call.origin;
	char *proxy = text_of(o->proxy), *path = text_of(o->unix_path);
	curl_easy_setopt(e->easy, CURLOPT_PROXY, proxy ? proxy : "");
	curl_easy_setopt(e->easy, CURLOPT_NOPROXY, "");
	curl_easy_setopt(e->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(e->easy, CURLOPT_UNIX_SOCKET_PATH, path);
	curl_easy_setopt(e->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	curl_easy_setopt(e->easy, CURLOPT_OPENSOCKETDATA, e);
	curl_easy_setopt(e->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)(e->call.connect_us / MS_US) + 1);
	curl_easy_setopt(e->easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(e->easy, CURLOPT_MAXAGE_CONN, (long)IDLE_S);
	curl_easy_setopt(e->easy, CURLOPT_FRESH_CONNECT, e->call.streamed ? 1L : 0L);
	curl_easy_setopt(e->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(e->easy, CURLOPT_QUICK_EXIT, 1L);
	free(proxy);
	free(path);
}

/* Trust comes from the provider's own context alone, set in on_ssl_context(). */
static void set_tls(struct exchange *e)
{
	const struct tls_context *c = e->call.origin->tls_context;
	bool verify = !c || tls_verifies(c);
	curl_easy_setopt(e->easy, CURLOPT_SSL_VERIFYPEER, verify ? 1L : 0L);
	curl_easy_setopt(e->easy, CURLOPT_SSL_VERIFYHOST, verify ? 2L : 0L);
	curl_easy_setopt(e->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (!c)
		return;
	curl_easy_setopt(e->easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(e->easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(e->easy, CURLOPT_SSL_CTX_FUNCTION, on_ssl_context);
	curl_easy_setopt(e->easy, CURLOPT_SSL_CTX_DATA, e);
}

static void set_protocol(struct exchange *e)
{
	long version = e->call.origin->tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
	curl_easy_setopt(e->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(e->easy, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(e->easy, CURLOPT_HTTP09_ALLOWED, 0L);
	curl_easy_setopt(e->easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(e->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(e->easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(e->easy, CURLOPT_ACCEPT_ENCODING, NULL);
}

static void set_callbacks(struct exchange *e)
{
	curl_easy_setopt(e->easy, CURLOPT_PRIVATE, e);
	curl_easy_setopt(e->easy, CURLOPT_ERRORBUFFER, e->error);
	curl_easy_setopt(e->easy, CURLOPT_PREREQFUNCTION, on_request);
	curl_easy_setopt(e->easy, CURLOPT_PREREQDATA, e);
	curl_easy_setopt(e->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(e->easy, CURLOPT_HEADERDATA, e);
	curl_easy_setopt(e->easy, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(e->easy, CURLOPT_WRITEDATA, e);
}

/* --- the contract --- */

static struct transport_state *general_open(struct loop *l)
{
	struct transport_state *s = mem_alloc(sizeof(*s));
	pthread_once(&once, init);
	s->loop = l;
	timer_open(&s->timer, l, on_timer);
	loop_task_init(&s->kick, on_kick);
	s->multi = curl_multi_init();
	if (!s->multi)
		abort();
	curl_multi_setopt(s->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	curl_multi_setopt(s->multi, CURLMOPT_SOCKETDATA, s);
	curl_multi_setopt(s->multi, CURLMOPT_TIMERFUNCTION, on_timeout_change);
	curl_multi_setopt(s->multi, CURLMOPT_TIMERDATA, s);
	curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
	return s;
}

static void general_close(struct transport_state *s)
{
	curl_multi_cleanup(s->multi);
	loop_task_cancel(&s->kick);
	timer_close(&s->timer);
	free(s);
}

static struct exchange *general_start(struct transport_state *s, const struct transport_call *call)
{
	struct exchange *e = mem_alloc(sizeof(*e));
	e->state = s;
	e->call = *call;
	for (int i = 0; i < call->n_parts; i++)
		e->total += call->parts[i].iov_len;
	buf_init(&e->head, CURL_HEAD_MAX);
	buf_init(&e->out, CURL_OUT_MAX);
	loop_task_init(&e->task, run_task);
	e->easy = curl_easy_init();
	if (!e->easy) {
		curl_judge(e, TRANSPORT_MEMORY, "no memory for libcurl");
	} else if (curl_request_set(e)) {
		set_connection(e);
		set_tls(e);
		set_protocol(e);
		set_callbacks(e);
	}
	loop_defer(s->loop, &e->task);
	return e;
}

static bool general_send(struct exchange *e, struct str bytes, bool last)
{
	if (e->has_head && e->last)
		return true;
	e->last = e->last || last;
	if (!buf_add(&e->out, bytes))
		curl_judge(e, TRANSPORT_MEMORY, "too many bytes wait for the provider");
	e->throttled = e->throttled || e->out.n > CURL_OUT_HIGH;
	loop_defer(e->state->loop, &e->task);
	return e->out.n <= CURL_OUT_HIGH;
}

static void general_resume(struct exchange *e)
{
	if (!e->paused)
		return;
	e->paused = false;
	e->resumed = true;
	loop_defer(e->state->loop, &e->task);
}

static void general_cancel(struct exchange *e)
{
	e->gone = true;
	if (e->state->inside)
		loop_defer(e->state->loop, &e->task);
	else
		exchange_free(e);
}

const struct transport curl_transport = {
	.name = "curl", .open = general_open, .close = general_close, .start = general_start,
	.send = general_send, .resume = general_resume, .cancel = general_cancel,
};
