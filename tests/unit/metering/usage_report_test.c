/*
 * usage_report_test.c: rows add up, the dearest come first, and cells are quoted as their format wants it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "metering/usage_report.h"

static void write_as(enum usage_format format, const char *expected)
{
	struct usage_report r;
	struct buf why = BUF_INIT(256), out = BUF_INIT(1 << 16);
	const struct str a[USAGE_BY_MAX] = { STR("web"), STR("x\",y") }, b[USAGE_BY_MAX] = { STR("job"), STR_NONE };
	const struct usage_counts cheap = { 1, 0, 10, 3, 22000, 0 }, dear = { 2, 1, 20, 6, 5000000000, 1 };
	assert_true(usage_report_begin(&r, STR("key, tags"), &why));
	usage_report_add(&r, a, &cheap);
	usage_report_add(&r, b, &dear);
	usage_report_add(&r, a, &cheap);
	usage_report_write(&r, format, STR("this replica"), &out);
	buf_addc(&out, '\0');
	assert_string_equal(out.p, expected);
	usage_report_free(&r);
	buf_free(&out);
	buf_free(&why);
}

static void rows_add_up_and_the_dearest_is_first(void **state)
{
	(void)state;
	write_as(USAGE_CSV, "key,tags,requests,failed,input,output,cost_usd,estimated_usd\njob,-,2,1,20,6,5,0.000000001\n"
			    "web,\"x\"\",y\",2,0,20,6,0.000044,0\n");
	write_as(USAGE_JSON, "{\"of\":\"this replica\",\"usage\":[{\"key\":\"job\",\"tags\":\"-\",\"requests\":2,\"failed\":1,\"input\":20,"
			     "\"output\":6,\"cost_usd\":5,\"estimated_usd\":0.000000001},\n {\"key\":\"web\",\"tags\":\"x\\\",y\",\"requests\":2,"
			     "\"failed\":0,\"input\":20,\"output\":6,\"cost_usd\":0.000044,\"estimated_usd\":0}]}\n");
}

/* What callers say must neither move an operator's cursor nor be reckoned with by a spreadsheet. */
static void cells_are_text(void **state)
{
	static const struct { struct str tags; const char *csv, *table; } cases[] = {
		{ STR_INIT("a=\x1b[2J\r\nb\x7f"), "a=?[2J??b?", "a=?[2J??b?                       " },
		{ STR_INIT("=1+1"), "\"'=1+1\"", "=1+1                             " },
		{ STR_INIT("@a"), "\"'@a\"", "@a                               " },
		{ STR_INIT("-"), "-", "-                                " },
		{ STR_INIT("u=\xc3\xa9\xe9\xc2\x9b\xe4\xbd"), "u=\xc3\xa9?????", "u=\xc3\xa9?????                        " },
	};
	(void)state;
	for (size_t i = 0; i < array_len(cases); i++)
		for (int csv = 0; csv < 2; csv++) {
			struct usage_report r;
			struct buf why = BUF_INIT(256), out = BUF_INIT(1 << 16);
			const struct str cells[USAGE_BY_MAX] = { cases[i].tags };
			assert_true(usage_report_begin(&r, STR("tags"), &why));
			usage_report_add(&r, cells, &(struct usage_counts){ 1, 0, 0, 0, 0, 0 });
			usage_report_write(&r, csv ? USAGE_CSV : USAGE_TABLE, STR("x"), &out);
			struct str rest = buf_str(&out), head;
			str_split(&rest, '\n', &head);
			const char *expected = csv ? cases[i].csv : cases[i].table;
			if (!str_starts(rest, str_c(expected)) || rest.p[strlen(expected)] != (csv ? ',' : ' '))
				fail_msg("%d: %.*s", (int)i, STR_FMT(rest));
			usage_report_free(&r);
			buf_free(&out);
			buf_free(&why);
		}
}

static void many_rows(void **state)
{
	enum { ROWS = 5000 };
	struct usage_report r;
	struct buf why = BUF_INIT(256);
	char text[16];
	(void)state;
	assert_true(usage_report_begin(&r, STR("tags"), &why));
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < ROWS; i++) {
			struct str cell[USAGE_BY_MAX] = { str_of(text, (size_t)snprintf(text, sizeof(text), "n=%d", i)) };
			usage_report_add(&r, cell, &(struct usage_counts){ 1, 0, 0, 0, i, 0 });
		}
	assert_int_equal(r.n, ROWS);
	usage_report_free(&r);
	buf_free(&why);
}

static void columns_are_known(void **state)
{
	struct usage_report r;
	struct buf why = BUF_INIT(256);
	(void)state;
	assert_false(usage_report_begin(&r, STR("colour"), &why));
	assert_false(usage_report_begin(&r, STR("key,key,key,key,key"), &why));
	assert_false(usage_report_begin(&r, STR(""), &why));
	assert_true(usage_report_begin(&r, STR("key,day"), &why) && usage_report_shared(&r));
	assert_true(usage_report_begin(&r, STR("key,target"), &why) && !usage_report_shared(&r));
	buf_free(&why);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_add_up_and_the_dearest_is_first),
		cmocka_unit_test(cells_are_text),
		cmocka_unit_test(many_rows),
		cmocka_unit_test(columns_are_known),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
