/*
 * redact_test.c: what is found and what is not, and that it comes back however the answer is cut.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "../dialects/recordings.h"
#include "redact/redact.h"

static struct finder *finder;

static int open_all(void **state)
{
	char why[160];
	size_t at;
	(void)state;
	finder = finder_open();
	assert_true(finder_add(finder, (struct weir_text){ "staff", 5 }, (struct weir_text){ "E-\\d{6}", 7 }, why, &at));
	for (unsigned i = 0; builtin_kind(i); i++)
		assert_true(finder_add_builtin(finder, i));
	return 0;
}

static int close_all(void **state)
{
	(void)state;
	finder_close(finder);
	return 0;
}

static char *hidden(struct names *s, const char *text, size_t n, bool json)
{
	char *out = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&out, &size);
	bool any = json ? names_hide_json(s, (struct weir_text){ text, n }, f) : names_hide(s, (struct weir_text){ text, n }, f);
	fclose(f);
	if (any || json)
		return out;
	free(out);
	return strndup(text, n);
}

static void finds(void **state)
{
	static const char *const cases[][2] = {
		{ "write to ada.lovelace+x@mail.example.co.uk.", "write to [EMAIL_1]." },
		{ "a@b.de, a@b.de; c@d.de", "[EMAIL_1], [EMAIL_1]; [EMAIL_2]" },
		{ "no mail: a@b, @example.org, user@", NULL },
		{ "card 4111 1111 1111 1111, or 4111-1111-1111-1111", "card [CARD_1], or [CARD_2]" },
		{ "not a card: 4111 1111 1111 1112", NULL },
		{ "IBAN DE89 3704 0044 0532 0130 00 AND MORE", "IBAN [IBAN_1] AND MORE" },
		{ "GB82WEST12345698765432", "[IBAN_1]" },
		{ "GB82WEST12345698765433 is not", NULL },
		{ "10.0.0.1, 2001:db8::1 and 12:30:45", "[IP_1], [IP_2] and 12:30:45" },
		{ "version 1.2.3.4.5 and 256.1.1.1", NULL },
		{ "call +49 30 901820 or (212) 555-0123 now", "call [PHONE_1] or [PHONE_2] now" },
		{ "in 2024 there were 1234567 of 100-200", NULL },
		{ "SSN 078-05-1120, NI AB 12 34 56 C", "SSN [ID_1], NI [ID_2]" },
		{ "SSN 000-05-1120 and 666-05-1120", NULL },
		{ "11010519491231002X but not 110105194912310021", "[ID_1] but not 110105194912310021" },
		{ "CPF 529.982.247-25 and 529.982.247-26, DNI 12345678Z and 12345678A", "CPF [ID_1] and 529.982.247-26, DNI [ID_2] and 12345678A" },
		{ "badge E-123456", "badge [STAFF_1]" },
		{ "[EMAIL_1] is mine, a@b.de, [OTHER_1]", "[TEXT_1] is mine, [EMAIL_1], [OTHER_1]" },
		{ "\xc3\xa9\xff a@b.de", "\xc3\xa9\xff [EMAIL_1]" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct names *s = names_open(finder);
		char *out = hidden(s, cases[i][0], strlen(cases[i][0]), false);
		assert_string_equal(out, cases[i][1] ? cases[i][1] : cases[i][0]);
		free(out);
		names_close(s);
	}
}

static void finds_in_json(void **state)
{
	static const char json[] = "{\"to\":\"a@b.de\",\"n\":12,\"card\":4111111111111111,\"x\":[\"\\\"c@d.de\\\"\",null,true,1e5]}";
	struct names *s = names_open(finder);
	char *out = hidden(s, json, sizeof(json) - 1, true), *back = NULL;
	size_t n;
	(void)state;
	assert_string_equal(out, "{\"to\":\"[EMAIL_1]\",\"n\":12,\"card\":\"[CARD_1]\",\"x\":[\"\\\"[EMAIL_2]\\\"\",null,true,1e5]}");
	FILE *f = open_memstream(&back, &n);
	names_show(s, (struct weir_text){ "{\"say\":\"[EMAIL_2] [CARD_1] [PHONE_1]\"}", 38 }, true, f);
	fclose(f);
	assert_string_equal(back, "{\"say\":\"c@d.de 4111111111111111 [PHONE_1]\"}");
	free(out);
	free(back);
	names_close(s);
}

/* A value with quotes, of an own pattern, is escaped where it comes back in JSON. */
static void escapes(void **state)
{
	struct finder *own = finder_open();
	char why[160], *out = NULL;
	size_t at, n;
	(void)state;
	assert_true(finder_add(own, (struct weir_text){ "said", 4 }, (struct weir_text){ "\"[^\"]*\"", 7 }, why, &at));
	assert_false(finder_add(own, (struct weir_text){ "a b", 3 }, (struct weir_text){ "x", 1 }, why, &at));
	assert_false(finder_add(own, (struct weir_text){ "c", 1 }, (struct weir_text){ "a(", 2 }, why, &at));
	assert_int_equal(at, 2);
	struct names *s = names_open(own);
	free(hidden(s, "he: \"no\nway\"", 12, false));
	FILE *f = open_memstream(&out, &n);
	names_show(s, (struct weir_text){ "{\"t\":\"[SAID_1]\"}", 16 }, true, f);
	fclose(f);
	assert_string_equal(out, "{\"t\":\"\\\"no\\u000away\\\"\"}");
	free(out);
	names_close(s);
	finder_close(own);
}

