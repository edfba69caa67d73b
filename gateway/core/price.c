/*
 * price.c: tokens times rates, in 128 bits.
 */
#include "core/price.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"

enum { INTERN_SLOTS = 4096 };
static const int64_t TOKENS_MAX = INT64_C(1) << 40, PER = 1000000;

void price_init(struct price *p)
{
	memset(p, 0, sizeof(*p));	/* padding too: prices are compared as bytes */
	for (int i = 0; i < RATES; i++)
		p->rates[i] = PRICE_UNKNOWN;
	for (int i = 0; i < PRICE_TIERS; i++)
		p->tiers[i].price = (struct price_three){ PRICE_UNKNOWN, PRICE_UNKNOWN, PRICE_UNKNOWN };
	for (int i = 0; i < SERVICE_TIERS; i++)
		p->services[i] = (struct price_three){ PRICE_UNKNOWN, PRICE_UNKNOWN, PRICE_UNKNOWN };
}

const char *feature_name(unsigned index)
{
	static const char *const names[FEATURES] = { "tools", "vision", "audio", "json_schema", "reasoning" };
	return index < FEATURES ? names[index] : NULL;
}

unsigned feature_of(struct str word)
{
	for (unsigned i = 0; i < FEATURES; i++)
		if (str_eq(str_c(feature_name(i)), word))
			return 1u << i;
	return 0;
}

/* --- the same price for good --- */

struct interned {
	struct interned *next;
	struct price price;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct interned *_Atomic slots[INTERN_SLOTS];

static const struct price *look(struct interned *i, const struct price *p)
{
	for (; i; i = i->next)
		if (memcmp(&i->price, p, sizeof(*p)) == 0)
			return &i->price;
	return NULL;
}

const struct price *price_intern(const struct price *p)
{
	size_t slot = (size_t)str_hash(str_of((const char *)p, sizeof(*p))) % INTERN_SLOTS;
	const struct price *known = look(slots[slot], p);
	if (known)
		return known;
	pthread_mutex_lock(&lock);
	known = look(slots[slot], p);
	if (!known) {
		struct interned *i = mem_alloc(sizeof(*i));
		memcpy(&i->price, p, sizeof(*p));
		i->next = slots[slot];
		slots[slot] = i;
		known = &i->price;
	}
	pthread_mutex_unlock(&lock);
	return known;
}

/* --- cost --- */

static int64_t within(int64_t n, int64_t most)
{
	return n < 0 ? 0 : n > most ? most : n;
}

/* A rate of a tier, standing to its base as in the standard one. */
static int64_t scaled(int64_t rate, int64_t base, int64_t to)
{
	return rate == PRICE_UNKNOWN || base <= 0 ? rate : (int64_t)((__int128)rate * to / base);
}

static void apply_tier(int64_t rates[RATES], const struct price_three *t)
{
	int64_t input = rates[RATE_INPUT], output = rates[RATE_OUTPUT];
	static const enum rate of_input[] = { RATE_CACHED_INPUT, RATE_CACHE_WRITE, RATE_CACHE_WRITE_1H, RATE_AUDIO_INPUT, RATE_IMAGE_INPUT };
	for (size_t i = 0; i < array_len(of_input); i++)
		rates[of_input[i]] = scaled(rates[of_input[i]], input, t->input);
	rates[RATE_REASONING] = scaled(rates[RATE_REASONING], output, t->output);
	rates[RATE_AUDIO_OUTPUT] = scaled(rates[RATE_AUDIO_OUTPUT], output, t->output);
	rates[RATE_INPUT] = t->input;
	rates[RATE_OUTPUT] = t->output;
	if (t->cached_input != PRICE_UNKNOWN)
		rates[RATE_CACHED_INPUT] = t->cached_input;
}

static void rates_of(const struct price *p, int64_t input, enum service_tier service, int64_t rates[RATES])
{
	static const enum rate like[RATES] = {
		RATE_INPUT, RATE_OUTPUT, RATE_INPUT, RATE_INPUT, RATE_CACHE_WRITE, RATE_OUTPUT, RATE_INPUT, RATE_OUTPUT, RATE_INPUT,
	};
	const struct price_three *tier = NULL;
	memcpy(rates, p->rates, sizeof(p->rates));
	for (int i = 0; i < PRICE_TIERS; i++)
		if (p->tiers[i].above && input > p->tiers[i].above)
			tier = &p->tiers[i].price;
	if (tier)
		apply_tier(rates, tier);
	if (p->services[service].input != PRICE_UNKNOWN)
		apply_tier(rates, &p->services[service]);
	for (int i = 0; i < RATES; i++)
		if (rates[i] == PRICE_UNKNOWN)
			rates[i] = rates[like[i]] == PRICE_UNKNOWN ? 0 : rates[like[i]];
}

/* Takes up to `n` out of what is left of a whole. */
static int64_t take(int64_t *left, int64_t n)
{
	n = within(n, *left);
	*left -= n;
	return n;
}

int64_t price_cost(const struct price *p, const struct usage *u, enum service_tier service)
{
	int64_t rates[RATES], tokens[RATES], input = within(u->input, TOKENS_MAX), output = within(u->output, TOKENS_MAX);
	if (p->free)
		return 0;
	rates_of(p, input, service, rates);
	tokens[RATE_CACHED_INPUT] = take(&input, u->cached);
	tokens[RATE_CACHE_WRITE_1H] = take(&input, u->cache_write_1h);
	tokens[RATE_CACHE_WRITE] = take(&input, u->cache_write - tokens[RATE_CACHE_WRITE_1H]);
	tokens[RATE_AUDIO_INPUT] = take(&input, u->audio_input);
	tokens[RATE_IMAGE_INPUT] = take(&input, u->image_input);
	tokens[RATE_INPUT] = input;
	tokens[RATE_AUDIO_OUTPUT] = take(&output, u->audio_output);
	tokens[RATE_REASONING] = take(&output, u->reasoning);
	tokens[RATE_OUTPUT] = output;
	__int128 sum = 0;
	for (int i = 0; i < RATES; i++)
		sum += (__int128)tokens[i] * rates[i];
	sum = (sum + PER - 1) / PER + p->request;
	return sum > MONEY_MAX ? MONEY_MAX : (int64_t)sum;
}
