/*
 * money.c: nano-dollars in and out of text, without floating point.
 */
#include "core/money.h"

#include <math.h>
#include <stdlib.h>

enum { DECIMALS = 9 };

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool money_parse(struct str s, int64_t *nano)
{
	int64_t value = 0;
	int decimals = -1;
	bool any = false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '.' && decimals < 0) {
			decimals = 0;
			continue;
		}
		if (!digit(s.p[i]) || (decimals == DECIMALS && s.p[i] != '0'))
			return false;
		any = true;
		if (decimals == DECIMALS)
			continue;
		if (value > MONEY_MAX / 10)
			return false;
		value = value * 10 + (s.p[i] - '0');
		decimals += decimals >= 0;
	}
	for (int i = decimals < 0 ? 0 : decimals; i < DECIMALS; i++) {
		if (value > MONEY_MAX / 10)
			return false;
		value *= 10;
	}
	*nano = value;
	return any && value <= MONEY_MAX;
}

bool money_parse_json(struct str s, int64_t *nano)
{
	char text[MONEY_SIZE * 2], *end;
	if (s.n == 0 || s.n >= sizeof(text) || !digit(s.p[0]))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	double value = strtod(text, &end) * (double)NANO;
	if (end != text + s.n || !(value >= 0) || value > (double)MONEY_MAX)
		return false;
	*nano = (int64_t)ceil(value - 1e-6);	/* 0.000204360 must not become 204361 for its binary neighbour */
	return true;
}

struct str money_format(char to[MONEY_SIZE], int64_t nano)
{
	char *end = to + MONEY_SIZE, *p = end;
	uint64_t n = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
	bool shown = false;
	for (int i = 0; i < DECIMALS; i++, n /= 10) {
		shown |= n % 10 != 0;
		if (shown)
			*--p = (char)('0' + n % 10);
	}
	if (shown)
		*--p = '.';
	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	if (nano < 0)
		*--p = '-';
	return str_of(p, (size_t)(end - p));
}
