/*
 * answer_check.c: is a plain answer what a caller can use?
 *
 * A provider's good status over a cut, empty or foreign body must become an honest 502, as
 * long as nothing was passed on.
 */
#include "upstream/answer_check.h"

#include "wire/json_cursor.h"
#include "wire/json_scan.h"

bool answer_is_sound(struct str body, const char **why)
{
	struct arena a = ARENA_INIT;
	struct json_scan scan;
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
