/*
 * answer_check.c: is a plain answer what a caller can use?
 *
 * A provider's good status over a cut, empty or foreign body must become an honest 502, as
 * long as nothing was passed on.
 */
#include "upstream/answer_check.h"

#include "wire/http_parser.h"
#include "wire/json_cursor.h"
#include "wire/json_scan.h"

bool answer_is_sound(struct str body, const char **why)
{
	struct arena a = ARENA_INIT;
	struct json_scan unset scan;
	json_scan_init(&scan, &a);
	bool sound = json_scan_feed(&scan, body.p, body.n, true) == JSON_DONE;
	*why = sound ? NULL : body.n ? "the answer is not a JSON object" : "the answer is empty";
	if (sound) {
		const struct json_member *choices = json_scan_find(&scan, body, STR("choices"));
		if (choices && body.p[choices->value_at] != '[') {
			*why = "the answer's choices are no list";
			sound = false;
		}
	}
	arena_clear(&a);
	return sound;
}

int64_t answer_retry_after(const struct http_head *head)
{
	uint64_t n;
	if (str_u64(http_header(head, HTTP_H_RETRY_AFTER_MS), &n))
		return (int64_t)(n < 86400000 ? n : 86400000) * 1000;
	struct str v = http_header(head, HTTP_H_RETRY_AFTER);
	ptrdiff_t dot = str_chr(v, '.');
	if (str_u64(dot > 0 ? str_head(v, (size_t)dot) : v, &n))
		return (int64_t)(n < 86400 ? n : 86400) * 1000000 + (dot > 0 ? 500000 : 0);
	return 0;
}
