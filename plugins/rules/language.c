/*
 * language.c: scripts that one language is written in tell it at once; the others are told by words that are in
 * most sentences, each the less the more languages have it, and by letters that few of them have.
 */
#include "rules/language.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "rules/language_words.h"
#include "rules/text.h"

enum { LOOKED_AT = 2048, TABLE = 8192, WORD_WORTH = 60, LETTER_WORTH = 40, LEAST = 30 };

enum { LANGUAGES = sizeof(languages) / sizeof(languages[0]) };

struct entry {
	uint64_t hash;		/* 0: free; of a letter its code point */
	uint32_t who;		/* a bit for each language */
};

struct languages {
	struct entry words[TABLE];
};

/* --- names --- */

int language_find(struct weir_text code)
{
	for (int i = 0; i < LANGUAGES; i++)
		if (code.n == strlen(languages[i].code) && memcmp(code.p, languages[i].code, code.n) == 0)
			return i;
	return -1;
}

const char *language_code(int language)
{
	return languages[language].code;
}

const char *language_codes(void)
{
	return "ar bg cs da de el en es fa fi fr he hi hu id it ja ko nl no pl pt ro ru sk sv th tr uk vi zh";
}

/* --- the table --- */

static struct entry *slot(const struct languages *l, uint64_t hash)
{
	size_t i = (size_t)(hash * UINT64_C(0xff51afd7ed558ccd) >> 40) & (TABLE - 1);
	while (l->words[i].hash && l->words[i].hash != hash)
		i = (i + 1) & (TABLE - 1);
	return (struct entry *)(uintptr_t)&l->words[i];
}

static void add(struct languages *l, uint64_t hash, int language)
{
	struct entry *e = slot(l, hash);
	e->hash = hash;
	e->who |= UINT32_C(1) << language;
}

static uint64_t as_letter(uint32_t c)
{
	return ~(uint64_t)c;	/* no word's hash */
}

struct languages *languages_new(void)
{
	struct languages *l = calloc(1, sizeof(*l));
	uint64_t word;
	for (int i = 0; l && i < LANGUAGES; i++) {
		struct weir_text words = { languages[i].words, strlen(languages[i].words) };
		struct weir_text letters = { languages[i].letters, strlen(languages[i].letters) };
		for (size_t at = 0; (word = next_word(words, &at, NULL));)
			add(l, word, i);
		for (size_t at = 0; at < letters.n;)
			add(l, as_letter(folded_character(letters, &at)), i);
	}
	return l;
}

void languages_free(struct languages *l)
{
	free(l);
}

/* --- a guess --- */

static enum script script_of(uint32_t c)
{
	static const struct { uint32_t from, to; enum script script; } ranges[] = {
		{ 'a', 'z', LATIN }, { 0xc0, 0x24f, LATIN }, { 0x370, 0x3ff, GREEK }, { 0x400, 0x52f, CYRILLIC }, { 0x590, 0x5ff, HEBREW },
		{ 0x600, 0x6ff, ARABIC }, { 0x750, 0x77f, ARABIC }, { 0x900, 0x97f, DEVANAGARI }, { 0xe00, 0xe7f, THAI }, { 0x1100, 0x11ff, HANGUL },
		{ 0x1e00, 0x1eff, LATIN }, { 0x1f00, 0x1fff, GREEK }, { 0x3040, 0x30ff, KANA }, { 0x3400, 0x9fff, HAN }, { 0xac00, 0xd7a3, HANGUL },
	};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (c >= ranges[i].from && c <= ranges[i].to)
			return ranges[i].script;
	return SCRIPTS;
}

/* Names and terms in Latin letters stand in texts of every script, Chinese characters in Japanese and Korean ones. */
static enum script main_script(const unsigned counts[SCRIPTS])
{
	static const unsigned weights[SCRIPTS] = { [LATIN] = 1, [CYRILLIC] = 2, [GREEK] = 2, [HAN] = 3, [KANA] = 20, [HANGUL] = 6, [ARABIC] = 2,
						   [HEBREW] = 2, [THAI] = 2, [DEVANAGARI] = 2 };
	enum script best = LATIN;
	for (unsigned s = 0; s < SCRIPTS; s++)
		if (counts[s] * weights[s] > counts[best] * weights[best])
			best = (enum script)s;
	return best;
}

/* What few have tells much. */
static void score(const struct languages *l, uint64_t hash, unsigned worth, unsigned scores[LANGUAGES])
{
	uint32_t who = slot(l, hash)->who;
	unsigned shared = (unsigned)__builtin_popcount(who);
	for (int i = 0; who && i < LANGUAGES; i++)
		if (who >> i & 1)
			scores[i] += worth / (shared * shared) + worth / (4 * shared);
}

static void read(const struct languages *l, struct weir_text text, unsigned counts[SCRIPTS], unsigned scores[LANGUAGES])
{
	uint64_t word;
	for (size_t at = 0; at < text.n;) {
		uint32_t c = folded_character(text, &at);
		enum script s = script_of(c);
		if (s < SCRIPTS)
			counts[s]++;
		if (c >= 0x80)
			score(l, as_letter(c), LETTER_WORTH, scores);
	}
	for (size_t at = 0; (word = next_word(text, &at, NULL));)
		score(l, word, WORD_WORTH, scores);
}

/* One that stands clear of the second; where a script has one language alone, that. */
static int best_of(enum script script, const unsigned scores[LANGUAGES])
{
	int best = -1, first = -1, n = 0;
	unsigned second = 0;
	for (int i = 0; i < LANGUAGES; i++) {
		if (languages[i].script != script)
			continue;
		first = first < 0 ? i : first;
		n++;
		if (best < 0 || scores[i] > scores[best]) {
			second = best < 0 ? 0 : scores[best];
			best = i;
		} else if (scores[i] > second) {
			second = scores[i];
		}
	}
	if (n == 1 || (script == ARABIC && scores[best] == 0))
		return first;
	return scores[best] >= LEAST && scores[best] * 20 >= second * 21 ? best : -1;
}

int language_guess(const struct languages *l, struct weir_text text)
{
	unsigned counts[SCRIPTS] = { 0 }, scores[LANGUAGES] = { 0 };
	if (text.n > LOOKED_AT)
		text.n = LOOKED_AT;
	read(l, text, counts, scores);
	enum script script = main_script(counts);
	return counts[script] ? best_of(script, scores) : -1;
}
