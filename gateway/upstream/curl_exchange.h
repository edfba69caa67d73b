/*
 * curl_exchange.h: one exchange of the general transport; between curl_transport.c, which
 * drives libcurl, and curl_request.c, which says to libcurl what the caller's bytes say.
 * libcurl is met in these two files only.
 *
 * libcurl must not be called from its own callbacks, so these only note what is due;
 * the exchange's task does it once the callbacks of this turn are over.
 */
#ifndef WEIR_UPSTREAM_CURL_EXCHANGE_H
#define WEIR_UPSTREAM_CURL_EXCHANGE_H

#include <curl/curl.h>

#include "base/buf.h"
#include "upstream/transport.h"
#include "wire/http_parser.h"

enum { CURL_OUT_HIGH = 256 * 1024, CURL_OUT_MAX = 16 * 1024 * 1024, CURL_HEAD_MAX = 64 * 1024 };

struct transport_state {
	struct loop *loop;
	CURLM *multi;
	struct timer timer;
	struct loop_task kick;
	unsigned inside;		/* within a call of libcurl that may call us */
	struct http_head head;
};

struct exchange {
	struct transport_state *state;
	struct transport_call call;	/* origin and parts are not touched after on_head */
	CURL *easy;
	struct curl_slist *headers;
	struct loop_task task;
	struct buf head;		/* of the answer, as it comes */
	struct buf out;			/* streamed bytes, and parts kept beyond on_head */
	size_t body_at;			/* where the body begins in call.parts */
	size_t sent, total;		/* bytes of call.parts */
	char error[CURL_ERROR_SIZE];
	CURLcode result;		/* when done */
	enum transport_failure failure;	/* our own judgement, when `judged` */
	const char *why;
	bool judged;
	bool added, began, has_head, forbidden;
	bool last, throttled, starved;	/* of streamed bodies */
	bool parts_gone, resent;
	bool paused, resumed, done, gone;
};

/* False: exchange->failure and why are set. */
bool curl_request_set(struct exchange *e);

/* A head came: copies what is not sent yet, so that the caller may let go of its parts, or drops it. */
bool curl_request_keep_unsent(struct exchange *e);
void curl_request_drop_unsent(struct exchange *e);

/* Records why the exchange is given up, once. */
void curl_judge(struct exchange *e, enum transport_failure f, const char *why);

#endif
