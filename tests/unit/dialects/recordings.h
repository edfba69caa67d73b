/*
 * recordings.h: the recorded exchanges of tests/cases/recordings, one at a time.
 */
#ifndef WEIR_TESTS_RECORDINGS_H
#define WEIR_TESTS_RECORDINGS_H

#include <glob.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <zlib.h>

#include "base/buf.h"
#include "core/dialect.h"
#include "wire/json_cursor.h"
#include "wire/sse.h"

/* Spans live until the call it was handed to returns. */
struct recording {
	struct str vendor, name, endpoint, content_type, request, answer;
	struct str model;	/* where it stood in the path */
	int status;
	bool stream, binary;	/* binary: a stream of Amazon's frames */
};

static inline struct str unpack_base64(struct arena *a, struct str text)
{
	unsigned char *out = arena_alloc(a, text.n + 1);
	int n = EVP_DecodeBlock(out, (const unsigned char *)text.p, (int)text.n);
	for (size_t i = text.n; n > 0 && i > 0 && text.p[i - 1] == '='; i--)
		n--;
	return str_of((const char *)out, n > 0 ? (size_t)n : 0);
}

static inline void read_recording(struct str line, struct arena *a, struct recording *r)
{
	struct str object = json_value(line);
	r->name = json_text(a, json_get(object, STR("name")));
	r->endpoint = json_text(a, json_get(object, STR("endpoint")));
	r->model = json_text(a, json_get(object, STR("model")));
	r->request = json_text(a, json_get(object, STR("request")));
	r->answer = json_text(a, json_get(object, STR("answer")));
	if (!r->answer.n)
		r->answer = unpack_base64(a, json_raw(json_get(object, STR("answer_base64"))));
	r->content_type = json_text(a, json_get(json_get(object, STR("headers")), STR("content-type")));
	r->status = (int)json_count(object, STR("status"));
	r->binary = str_has(r->content_type, STR("amazon.eventstream"));
	r->stream = r->binary || str_has(r->content_type, STR("event-stream"));
}

static inline bool read_line(gzFile f, struct buf *line)
{
	buf_clear(line);
	while (buf_reserve(line, 65536) && gzgets(f, line->p + line->n, 65536)) {
		line->n += strlen(line->p + line->n);
		if (line->p[line->n - 1] == '\n')
			return true;
	}
	return line->n > 0;
}

static inline unsigned each_recording_of(const char *path, void (*check)(const struct recording *, void *),
	void *arg)
{
	struct buf line = BUF_INIT(64 * 1024 * 1024);
	struct arena a = ARENA_INIT;
	struct str vendor = str_c(path);
	unsigned n = 0;
	gzFile f = gzopen(path, "rb");
	vendor = str_skip(vendor, (size_t)str_rchr(vendor, '/') + 1);
	for (; f && read_line(f, &line); n++) {
		struct recording r = { .vendor = str_head(vendor, (size_t)str_chr(vendor, '.')) };
		read_recording(buf_str(&line), &a, &r);
		check(&r, arg);
		arena_clear(&a);
	}
	if (f)
		gzclose(f);
	buf_free(&line);
	return n;
}

/* As an attempt reads it: whole answers at once, streams event by event. False: none was reported. */
static inline bool recording_usage(const struct recording *r, struct usage *u)
{
	extern const struct dialect openai_chat_dialect, openai_responses_dialect;
	const struct dialect *d = str_eq(r->endpoint, STR("responses")) ? &openai_responses_dialect : &openai_chat_dialect;
	struct sse sse;
	struct sse_event ev;
	struct str in = r->answer;
	if (!r->stream)
		return d->read_usage(r->answer, 0, u);
	sse_init(&sse);
	while (sse_feed(&sse, &in, &ev) == SSE_EVENT) {
		struct event_view v = { 0 };
		d->read_event(ev.name, ev.data, 0, &v);
		if (v.has_usage)
			usage_merge(u, &v.usage);
	}
	sse_free(&sse);
	return u->known;
}

/* How many there were. Run from the top of the tree. */
static inline unsigned each_recording_in(const char *files, void (*check)(const struct recording *, void *), void *arg)
{
	glob_t found;
	unsigned n = 0;
	if (glob(files, 0, NULL, &found) != 0)
		return 0;
	for (size_t i = 0; i < found.gl_pathc; i++)
		n += each_recording_of(found.gl_pathv[i], check, arg);
	globfree(&found);
	return n;
}

/* Of the vendors that speak OpenAI's formats. */
static inline unsigned each_recording(void (*check)(const struct recording *, void *), void *arg)
{
	return each_recording_in("tests/cases/recordings/*.jsonl.gz", check, arg);
}

#endif
