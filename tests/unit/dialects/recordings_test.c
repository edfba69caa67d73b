/*
 * recordings_test.c: every recording passes through its dialect, and says what the vendor said.
 *
 * What each says is in tests/cases/recordings/expected, told by tests/tools/expect_recordings without weir's readers. With
 * --table the counts by vendor are printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/unit/dialects/recordings.h"
#include "core/target.h"
#include "core/vectors.h"
#include "tests/unit/dialects/meaning_rules.h"
#include "tests/unit/dialects/replay.h"

enum column { REQUESTS, ANSWERS, STREAMS, ERRORS, VECTORS, RELAYED, UNSPOKEN, COLUMNS };

static bool table;

struct row {
	char vendor[32];
	unsigned all[COLUMNS], passed[COLUMNS];
};

struct walk {
	gzFile expected;
	struct buf line;
	struct row rows[64];
	unsigned n;
};

static struct row *row_of(struct walk *w, struct str vendor)
{
	for (unsigned i = 0; i < w->n; i++)
		if (str_eq(str_c(w->rows[i].vendor), vendor))
			return &w->rows[i];
	struct row *r = &w->rows[w->n++];
	assert_true(w->n <= array_len(w->rows));
	snprintf(r->vendor, sizeof(r->vendor), "%.*s", STR_FMT(vendor));
	return r;
}

/* Where they part. */
static void complain(const struct recording *r, const char *what, json_t *want, json_t *got)
{
	char *a = json_dumps(want, JSON_SORT_KEYS | JSON_ENCODE_ANY), *b = got ? json_dumps(got, JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
	size_t n = 0;
	while (a && b && a[n] && a[n] == b[n])
		n++;
	n = n > 60 ? n - 60 : 0;
	printf("%.*s/%.*s: %s\n\twanted %.300s\n\tgot    %.300s\n", STR_FMT(r->vendor), STR_FMT(r->name), what, a ? a + n : "nothing", b ? b + n : "nothing");
	free(a);
	free(b);
}

/* True when they are the same; takes `got`. */
static bool same(const struct recording *r, const char *what, json_t *want, json_t *got)
{
	bool good = got && json_equal(want, got);
	if (!good)
		complain(r, what, want, got);
	json_decref(got);
	return good;
}

/* --- the same to callers of every dialect --- */

static const char *const callers[] = { "openai", "anthropic", "openai-responses", "gemini" };

/* What a caller's format has no word for; the rest is to be as the vendor said it. */
static const struct { const char *caller, *finish, *becomes, *why; } words[] = {
	{ "openai", "sequence", "stop", "chat has one word for both" },
	{ "openai-responses", "sequence", "stop", "an answer is completed, whatever ended it" },
	{ "gemini", "sequence", "stop", "STOP is said for both" },
	{ "", "none", "stop", "a whole body that does not say why it ended has ended" },
};

static void one_word_less(const char *caller, json_t *choice)
{
	const char *finish = json_string_value(json_object_get(choice, "finish"));
	for (size_t i = 0; i < array_len(words); i++)
		if ((!*words[i].caller || strcmp(words[i].caller, caller) == 0) && strcmp(words[i].finish, finish) == 0) {
			json_object_set_new(choice, "finish", json_string(words[i].becomes));
			return;
		}
}

static json_t *wanted_by(const char *caller, const json_t *says)
{
	json_t *want = json_deep_copy(says), *choices = json_object_get(want, "choices"), *choice;
	size_t i;
	if (strcmp(caller, "openai") != 0 && strcmp(caller, "gemini") != 0)	/* one answer is all they have */
		while (json_array_size(choices) > 1)
			json_array_remove(choices, 1);
	json_array_foreach(choices, i, choice)
		one_word_less(caller, choice);
	if (strcmp(caller, "anthropic") == 0 && json_object_size(json_object_get(want, "usage")))	/* it tells the sum */
		json_object_set_new(json_object_get(want, "usage"), "reasoning", json_real(0));
	return want;
}

static bool to_callers(const struct recording *r, const struct dialect *d, bool stream, json_t *says)
{
	struct buf out = BUF_INIT(REPLAY_MAX);
	bool good = true;
	for (size_t i = 0; i < array_len(callers); i++) {
		const struct dialect *to = dialect_find(str_c(callers[i]));
		json_t *want = wanted_by(callers[i], says), *got;
		buf_clear(&out);
		if (stream) {
			bool whole = replay_translate(d, r->answer, r->binary, to, &out);
			got = whole ? replay_stream(to, buf_str(&out), false, false, 0, 0) : NULL;
		} else {
			json_decref(replay_plain(d, r->answer, to, &out));
			got = replay_plain(to, buf_str(&out), NULL, NULL);
		}
		good &= same(r, callers[i], want, got);
		json_decref(want);
	}
	buf_free(&out);
	return good;
}

/* --- answers, streams, errors --- */

static bool check_answer(const struct recording *r, const struct dialect *d, json_t *says)
{
	return same(r, "answer", says, replay_plain(d, r->answer, NULL, NULL)) && to_callers(r, d, false, says);
}

/* Recorded without alt=sse, which weir never leaves out: one array instead of events. */
static void as_events(struct recording *r, struct buf *b)
{
	struct json_cursor c;
	if (json_type(json_value(r->answer)) != JSON_ARRAY || !json_cursor_open(&c, json_value(r->answer)))
		return;
	while (json_cursor_next(&c)) {
		buf_add(b, STR("data: "));
		for (size_t i = 0; i < c.value.n; i++)
			if (c.value.p[i] != '\n')
				buf_addc(b, c.value.p[i]);
		buf_add(b, STR("\r\n\r\n"));
	}
	r->answer = buf_str(b);
}

/* Cut off: an end is only told if all of what was said is there. */
static bool never_ends_early(const struct recording *r, const struct dialect *d, size_t cut, json_t *says)
{
	bool several = json_array_size(json_object_get(says, "choices")) > 1;
	json_t *got = replay_stream(d, str_head(r->answer, cut), r->binary, several, 0, 0);
	bool good = !got || json_equal(json_object_get(says, "choices"), json_object_get(got, "choices"));
	if (!good)
		complain(r, "cut off", says, got);
	json_decref(got);
	return good;
}

/* An event that the stream ends within, as it is handed on: only if it looks whole. */
static bool ends_within(const struct dialect *d, struct str part, bool *says_end)
{
	struct event_view v = { .want_content = true };
	struct sse_event ev;
	struct sse sse;
	sse_init(&sse);
	bool whole = (sse_feed(&sse, &part, &ev) == SSE_EVENT || sse_end(&sse, &ev) == SSE_EVENT) && frames_whole(&ev);
	if (whole)
		d->read_event(ev.name, ev.data, 0, &v);
	sse_free(&sse);
	*says_end = v.finish || v.done;
	return whole;
}

/* At every byte of it. Where half an event is passed over, the end is that of the events before. */
static bool cut_event(const struct recording *r, const struct dialect *d, size_t start, size_t end, bool ended, json_t *says)
{
	bool good = !ended || never_ends_early(r, d, start, says), says_end;
	for (size_t at = start + 1; good && at < end; at++)
		if (ends_within(d, str_of(r->answer.p + start, at - start), &says_end) && (ended || says_end))
			good = never_ends_early(r, d, at, says);
	return good;
}

/* One event, and another behind it, as they are handed on; whatever pieces they come in. */
static bool same_events(struct str first, struct str rest, const struct sse_event want[2])
{
	struct sse sse;
	struct sse_event ev;
	unsigned n = 0;
	bool good = true;
	sse_init(&sse);
	for (struct str in = first; good; in = rest, rest = STR("")) {
		while (good && sse_feed(&sse, &in, &ev) == SSE_EVENT) {
			good = n < 2 && ev.comment == want[n].comment && str_eq(ev.name, want[n].name) && str_eq(ev.data, want[n].data);
			n++;
		}
		if (str_empty(rest))
			break;
	}
	sse_free(&sse);
	return good && n == 1 + (want[1].raw.n > 0);
}

/* In two at every byte of it, and the next behind the second half: what is read are the same events. */
static bool split_event(const struct recording *r, size_t start, const struct sse_event want[2])
{
	struct str both = str_of(r->answer.p + start, want[0].raw.n + want[1].raw.n);
	bool good = true;
	for (size_t n = 1; good && n < want[0].raw.n; n++) {
		good = same_events(str_head(both, n), str_skip(both, n), want);
		if (!good)
			printf("%.*s/%.*s: cut in two at byte %zu\n", STR_FMT(r->vendor), STR_FMT(r->name), start + n);
	}
	return good;
}

static bool check_cuts(const struct recording *r, const struct dialect *d, json_t *says)
{
	struct str in = r->answer;
	struct sse_event ev[2] = { 0 };
	struct sse sse;
	size_t at = 0;
	bool ended = false, good = true;
	sse_init(&sse);
	bool any = sse_feed(&sse, &in, &ev[0]) == SSE_EVENT;
	while (good && any) {
		struct event_view v = { .want_content = true };
		any = sse_feed(&sse, &in, &ev[1]) == SSE_EVENT;
		if (!any)
			ev[1] = (struct sse_event){ 0 };
		good = cut_event(r, d, at, at + ev[0].raw.n, ended, says) && split_event(r, at, ev);
		if (!ev[0].comment)
			d->read_event(ev[0].name, ev[0].data, 0, &v);
		ended |= v.finish || v.done;
		at += ev[0].raw.n;
		ev[0] = ev[1];
	}
	sse_free(&sse);
	return good;
}

/* Binary messages have sums, so a part of one is nothing, and no end; at every byte. */
static bool check_binary_cuts(const struct recording *r, const struct dialect *d, json_t *says)
{
	struct eventstream *frames = frames_new();
	bool good = true, between = true;
	for (size_t at = 0; good && at < r->answer.n; at++) {
		struct str byte = str_of(r->answer.p + at, 1);
		struct sse_event ev;
		if (eventstream_end(frames) != between)
			complain(r, "cut off within a message", says, NULL), good = false;
		good = good && (!between || never_ends_early(r, d, at, says));
		between = frames_feed(frames, &byte, &ev) == SSE_EVENT;
	}
	frames_free(frames);
	return good;
}

/* And the whole way through, byte by byte and in two. */
static bool check_pieces(const struct recording *r, const struct dialect *d, json_t *says)
{
	bool several = json_array_size(json_object_get(says, "choices")) > 1;
	bool good = same(r, "stream, byte by byte", says, replay_stream(d, r->answer, r->binary, several, 1, 1));
	for (size_t at = 1, step = r->answer.n / 8 + 1; good && at < r->answer.n; at += step)
		good = same(r, "stream, cut in two", says, replay_stream(d, r->answer, r->binary, several, at, 0));
	return good;
}

static bool check_stream(const struct recording *recorded, const struct dialect *d, json_t *says)
{
	struct recording r = *recorded;
	struct buf b = BUF_INIT(REPLAY_MAX);
	as_events(&r, &b);
	bool good = same(&r, "stream", says, replay_stream(d, r.answer, r.binary, false, 0, 0)) && check_pieces(&r, d, says) &&
		    (r.binary ? check_binary_cuts : check_cuts)(&r, d, says) && to_callers(&r, d, true, says);
	buf_free(&b);
	return good;
}

static bool check_error(const struct recording *r, const struct dialect *d, json_t *says)
{
	struct provider_error e;
	struct buf spelled = BUF_INIT(REPLAY_MAX);
	d->read_error(r->status, r->answer, &e);
	buf_add(&spelled, e.message);
	bool good = same(r, "error", says, replay_text(&spelled));
	buf_free(&spelled);
	return good;
}

/* --- requests --- */

static struct str tell(const struct line *l, struct arena *a)
{
	return l ? arena_printf(a, "%.*s = %.*s", STR_FMT(l->path), STR_FMT(str_head(l->value, 120))) : STR("nothing");
}

static bool compare(const struct recording *r, const struct dialect *d, struct str written, struct str dropped, struct arena *a)
{
	json_t *x = replay_load(r->request), *y = replay_load(written);
	struct lines want = meaning_of(a, x, d->name, meaning_rules, array_len(meaning_rules), dropped), got = meaning_of(a, y, d->name, meaning_rules, array_len(meaning_rules), STR_NONE);
	const struct line *other, *line = meaning_differs(&want, &got, &other);
	if (line)
		printf("%.*s/%.*s: request %s\n\twanted %.*s\n\tgot    %.*s\n\tdropped %.*s\n", STR_FMT(r->vendor), STR_FMT(r->name), d->name, STR_FMT(tell(line, a)),
		       STR_FMT(tell(other, a)), STR_FMT(dropped));
	json_decref(x);
	json_decref(y);
	return !line;
}

/* Read from `request`, which speaks `from`, and written for the vendor. */
static bool check_request(const struct recording *r, const struct dialect *from, struct str request, const struct dialect *d)
{
	struct arena a = ARENA_INIT;
	struct buf out = BUF_INIT(REPLAY_MAX);
	struct chat c = { .arena = &a, .parallel = -1, .schema_strict = -1 };
	struct chat_fault fault = { .field = STR_NONE };
	c.stream = json_type(json_get(json_value(r->request), STR("stream"))) == JSON_TRUE;
	struct chat_loss loss = { .policy = UNSUPPORTED_DROP, .arena = &a };
	const struct chat_target target = { .model = r->model.n ? r->model : json_text(&a, json_get(json_value(r->request), STR("model"))), .reasons = true,
					    .quirks = QUIRK_TAKES_REASONING, .completion_tokens = str_has(r->request, STR("\"max_completion_tokens\"")),
					    .vertex = str_starts(r->endpoint, STR("vertex")) };
	bool good = from->chat->read_request(json_value(request), &c, &fault);
	if (!good && str_eq(fault.field, STR("background")))	/* a vendor's memory: only relayed */
		return true;
	if (!good)
		printf("%.*s/%.*s: refused: %.*s %.*s\n", STR_FMT(r->vendor), STR_FMT(r->name), STR_FMT(fault.field), STR_FMT(fault.message));
	good = good && d->chat->write_request(&c, &target, &out, &loss) && compare(r, d, buf_str(&out), loss.dropped, &a);
	buf_free(&out);
	arena_clear(&a);
	return good;
}

static bool check_refused(const struct dialect *from, struct str request, const char *field)
{
	struct arena a = ARENA_INIT;
	struct chat c = { .arena = &a, .parallel = -1, .schema_strict = -1 };
	struct chat_fault fault = { .field = STR_NONE };
	bool good = !from->chat->read_request(json_value(request), &c, &fault) && str_eq(fault.field, str_c(field)) && fault.message.n;
	if (!good)
		printf("wanted %s refused, not '%.*s' %.*s\n", field, STR_FMT(fault.field), STR_FMT(fault.message));
	arena_clear(&a);
	return good;
}

/* No caller speaks that dialect: it is said in a caller's words, or refused where that has none. */
static bool check_asked(const struct recording *r, const struct dialect *d, json_t *x)
{
	const struct dialect *from = dialect_find(str_c(json_string_value(json_object_get(x, "caller"))));
	const char *refused = json_string_value(json_object_get(x, "refused"));
	const char *asked = json_string_value(json_object_get(x, "asked"));
	return from && asked && (refused ? check_refused(from, str_c(asked), refused) : check_request(r, from, str_c(asked), d));
}

/* --- embeddings and rerankings --- */

static unsigned length_of(struct str list)
{
	struct json_cursor c;
	unsigned n = 0;
	if (json_cursor_open(&c, list))
		while (json_cursor_next(&c))
			n++;
	return n;
}

static bool check_vectors(const struct recording *r, const struct dialect *d, json_t *says)
{
	struct arena a = ARENA_INIT;
	struct embed e = { .rest = { .arena = &a }, .n = (unsigned)json_number_value(json_object_get(says, "vectors")) };
	struct embed_answer answer = { .n = 0 };
	struct usage u = { 0 };
	json_t *got = NULL;
	if (d->vectors->read_vectors(r->answer, &e, &answer)) {
		d->read_usage(r->answer, 0, &u);
		usage_merge(&u, &answer.usage);
		got = json_pack("{s:f, s:f, s:f}", "vectors", (double)answer.n, "length", (double)length_of(answer.vectors[0]), "tokens", (double)u.input);
	}
	arena_clear(&a);
	return same(r, "vectors", says, got);
}

static bool check_ranking(const struct recording *r, const struct dialect *d, json_t *says)
{
	struct arena a = ARENA_INIT;
	struct rank_answer answer = { .n = 0 };
	json_t *places = json_array();
	struct rank rank = { .rest = { .arena = &a }, .n = VECTOR_INPUTS_MAX };
	bool good = d->vectors->read_ranking(r->answer, &rank, &answer) && answer.n;
	for (unsigned i = 0; i < answer.n; i++)
		json_array_append_new(places, json_real((double)answer.ranked[i].index));
	json_t *got = json_pack("{s:o, s:o}", "places", places, "score", good ? replay_load(answer.ranked[answer.n - 1].score) : json_null());
	arena_clear(&a);
	return same(r, "ranking", says, got);
}

static void count(struct row *row, enum column c, bool passed)
{
	row->all[c]++;
	row->passed[c] += passed;
}

static void check(const struct recording *r, void *arg)
{
	struct walk *w = arg;
	assert_true(read_line(w->expected, &w->line));
	json_t *x = replay_load(buf_str(&w->line)), *says = json_object_get(x, "says");
	const char *kind = json_string_value(json_object_get(x, "kind"));
	const struct dialect *d = dialect_find(str_c(json_string_value(json_object_get(x, "as"))));
	struct row *row = row_of(w, r->vendor);
	if (!str_eq(r->name, str_c(json_string_value(json_object_get(x, "name")))))
		fail_msg("%.*s: run tests/tools/expect_recordings", STR_FMT(r->name));
	bool chat = strcmp(kind, "answer") == 0 || strcmp(kind, "stream") == 0 || strcmp(kind, "break") == 0;
	if (chat && d->chat->read_request && r->request.n)
		count(row, REQUESTS, check_request(r, d, r->request, d));
	if (chat && !d->chat->read_request && r->request.n)
		count(row, REQUESTS, check_asked(r, d, x));
	if (strcmp(kind, "answer") == 0)
		count(row, ANSWERS, check_answer(r, d, says));
	else if (strcmp(kind, "stream") == 0)
		count(row, STREAMS, check_stream(r, d, says));
	else if (strcmp(kind, "error") == 0 && d)
		count(row, ERRORS, check_error(r, d, says));
	else if (strcmp(kind, "break") == 0)
		count(row, STREAMS, !replay_stream(d, r->answer, r->binary, false, 0, 0));
	else if (strcmp(kind, "vectors") == 0)
		count(row, VECTORS, check_vectors(r, d, says));
	else if (strcmp(kind, "ranking") == 0)
		count(row, VECTORS, check_ranking(r, d, says));
	else
		count(row, strcmp(kind, "relayed") == 0 ? RELAYED : UNSPOKEN, true);
	json_decref(x);
}

static unsigned failures(const struct walk *w)
{
	unsigned n = 0;
	for (unsigned i = 0; i < w->n; i++)
		for (int c = 0; c < COLUMNS; c++)
			n += w->rows[i].all[c] - w->rows[i].passed[c];
	return n;
}

static unsigned sum(const struct walk *w, enum column c)
{
	unsigned n = 0;
	for (unsigned i = 0; i < w->n; i++)
		n += w->rows[i].all[c];
	return n;
}

static void print_table(const struct walk *w)
{
	static const char *const names[] = { "requests", "answers", "streams", "errors", "vectors", "relayed", "not spoken" };
	printf("| vendor |");
	for (int c = 0; c < COLUMNS; c++)
		printf(" %s |", names[c]);
	printf("\n|---|---|---|---|---|---|---|---|\n");
	for (unsigned i = 0; i < w->n; i++) {
		printf("| %s |", w->rows[i].vendor);
		for (int c = 0; c < COLUMNS; c++)
			printf(w->rows[i].passed[c] == w->rows[i].all[c] ? " %u |" : " %u of %u |", w->rows[i].passed[c], w->rows[i].all[c]);
		printf("\n");
	}
	printf("| all |");
	for (int c = 0; c < COLUMNS; c++)
		printf(" %u |", sum(w, (enum column)c));
	printf("\n");
}

static void test_all(void **state)
{
	struct walk w = { .line = BUF_INIT(REPLAY_MAX), .expected = gzopen("tests/cases/recordings/expected/says.jsonl.gz", "rb") };
	(void)state;
	assert_non_null(w.expected);
	each_recording_in("tests/cases/recordings/*.jsonl.gz", check, &w);
	each_recording_in("tests/cases/recordings/more/*.jsonl.gz", check, &w);
	each_recording_in("tests/cases/recordings/native/*.jsonl.gz", check, &w);
	if (table)
		print_table(&w);
	gzclose(w.expected);
	buf_free(&w.line);
	assert_int_equal(failures(&w), 0);
	assert_true(w.n == 25 && sum(&w, REQUESTS) > 860 && sum(&w, ANSWERS) > 650 && sum(&w, STREAMS) > 360 && sum(&w, ERRORS) > 60);
}

int main(int n, char **arguments)
{
	table = n > 1 && strcmp(arguments[1], "--table") == 0;
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_all) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
