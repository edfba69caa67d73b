/*
 * json_run.c: how far plain ASCII text in a string goes: 32 or 16 bytes at a time.
 *
 * The instruction set is chosen once, at the first call.
 */
#include "wire/json_run.h"

#include <stdint.h>
#include <string.h>

static int plain(unsigned char c)
{
	return c >= 0x20 && c < 0x80 && c != '"' && c != '\\';
}

static const char *run_scalar(const char *p, const char *end)
{
	while (p < end && plain((unsigned char)*p))
		p++;
	return p;
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static const char *run_avx2(const char *p, const char *end)
{
	const __m256i quote = _mm256_set1_epi8('"'), slash = _mm256_set1_epi8('\\'), space = _mm256_set1_epi8(0x20);
	for (; end - p >= 32; p += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(const void *)p);
		/* Signed: control bytes and all above 0x7F are less than a space. */
		__m256i stop = _mm256_or_si256(_mm256_cmpgt_epi8(space, v),
			_mm256_or_si256(_mm256_cmpeq_epi8(v, quote), _mm256_cmpeq_epi8(v, slash)));
		unsigned mask = (unsigned)_mm256_movemask_epi8(stop);
		if (mask)
			return p + __builtin_ctz(mask);
	}
	return run_scalar(p, end);
}

static const char *run_sse2(const char *p, const char *end)
{
	const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), space = _mm_set1_epi8(0x20);
	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i stop = _mm_or_si128(_mm_cmplt_epi8(v, space),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(stop);
		if (mask)
			return p + __builtin_ctz(mask);
	}
	return run_scalar(p, end);
}

const char *json_run(const char *p, const char *end)
{
	static int avx2 = -1;	/* both values a race could write are the same */
	int have = __atomic_load_n(&avx2, __ATOMIC_RELAXED);
	if (have < 0) {
		have = __builtin_cpu_supports("avx2") != 0;
		__atomic_store_n(&avx2, have, __ATOMIC_RELAXED);
	}
	return have ? run_avx2(p, end) : run_sse2(p, end);
}
#else
const char *json_run(const char *p, const char *end)
{
	return run_scalar(p, end);
}
#endif
