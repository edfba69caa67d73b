/*
 * classifier_fuzz.c: any bytes as a classifier's file, and as texts it is asked about. The part before a NUL is the file.
 */
#include "rules/classifier.h"
#include "rules/features.h"
#include "tests/fuzz/fuzz.h"

static void look(struct weir_text in)
{
	uint32_t *out = malloc(FEATURES_MAX * sizeof(*out));
	unsigned n = features_of(in, CLASSIFIER_BITS_MIN, out);
	must(n <= FEATURES_MAX);
	for (unsigned i = 0; i < n; i++)
		must(out[i] < 1u << CLASSIFIER_BITS_MIN);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct classifier_mistake mistake;
	struct guess g;
	char *copy = alone(str_of((const char *)data, size));
	const char *nul = memchr(copy, 0, size);
	struct weir_text file = { copy, nul ? (size_t)(nul - copy) : size }, message = { copy + (nul ? file.n : 0), nul ? size - file.n : size };
	struct classifier *c = classifier_read(file, &mistake);
	look(message);
	must(c || mistake.what);
	if (c && classifier_guess(c, message, &g))
		must(g.class < classifier_classes(c) && g.sureness > 0 && g.sureness <= 1);
	classifier_free(c);
	free(copy);
	return 0;
}
