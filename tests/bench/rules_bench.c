/*
 * rules_bench.c: what rules cost on a message of 4 KB, by the plugin's own hooks: time on the core, without a gateway around.
 *
 * usage: rules_bench CORPUS      One line of JSON a row: its name and the median of a call in microseconds.
 *
 * Lists are made up of invented words, the frequent ones as frequent as in real texts; nothing of them stands in the
 * message, so that all of it has to be looked at. A row is a file of one rule or more.
 */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "weir_plugin.h"

enum { MESSAGE = 4096, VOCABULARY = 20000, ROUNDS = 31, CALLS = 20, FILE_ROOM = 8 * 1024 * 1024 };

extern const struct weir_plugin rules_plugin;

static uint64_t dice = 88172645463325252;

static uint64_t roll(uint64_t n)
{
	dice ^= dice << 13;
	dice ^= dice >> 7;
	dice ^= dice << 17;
	return dice % n;
}

/* --- invented words --- */

/* The word of a rank, from 0: longer the rarer. */
static int word_of(char *out, uint64_t rank)
{
	static const char *const parts[] = { "ba", "ko", "ri", "sel", "mun", "ta", "lor", "vi", "den", "pu", "gar", "ne", "shi", "fol", "wex", "zu" };
	int n = 0;
	for (rank += 3; rank; rank /= 16)
		n += sprintf(out + n, "%s", parts[rank % 16]);
	return n;
}

/* Zipf's law: the logarithm of the rank is even. */
static uint64_t some_rank(void)
{
	uint64_t most = 1;
	while (most < VOCABULARY && roll(20) > 0)
		most = most * 2 + 1;
	return roll(most);
}

static int words(char *out, unsigned n)
{
	int at = 0;
	for (unsigned i = 0; i < n; i++) {
		at += word_of(out + at, some_rank());
		out[at++] = i + 1 < n ? ' ' : 0;
	}
	return at - 1;
}

/* --- a file of rules as the plugin's nodes --- */

static struct weir_text text(const char *s)
{
	return (struct weir_text){ s, strlen(s) };
}

static struct weir_node *add(struct weir_node *parent, enum weir_node_kind kind, const char *key, const char *value)
{
	struct weir_node *n = calloc(1, sizeof(*n)), *last = (struct weir_node *)(uintptr_t)(parent ? parent->first : NULL);
	*n = (struct weir_node){ .kind = kind, .line = 1, .column = 1, .key = text(key), .value = text(value) };
	if (!parent)
		return n;
	while (last && last->next)
		last = (struct weir_node *)(uintptr_t)last->next;
	if (last)
		last->next = n;
	else
		parent->first = n;
	parent->count++;
	return n;
}

/* The condition of a new rule. */
static struct weir_node *rule(struct weir_node *rules, const char *name)
{
	struct weir_node *r = add(rules, WEIR_MAP, "", "");
	add(r, WEIR_SCALAR, "name", name);
	add(r, WEIR_SCALAR, "answer", "x");
	return add(r, WEIR_MAP, "when", "");
}

/* --- files --- */

static char phrases_file[FILE_ROOM], questions_file[FILE_ROOM], model_file[FILE_ROOM];

static void make_phrases(unsigned n)
{
	size_t at = 0;
	for (unsigned i = 0; i < n; i++) {
		at += (size_t)words(phrases_file + at, 2 + (unsigned)roll(3));
		phrases_file[at++] = '\n';
	}
	phrases_file[at] = 0;
}

static void make_questions(unsigned n)
{
	size_t at = (size_t)sprintf(questions_file, "question,answer\n");
	for (unsigned i = 0; i < n; i++) {
		at += (size_t)words(questions_file + at, 6 + (unsigned)roll(8));
		at += (size_t)sprintf(questions_file + at, ",answer %u\n", i);
	}
}

static void make_model(unsigned bits, unsigned classes)
{
	size_t at = (size_t)sprintf(model_file, "weir-classifier 1\nbits %u\nscale 0.001\nclasses %u\n", bits, classes);
	for (unsigned k = 0; k < classes; k++)
		at += (size_t)sprintf(model_file + at, "class 0 class-%u\n", k);
	at += (size_t)sprintf(model_file + at, "buckets %u\n", 1u << bits);
	for (unsigned b = 0; b < 1u << bits; b++) {
		at += (size_t)sprintf(model_file + at, "%u", b);
		for (unsigned k = 0; k < classes; k++)
			at += (size_t)sprintf(model_file + at, " %d", (int)roll(255) - 127);
		model_file[at++] = '\n';
	}
	sprintf(model_file + at, "end\n");
}

/* --- the host --- */

static const struct weir_node *root;
static char message[MESSAGE + 1];
static struct weir_text asked;

