/*
 * words.c: where words begin and end, and when two are the same.
 */
#include "rules/text.h"

/* One character of UTF-8; a broken one is taken byte by byte, as U+FFFD. */
static uint32_t character(struct weir_text t, size_t *at)
{
	unsigned char c = (unsigned char)t.p[(*at)++];
	unsigned more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc2 ? 1 : 0;
	uint32_t v = more == 3 ? c & 7 : more == 2 ? c & 15 : more == 1 ? c & 31 : c;
	if (c < 0x80)
		return c;
	if (!more || *at + more > t.n)
		return 0xfffd;
	for (unsigned i = 0; i < more; i++) {
		unsigned char d = (unsigned char)t.p[*at + i];
		if ((d & 0xc0) != 0x80)
			return 0xfffd;
		v = v << 6 | (d & 0x3f);
	}
	*at += more;
	return v;
}

static uint32_t fold(uint32_t c)
{
	static const uint16_t odd[][2] = {
		{ 0x178, 0xff }, { 0x386, 0x3ac }, { 0x388, 0x3ad }, { 0x389, 0x3ae }, { 0x38a, 0x3af }, { 0x38c, 0x3cc },
		{ 0x38e, 0x3cd }, { 0x38f, 0x3ce }, { 0x3aa, 0x3ca }, { 0x3ab, 0x3cb }, { 0x3c2, 0x3c3 }, { 0x1e9e, 0xdf },
	};
	if (c < 0x80)
		return c >= 'A' && c <= 'Z' ? c + 32 : c;
	if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177) || (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f))
		return c | 1;
	if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
		return c + (c & 1);
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
		if (c == odd[i][0])
			return odd[i][1];
	return c;
}

/* Written without spaces: each character stands for itself. */
static bool is_alone(uint32_t c)
{
	return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) || (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
	       (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_letter(uint32_t c)
{
	if (c < 0x80)
		return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	return c >= 0xc0 && c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c <= 0x2bff) && !(c >= 0x3000 && c <= 0x303f) &&
	       !(c >= 0xff00 && c <= 0xff0f) && !(c >= 0xff1a && c <= 0xff20) && c != 0xfffd && !(c >= 0x1f000 && c <= 0x1faff);
}

/* Of ASCII: a letter or digit without regard to case, or 0. */
static inline uint32_t ascii_letter(unsigned char c)
{
	unsigned char low = c | 0x20;
	return (unsigned char)(low - 'a') < 26 ? low : (unsigned char)(c - '0') < 10 ? c : 0;
}

/* As next_letter(); most of most texts is ASCII. */
static inline uint32_t letter_of(struct weir_text text, size_t *at, bool *alone)
{
	unsigned char c = (unsigned char)text.p[*at];
	if (c >= 0x80)
		return next_letter(text, at, alone);
	(*at)++;
	*alone = false;
	return ascii_letter(c);
}

uint32_t next_letter(struct weir_text text, size_t *at, bool *alone)
{
	uint32_t c = character(text, at);
	*alone = is_alone(c);
	return *alone || is_letter(c) ? fold(c) : 0;
}

uint64_t next_word(struct weir_text text, size_t *at, size_t *from)
{
	uint64_t h = UINT64_C(14695981039346656037);
	size_t began = 0, i = *at;
	bool inside = false;
	while (i < text.n) {
		size_t next = i;
		bool alone;
		uint32_t letter = letter_of(text, &next, &alone);
		if (inside && (!letter || alone))
			break;
		if (letter && !inside)
			began = i;
		if (letter)
			h = (h ^ letter) * UINT64_C(1099511628211);
		inside = letter > 0;
		i = next;
		if (alone)
			break;
	}
	*at = i;
	if (from)
		*from = began;
	return inside ? h | 1 : 0;
}

/* --- texts without regard to case --- */

uint32_t folded_character(struct weir_text text, size_t *at)
{
	return fold(character(text, at));
}

/* How much of the text is the other one; SIZE_MAX: it does not begin with it. */
static size_t begins(struct weir_text text, size_t at, struct weir_text with)
{
	for (size_t i = 0; i < with.n;)
		if (at >= text.n || folded_character(text, &at) != folded_character(with, &i))
			return SIZE_MAX;
	return at;
}

bool text_same(struct weir_text a, struct weir_text b)
{
	return begins(a, 0, b) == a.n;
}

bool text_begins(struct weir_text text, struct weir_text with)
{
	return begins(text, 0, with) != SIZE_MAX;
}

static bool letter_at(struct weir_text text, size_t at)
{
	return at < text.n && is_letter(character(text, &at));
}

bool text_has_word(struct weir_text text, struct weir_text word)
{
	bool before = false;
	size_t at = 0;
	uint32_t first = word.n ? folded_character(word, &at) : 0;
	for (size_t i = 0; word.n && i < text.n;) {
		unsigned char c = (unsigned char)text.p[i];
		if (c < 0x80 && fold(c) != first) {	/* it cannot begin here */
			before = ascii_letter(c) > 0;
			i++;
			continue;
		}
		size_t end = before ? SIZE_MAX : begins(text, i, word);
		if (end != SIZE_MAX && !letter_at(text, end))
			return true;
		before = is_letter(character(text, &i));
	}
	return false;
}
