/*
 * redis_wire.h: Redis' way of writing a command: how many arguments, then each with its length.
 */
#ifndef WEIR_STORE_REDIS_WIRE_H
#define WEIR_STORE_REDIS_WIRE_H

#include "base/str.h"

/* Bytes that an argument needs beside its own, at most: "$", 20 digits, two line ends. */
enum { WIRE_AROUND = 25 };

static inline char *wire_put(char *to, struct str s)
{
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	return to + s.n;
}

static inline char *wire_count(char *to, char mark, size_t n)
{
	char digits[20];
	size_t at = sizeof(digits);
	do
		digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	*to++ = mark;
	to = wire_put(to, str_of(digits + at, sizeof(digits) - at));
	return wire_put(to, STR("\r\n"));
}

static inline char *wire_arg(char *to, struct str s)
{
	return wire_put(wire_put(wire_count(to, '$', s.n), s), STR("\r\n"));
}

/* Room for a whole command, and the command in it; returns its end. */
static inline size_t wire_size(unsigned argc, const struct str *argv)
{
	size_t size = WIRE_AROUND;
	for (unsigned i = 0; i < argc; i++)
		size += WIRE_AROUND + argv[i].n;
	return size;
}

static inline char *wire_command(char *to, unsigned argc, const struct str *argv)
{
	to = wire_count(to, '*', argc);
	for (unsigned i = 0; i < argc; i++)
		to = wire_arg(to, argv[i]);
	return to;
}

#endif
