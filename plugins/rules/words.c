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
	if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
		return c + 32;
	if (c >= 0x400 && c <= 0x40f)
		return c + 80;
	if ((c >= 0x100 && c <= 0x137) || (c >= 0x14a && c <= 0x177))
		return c | 1;
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
		uint32_t c = character(text, &next);
		bool alone = is_alone(c), letter = alone || is_letter(c);
		if (inside && (!letter || alone))
			break;
		if (letter && !inside)
			began = i;
		if (letter)
			h = (h ^ fold(c)) * UINT64_C(1099511628211);
		inside = letter;
		i = next;
		if (alone)
			break;
	}
	*at = i;
	if (from)
		*from = began;
	return inside ? h | 1 : 0;
}
