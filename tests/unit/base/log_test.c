/*
 * log_test.c: what the log's reader gets: lines, fewer lines, other files, and no waiting.
 */
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/counters.h"

static char folder[64], path[128], moved[128];
static int real_stdout;

static int setup(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/weir-log-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/log", folder);
	snprintf(moved, sizeof moved, "%s/log.1", folder);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	unlink(moved);
	return rmdir(folder);
}

static void read_file(struct buf *b, const char *file)
{
	buf_init(b, 8 << 20);
	int fd = open(file, O_RDONLY);
	assert_true(fd >= 0);
	ssize_t n;
	do {
		assert_true(buf_reserve(b, 4096));
		n = read(fd, b->p + b->n, 4096);
		b->n += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	close(fd);
	buf_addc(b, '\0');
	b->n--;
}

static unsigned count(const struct buf *b, const char *needle)
{
	unsigned n = 0;
	struct str rest = buf_str(b);
	for (ptrdiff_t at; (at = str_find(rest, str_c(needle))) >= 0; n++)
		rest = str_skip(rest, (size_t)at + 1);
	return n;
}

/* From here to logged() standard output is the file. */
static void begin_log(enum log_level least)
{
	struct buf why = BUF_INIT(256);
	fflush(stdout);
	real_stdout = dup(STDOUT_FILENO);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	dup2(fd, STDOUT_FILENO);
	close(fd);
	assert_true(log_open(least, &why));
}

static void logged(struct buf *b)
{
	log_close();
	dup2(real_stdout, STDOUT_FILENO);
	close(real_stdout);
	read_file(b, path);
}

static void lines_are_json(void **state)
{
	(void)state;
	struct buf b;
	begin_log(LOG_INFO);
	log_debug("not this one");
	log_info("a \"quoted\"\n%s", "x-api-key: secret");
	log_error("second");
	logged(&b);
	assert_int_equal(count(&b, "\n"), 2);
	assert_true(str_starts(buf_str(&b), STR("{\"time\":\"20")));
	assert_int_equal(count(&b, "Z\",\"level\":\"info\",\"message\":\"a \\\"quoted\\\"\\nx-api-key: ...\"}\n"), 1);
	assert_int_equal(count(&b, "\"level\":\"error\",\"message\":\"second\"}\n"), 1);
	buf_free(&b);
}

static void long_messages_are_cut(void **state)
{
	(void)state;
	struct buf b;
	begin_log(LOG_INFO);
	char text[5000];
	memset(text, 1, sizeof text);
	log_info("%.*s", (int)sizeof text, text);
	logged(&b);
	assert_int_equal(count(&b, "\\u0001"), 1023);
	buf_free(&b);
}

static void a_chattering_format_is_suppressed(void **state)
{
	(void)state;
	struct buf b;
	begin_log(LOG_INFO);
	for (int i = 0; i < 10000; i++)
		log_info("chatter");
	log_info("another");
	logged(&b);
	assert_true(count(&b, "\"message\":\"chatter\"") >= 10);
	assert_true(count(&b, "\"message\":\"chatter\"") < 1000);
	assert_int_equal(count(&b, "another"), 1);
	buf_free(&b);
}

static void records_follow_a_moved_file(void **state)
{
	(void)state;
	struct buf b, why = BUF_INIT(256);
	struct log_sink *s = log_sink_open(str_c(path), &why);
	assert_non_null(s);
	assert_int_equal(rename(path, moved), 0);
	log_record(s, STR("one\n"));
	log_record(s, STR("two\n"));
	log_sink_close(s);
	read_file(&b, path);
	assert_string_equal(b.p, "one\ntwo\n");
	buf_free(&b);
	log_close();
}

/* The writer exchanges the descriptor while others go on recording: ThreadSanitizer watches. */
static void callers_go_on_while_a_file_moves(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(256);
	struct log_sink *s = log_sink_open(str_c(path), &why);
	struct stat st;
	assert_int_equal(rename(path, moved), 0);
	for (int64_t until = clock_us() + 10 * SECOND_US; stat(path, &st) != 0 && clock_us() < until;)
		log_record(s, STR("x\n"));
	assert_int_equal(stat(path, &st), 0);
	log_sink_close(s);
	log_close();
}

static unsigned long long writes_so_far(void)
{
	char text[512];
	unsigned long long n = 0;
	FILE *f = fopen("/proc/self/io", "r");
	assert_non_null(f);
	while (fgets(text, sizeof text, f))
		sscanf(text, "syscw: %llu", &n);
	fclose(f);
	return n;
}

/* Also when the writer slept: its first record does not send it off alone. */
static void records_wait_for_company(void **state)
{
	struct buf why = BUF_INIT(1024), b;
	struct log_sink *s = log_sink_open(str_c(path), &why);
	(void)state;
	assert_non_null(s);
	unsigned long long before = writes_so_far();
	for (int i = 0; i < 100; i++) {
		log_record(s, STR("x\n"));
		usleep(200);
	}
	log_sink_close(s);
	assert_in_range(writes_so_far() - before, 1, 20);
	read_file(&b, path);
	assert_int_equal(b.n, 200);
	buf_free(&b);
}

static void bad_places_are_refused(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(256);
	assert_null(log_sink_open(STR("/nowhere/at/all"), &why));
	assert_true(str_has(buf_str(&why), STR("/nowhere/at/all")));
	buf_free(&why);
	struct log_sink *off = log_sink_open(STR("off"), &why);
	log_record(off, STR("nothing\n"));
	log_sink_close(off);
}

static void *drain(void *fd)
{
	char text[65536];
	while (read(*(int *)fd, text, sizeof text) > 0)
		;
	return NULL;
}

static void a_stuck_reader_costs_lines_only(void **state)
{
	(void)state;
	struct buf why = BUF_INIT(256), b = BUF_INIT(1 << 20);
	assert_int_equal(mkfifo(path, 0600), 0);
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct log_sink *s = log_sink_open(str_c(path), &why);
	char line[1024];
	memset(line, 'x', sizeof line);
	for (int i = 0; i < 4096; i++)
		log_record(s, str_of(line, sizeof line));
	assert_true(counters_render(&b, false));
	assert_true(str_has(buf_str(&b), STR("\nweir_log_dropped_total ")));
	assert_false(str_has(buf_str(&b), STR("\nweir_log_dropped_total 0\n")));
	fcntl(fd, F_SETFL, 0);
	pthread_t t;
	pthread_create(&t, NULL, drain, &fd);
	log_sink_close(s);
	pthread_join(t, NULL);
	close(fd);
	log_close();
	buf_free(&b);
}

enum { THREADS = 4, RECORDS = 500 };

static void *write_records(void *sink)
{
	for (int i = 0; i < RECORDS; i++) {
		log_record(sink, STR("record\n"));
		log_debug("unseen");
	}
	return NULL;
}

static void threads_share_a_sink(void **state)
{
	(void)state;
	struct buf b, why = BUF_INIT(256);
	struct log_sink *s = log_sink_open(str_c(path), &why);
	pthread_t t[THREADS];
	for (int i = 0; i < THREADS; i++)
		pthread_create(&t[i], NULL, write_records, s);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	log_sink_close(s);
	log_close();
	read_file(&b, path);
	assert_int_equal(count(&b, "record\n"), THREADS * RECORDS);
	assert_int_equal(b.n, THREADS * RECORDS * 7);
	buf_free(&b);
}

static void times_are_utc(void **state)
{
	(void)state;
	char t[LOG_TIME_SIZE];
	assert_int_equal(log_time(t, INT64_C(1700000000000042)), 27);
	assert_string_equal(t, "2023-11-14T22:13:20.000042Z");
	log_time(t, INT64_C(1700000000999999));
	assert_string_equal(t, "2023-11-14T22:13:20.999999Z");
}

static void levels_have_names(void **state)
{
	(void)state;
	enum log_level l;
	assert_true(log_level_parse(STR("WARN"), &l));
	assert_int_equal(l, LOG_WARN);
	assert_false(log_level_parse(STR("loud"), &l));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(records_wait_for_company, setup, teardown),
		cmocka_unit_test_setup_teardown(lines_are_json, setup, teardown),
		cmocka_unit_test_setup_teardown(long_messages_are_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(a_chattering_format_is_suppressed, setup, teardown),
		cmocka_unit_test_setup_teardown(records_follow_a_moved_file, setup, teardown),
		cmocka_unit_test_setup_teardown(callers_go_on_while_a_file_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(a_stuck_reader_costs_lines_only, setup, teardown),
		cmocka_unit_test_setup_teardown(threads_share_a_sink, setup, teardown),
		cmocka_unit_test(bad_places_are_refused),
		cmocka_unit_test(times_are_utc),
		cmocka_unit_test(levels_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
