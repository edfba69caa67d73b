/*
 * store_bytes_fuzz.c: any bytes as what Redis gives back of sums for reports and of reservations, and as where it is said to be.
 */
#include "store/redis_command.h"
#include "store/redis_url.h"
#include "tests/fuzz/fuzz.h"

static void sums(struct str in)
{
	int64_t counts[STORE_TALLY_COUNTS];
	struct str rest = in, name;
	size_t seen = 0;
	while (store_tally_next(&rest, &name, counts)) {
		seen += 2 + name.n + sizeof(counts);
		must(lies_in(name, in) && lies_in(rest, in) && seen + rest.n == in.n);
	}
}

static void answer(struct str in)
{
	for (unsigned n = 0; n <= STORE_LIMITS_MAX; n++)
		for (unsigned items = 1; items <= 4; items++) {
			struct store_answer to;
			struct script_answer a;
			if (script_answer_open(&a, in, n, items, true))
				for (unsigned i = 0; i < items; i++)
					must(script_answer_item(&a, i, &to) != SCRIPT_REFUSED || to.refused_by < n);
			if (script_answer_open(&a, in, n, items, false))
				must(in.n == (1 + items) * sizeof(int64_t) && script_answer_item(&a, items - 1, NULL) < SCRIPT_STATUSES);
		}
}

static void place(struct str in)
{
	struct arena a = ARENA_INIT;
	struct redis_url u;
	if (!redis_url_parse(&a, in, &u)) {
		must(u.n_sentinels <= REDIS_SENTINELS_MAX && u.n_seeds <= REDIS_SENTINELS_MAX);
		must(u.path.n || u.host.n || u.n_sentinels || u.n_seeds);
	}
	arena_wipe(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = str_of((const char *)data, size);
	char *copy = alone(in);
	in.p = copy;
	sums(in);
	answer(in);
	place(in);
	free(copy);
	return 0;
}