/* --- cut anywhere --- */

static void show_cut(struct names *s, const char *text, size_t n, size_t cut, FILE *f)
{
	struct weir_delta d = { .size = sizeof(d), .text = { text, cut } };
	names_show_piece(s, &d, false, f);
	d = (struct weir_delta){ .size = sizeof(d), .text = { text + cut, n - cut }, .last = 1 };
	names_show_piece(s, &d, false, f);
}

static void show_bytes(struct names *s, const char *text, size_t n, FILE *f)
{
	struct weir_delta d = { .size = sizeof(d) };
	for (size_t i = 0; i < n; i++) {
		d.text = (struct weir_text){ text + i, 1 };
		names_show_piece(s, &d, false, f);
	}
	d = (struct weir_delta){ .size = sizeof(d), .text = { "", 0 }, .last = 1 };
	names_show_piece(s, &d, false, f);
}

/* Hidden, the text is what a model says that repeats everything; shown in any two pieces it is what it was. */
static void comes_back(const char *text, size_t n)
{
	struct names *s = names_open(finder);
	char *marked = hidden(s, text, n, false);
	size_t m = strlen(marked), step = m > 2000 ? m / 500 : 1;
	for (size_t cut = 0; cut <= m + step; cut += step) {
		char *back = NULL;
		size_t size;
		FILE *f = open_memstream(&back, &size);
		if (cut > m)
			show_bytes(s, marked, m, f);
		else
			show_cut(s, marked, m, cut, f);
		fclose(f);
		assert_int_equal(size, n);
		assert_memory_equal(back, text, n);
		free(back);
	}
	free(marked);
	names_close(s);
}

static void check_text(struct arena *a, struct str value, unsigned *n)
{
	static const char personal[] = " (ask ada@example.org, +49 30 901820 or [EMAIL_1], card 4111 1111 1111 1111";
	struct str text = json_text(a, value);
	if (!text.n || text.n > 20000 || memchr(text.p, 0, text.n))
		return;
	size_t half = text.n / 2, size = text.n + sizeof(personal) - 1;
	while (half < text.n && ((unsigned char)text.p[half] & 0xc0) == 0x80)
		half++;
	char *with = malloc(size);
	memcpy(with, text.p, half);
	memcpy(with + half, personal, sizeof(personal) - 1);
	memcpy(with + half + sizeof(personal) - 1, text.p + half, text.n - half);
	comes_back(with, size);
	free(with);
	++*n;
}

static void check(const struct recording *r, void *arg)
{
	struct arena a = ARENA_INIT;
	struct json_cursor c;
	struct str choices = json_get(json_value(r->answer), STR("choices"));
	if (!r->stream && json_type(choices) == JSON_ARRAY && json_cursor_open(&c, choices))
		while (json_cursor_next(&c))
			check_text(&a, json_get(json_get(c.value, STR("message")), STR("content")), arg);
	arena_clear(&a);
}

static void recorded_answers_come_back(void **state)
{
	unsigned n = 0;
	(void)state;
	each_recording(check, &n);
	assert_true(n > 100);
}

static void what_is_no_placeholder_stays(void **state)
{
	static const char text[] = "[EMAIL_1] [EMAIL_9] [x] [ [EMAIL_ [EMAIL_1]] [[EMAIL_1] arr[0] [";
	struct names *s = names_open(finder);
	char *out = NULL;
	size_t n;
	(void)state;
	free(hidden(s, "a@b.de", 6, false));
	FILE *f = open_memstream(&out, &n);
	names_show(s, (struct weir_text){ text, sizeof(text) - 1 }, false, f);
	fclose(f);
	assert_string_equal(out, "a@b.de [EMAIL_9] [x] [ [EMAIL_ a@b.de] [a@b.de arr[0] [");
	free(out);
	names_close(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds), cmocka_unit_test(finds_in_json), cmocka_unit_test(escapes),
		cmocka_unit_test(recorded_answers_come_back), cmocka_unit_test(what_is_no_placeholder_stays),
	};
	return cmocka_run_group_tests(tests, open_all, close_all);
}
