/*
 * json_run.c: how far valid text in a string goes, 32 bytes at a time where the machine can.
 *
 * UTF-8 is checked by looking three nibbles up at once (Keiser and Lemire, "Validating UTF-8
 * in less than one instruction per byte", 2021). A block that holds an error is gone over
 * again byte by byte, which finds its place. The instruction set is chosen once.
 */
#include "wire/json_run.h"

#include <stdint.h>
#include <string.h>

int json_utf8(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	int n = u[0] < 0x80 ? 1 : u[0] < 0xC2 ? 0 : u[0] < 0xE0 ? 2 : u[0] < 0xF0 ? 3 : u[0] < 0xF5 ? 4 : 0;
	if (n < 2)
		return n;
	if (end - p >= 2) {
		unsigned char low = u[0] == 0xE0 ? 0xA0 : u[0] == 0xF0 ? 0x90 : 0x80;
		unsigned char high = u[0] == 0xED ? 0x9F : u[0] == 0xF4 ? 0x8F : 0xBF;
		if (u[1] < low || u[1] > high)
			return 0;
	}
	for (int i = 2; i < n && i < end - p; i++)
		if ((u[i] & 0xC0) != 0x80)
			return 0;
	return end - p < n ? -1 : n;
}

static const char *run_scalar(const char *p, const char *end)
{
	while (p < end) {
		unsigned char c = (unsigned char)*p;
		if (c < 0x20 || c == '"' || c == '\\')
			return p;
		if (c < 0x80) {
			p++;
			continue;
		}
		int n = json_utf8(p, end);
		if (n <= 0)
			return p;
		p += n;
	}
	return p;
}

#if defined(__x86_64__)
#include <immintrin.h>

enum {
	TOO_SHORT = 1 << 0, TOO_LONG = 1 << 1, OVERLONG_3 = 1 << 2, TOO_LARGE = 1 << 3, SURROGATE = 1 << 4,
	OVERLONG_2 = 1 << 5, TOO_LARGE_1000 = 1 << 6, OVERLONG_4 = 1 << 6, TWO_CONTS = 1 << 7,
	CARRY = TOO_SHORT | TOO_LONG | TWO_CONTS,
};

#define LARGE (CARRY | TOO_LARGE | TOO_LARGE_1000)
#define CONT (TOO_LONG | OVERLONG_2 | TWO_CONTS)

/* What is wrong, by the first byte's high nibble, its low nibble, and the second byte's high nibble. */
static const uint8_t by_first_high[16] = {
	TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG, TOO_LONG,
	TWO_CONTS, TWO_CONTS, TWO_CONTS, TWO_CONTS,
	TOO_SHORT | OVERLONG_2, TOO_SHORT, TOO_SHORT | OVERLONG_3 | SURROGATE,
	TOO_SHORT | TOO_LARGE | TOO_LARGE_1000 | OVERLONG_4,
};
static const uint8_t by_first_low[16] = {
	CARRY | OVERLONG_3 | OVERLONG_2 | OVERLONG_4, CARRY | OVERLONG_2, CARRY, CARRY, CARRY | TOO_LARGE,
	LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE, LARGE | SURROGATE, LARGE, LARGE,
};
static const uint8_t by_second_high[16] = {
	TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
	CONT | OVERLONG_3 | TOO_LARGE_1000 | OVERLONG_4, CONT | OVERLONG_3 | TOO_LARGE,
	CONT | SURROGATE | TOO_LARGE, CONT | SURROGATE | TOO_LARGE,
	TOO_SHORT, TOO_SHORT, TOO_SHORT, TOO_SHORT,
};

#define AVX2 __attribute__((target("avx2"), always_inline)) static inline

AVX2 __m256i table(const uint8_t *t)
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)t));
}

/* The bytes of `v`, each replaced by the one `n` places before it. */
#define SHIFTED(v, before, n) _mm256_alignr_epi8(v, _mm256_permute2x128_si256(before, v, 0x21), 16 - (n))

AVX2 __m256i utf8_errors(__m256i v, __m256i before)
{
	const __m256i nibble = _mm256_set1_epi8(0x0F);
	__m256i prev1 = SHIFTED(v, before, 1), prev2 = SHIFTED(v, before, 2), prev3 = SHIFTED(v, before, 3);
	__m256i a = _mm256_shuffle_epi8(table(by_first_high), _mm256_and_si256(_mm256_srli_epi16(prev1, 4), nibble));
	__m256i b = _mm256_shuffle_epi8(table(by_first_low), _mm256_and_si256(prev1, nibble));
	__m256i c = _mm256_shuffle_epi8(table(by_second_high), _mm256_and_si256(_mm256_srli_epi16(v, 4), nibble));
	__m256i special = _mm256_and_si256(_mm256_and_si256(a, b), c);
	__m256i third = _mm256_subs_epu8(prev2, _mm256_set1_epi8((char)(0xE0 - 0x80)));
	__m256i fourth = _mm256_subs_epu8(prev3, _mm256_set1_epi8((char)(0xF0 - 0x80)));
	__m256i must = _mm256_and_si256(_mm256_or_si256(third, fourth), _mm256_set1_epi8((char)0x80));
	return _mm256_xor_si256(must, special);
}

/* The beginning of the last character before p, if it may be unfinished there. */
static const char *back_up(const char *from, const char *p)
{
	for (int i = 1; i <= 3 && p - i >= from; i++)
		if ((unsigned char)p[-i] >= 0xC0)
			return p - i;
	return p;
}

__attribute__((target("avx2"))) static const char *run_avx2(const char *from, const char *end)
{
	const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\');
	const __m256i high3 = _mm256_set1_epi8((char)0xE0), zero = _mm256_setzero_si256();
	__m256i before = zero;
	const char *p = from;
	unsigned open = 0;	/* the block before had bytes beyond ASCII */
	for (; end - p >= 32; p += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
		__m256i control = _mm256_cmpeq_epi8(_mm256_and_si256(v, high3), zero);
		__m256i stop = _mm256_or_si256(control, _mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash)));
		unsigned mask = (unsigned)_mm256_movemask_epi8(stop), high = (unsigned)_mm256_movemask_epi8(v);
		unsigned first = mask ? (unsigned)__builtin_ctz(mask) : 32;
		unsigned wanted = first < 32 ? (1u << first) - 1 : ~0u;
		if ((high & wanted) | open) {
			unsigned bad = ~(unsigned)_mm256_movemask_epi8(_mm256_cmpeq_epi8(utf8_errors(v, before), zero));
			/* The byte that stops must find no character open, so it is looked at, too. */
			if (bad & (first < 32 ? wanted | 1u << first : ~0u))
				return run_scalar(back_up(from, p), end);
		}
		if (first < 32)
			return p + first;
		open = high;
		before = v;
	}
	return run_scalar(open ? back_up(from, p) : p, end);
}

const char *json_run(const char *p, const char *end)
{
	static int avx2 = -1;	/* both values a race could write are the same */
	if (end - p < 32)
		return run_scalar(p, end);
	int have = __atomic_load_n(&avx2, __ATOMIC_RELAXED);
	if (have < 0) {
		have = __builtin_cpu_supports("avx2") != 0;
		__atomic_store_n(&avx2, have, __ATOMIC_RELAXED);
	}
	return have ? run_avx2(p, end) : run_scalar(p, end);
}
#else
const char *json_run(const char *p, const char *end)
{
	return run_scalar(p, end);
}
#endif