__attribute__((format(printf, 2, 3))) static void tell_log(enum weir_severity s, const char *format, ...)
{
	va_list ap;
	(void)s;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

__attribute__((format(printf, 6, 7))) static void tell(struct weir_setup *s, enum weir_severity how, const char *file, unsigned line,
						       unsigned column, const char *format, ...)
{
	va_list ap;
	(void)s;
	fprintf(stderr, "%s:%u:%u: ", file ? file : "", line, column);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	if (how == WEIR_ERROR)
		exit(1);
}

static const struct weir_node *read_yaml(struct weir_setup *s, const char *file)
{
	(void)s;
	(void)file;
	return root;
}

static int read_file(struct weir_setup *s, const char *file, struct weir_text *out)
{
	(void)s;
	*out = text(strcmp(file, "phrases") == 0 ? phrases_file : strcmp(file, "questions") == 0 ? questions_file : model_file);
	return 0;
}

static struct weir_text fact(struct weir_request *r, enum weir_fact f)
{
	(void)r;
	return f == WEIR_LAST_TEXT ? asked : text("");
}

static int answer(struct weir_request *r, struct weir_text t, const char *why)
{
	(void)r;
	(void)t;
	(void)why;
	return 1;
}

static void hit(struct weir_request *r, const char *why)
{
	(void)r;
	(void)why;
}

static const struct weir_zone *zone(struct weir_setup *s, struct weir_text name)
{
	(void)s;
	(void)name;
	return NULL;
}

static void counts(struct weir_setup *s, const char *why)
{
	(void)s;
	(void)why;
}

static const struct weir_host host = {
	.abi = WEIR_PLUGIN_ABI, .size = sizeof(struct weir_host), .log = tell_log, .tell = tell, .read_yaml = read_yaml, .read_file = read_file,
	.fact = fact, .answer = answer, .hit = hit, .zone = zone, .counts = counts,
};

/* --- measuring --- */

static double core_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void measure(const char *name, const struct weir_node *file, struct weir_text of)
{
	struct weir_node *config = add(NULL, WEIR_MAP, "", "");
	double times[ROUNDS];
	unsigned hits = 0;
	root = file;
	asked = of;
	add(config, WEIR_SCALAR, "file", "rules.yaml");
	void *self = rules_plugin.configure(&host, NULL, config);
	for (int i = 0; i < ROUNDS; i++) {
		double from = core_us();
		for (int k = 0; k < CALLS; k++)
			hits += rules_plugin.request(self, NULL) != WEIR_CONTINUE;
		times[i] = (core_us() - from) / CALLS;
	}
	qsort(times, ROUNDS, sizeof(*times), by_value);
	printf("{\"row\": \"%s\", \"us\": %.1f, \"hits\": %u}\n", name, times[ROUNDS / 2], hits);
	rules_plugin.release(self);
}

static bool make_message(const char *file)
{
	FILE *f = fopen(file, "r");
	size_t n = f ? fread(message, 1, MESSAGE, f) : 0;
	if (f)
		fclose(f);
	for (size_t i = n; n && i < MESSAGE; i++)
		message[i] = message[i - n];
	return n > 0;
}

static void add_phrases(struct weir_node *rules)
{
	add(add(rule(rules, "phrases"), WEIR_MAP, "phrases", ""), WEIR_SCALAR, "file", "phrases");
}

/* As people write them: words with a number, or one of two words behind. */
static void add_patterns(struct weir_node *rules, unsigned n)
{
	struct weir_node *list = add(rule(rules, "patterns"), WEIR_LIST, "pattern", "");
	for (unsigned i = 0; i < n; i++) {
		char a[64], *pattern = malloc(200);
		words(a, 2);
		sprintf(pattern, i % 2 ? "\\b%s (no\\.? ?)?(\\d{4,8})\\b" : "%s\\s+(order|parcel)", a);
		add(list, WEIR_SCALAR, "", pattern);
	}
}

int main(int argc, char **argv)
{
	char question[400];
	struct weir_node *files[6], *lists[6];
	if (argc != 2 || !make_message(argv[1])) {
		fprintf(stderr, "usage: rules_bench CORPUS\n");
		return 2;
	}
	for (int i = 0; i < 6; i++)
		lists[i] = add(files[i] = add(NULL, WEIR_MAP, "", ""), WEIR_LIST, "rules", "");
	make_phrases(10000);
	make_questions(10000);
	make_model(15, 12);
	words(question, 12);
	add_phrases(lists[0]);
	add_patterns(lists[1], 1000);
	add_phrases(lists[2]);
	add_patterns(lists[2], 1000);
	add(add(rule(lists[3], "questions"), WEIR_MAP, "question", ""), WEIR_SCALAR, "file", "questions");
	struct weir_node *class = add(rule(lists[4], "class"), WEIR_MAP, "class", "");
	add(class, WEIR_SCALAR, "file", "model");
	add(class, WEIR_SCALAR, "is", "class-1");
	add(class, WEIR_SCALAR, "at_least", "1");
	add(rule(lists[5], "language"), WEIR_SCALAR, "language", "vi");
	struct weir_text whole = { message, MESSAGE };
	measure("10,000 phrases, 4 KB", files[0], whole);
	measure("1,000 patterns, 4 KB", files[1], whole);
	measure("10,000 phrases and 1,000 patterns, 4 KB", files[2], whole);
	measure("BM25 over 10,000 questions, 12 words", files[3], text(question));
	measure("BM25 over 10,000 questions, 4 KB", files[3], whole);
	measure("classifier of 12 classes, 4 KB", files[4], whole);
	measure("language of 31, 4 KB", files[5], whole);
	return 0;
}
