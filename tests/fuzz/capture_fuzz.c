/*
 * capture_fuzz.c: any bytes as a body that is captured. JSON stays JSON on one line, whatever is blanked in it.
 */
#include "base/buf.h"
#include "metering/capture_file.h"
#include "tests/fuzz/fuzz.h"
#include "wire/json_scan.h"

enum { OUT_MAX = 4 << 20 };

static bool is_json(struct str text)
{
	struct arena a = ARENA_INIT;
	struct json_scan s;
	json_scan_init(&s, &a);
	s.any_root = true;
	bool good = json_scan_feed(&s, text.p, text.n, true) == JSON_DONE;
	/* Two keys may have become one where both looked like credentials. */
	good = good || (s.error && strstr(s.error, "duplicate"));
	arena_wipe(&a);
	return good;
}

static void capture(struct str in, bool personal)
{
	struct buf once = BUF_INIT(OUT_MAX);
	capture_redact(in, personal, true, &once);
	must(!once.failed);
	if (is_json(in))
		must(is_json(buf_str(&once)) && str_chr(buf_str(&once), '\n') < 0 && str_chr(buf_str(&once), '\r') < 0);
	buf_free(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	in.p = copy;
	capture(in, true);
	capture(in, false);
	free(copy);
	return 0;
}
