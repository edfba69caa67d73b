/*
 * check.c: is it what it looks like? Card numbers by Luhn's sum (ISO/IEC 7812-1), account numbers by
 * their country's length and remainder (ISO 13616, registry of 2024), national numbers by their own.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <string.h>

#include "redact/redact.h"

enum { DIGITS_MAX = 40 };

/* Letters and digits without what stands between them; how many. */
static size_t pick(const char *p, size_t n, char *out)
{
	size_t k = 0;
	for (size_t i = 0; i < n && k < DIGITS_MAX; i++)
		if (isalnum((unsigned char)p[i]))
			out[k++] = p[i];
	return k;
}

static bool luhn(const char *digits, size_t n)
{
	unsigned sum = 0;
	for (size_t i = 0; i < n; i++) {
		unsigned d = (unsigned)(digits[n - 1 - i] - '0') << (i & 1);
		sum += d > 9 ? d - 9 : d;
	}
	return sum % 10 == 0;
}

size_t check_card(const char *p, size_t n)
{
	char digits[DIGITS_MAX];
	size_t k = pick(p, n, digits);
	return k >= 13 && k <= 19 && digits[0] >= '2' && digits[0] <= '6' && luhn(digits, k) ? n : 0;
}

/* --- account numbers --- */

static unsigned iban_length(const char *country)
{
	static const char lengths[] =
		"AD24AE23AL28AT20AZ28BA20BE16BG22BH22BR29BY28CH21CR22CY28CZ24DE22DK18DO28EE20EG29ES24FI18FO18FR27GB22GE22GI23GL18"
		"GR27GT28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21LY25MC27MD24ME22MK19MR27MT31MU30NL18NO15"
		"PK24PL28PS29PT25QA29RO24RS22SA24SC31SD18SE24SI19SK24SM27ST25SV28TL23TN24TR26UA29VA22VG24XK20";
	for (const char *c = lengths; *c; c += 4)
		if (memcmp(c, country, 2) == 0)
			return (unsigned)(c[2] - '0') * 10 + (unsigned)(c[3] - '0');
	return 0;
}

static bool remainder_is_one(const char *iban, size_t n)
{
	unsigned rest = 0;
	for (size_t i = 0; i < n; i++) {
		char c = iban[(i + 4) % n];
		unsigned v = isdigit((unsigned char)c) ? (unsigned)(c - '0') : (unsigned)(c - 'A') + 10;
		rest = (rest * (v > 9 ? 100 : 10) + v) % 97;
	}
	return rest == 1;
}

/* The pattern is greedy: a word in capitals behind the number may be taken for a part of it. */
size_t check_iban(const char *p, size_t n)
{
	char iban[DIGITS_MAX];
	unsigned want = iban_length(p), k = 0;
	size_t i = 0;
	for (; i < n && k < want; i++)
		if (isalnum((unsigned char)p[i]))
			iban[k++] = p[i];
	bool ends = i == n || !isalnum((unsigned char)p[i]);
	return want && k == want && ends && remainder_is_one(iban, k) ? i : 0;
}

/* --- addresses --- */

size_t check_ip(const char *p, size_t n)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char address[16];
	if (n < 3 || n >= sizeof(text))
		return 0;
	memcpy(text, p, n);
	text[n] = 0;
	if (!memchr(p, ':', n))
		return n;
	return inet_pton(AF_INET6, text, address) == 1 ? n : 0;
}

size_t check_phone(const char *p, size_t n)
{
	size_t digits = 0;
	for (size_t i = 0; i < n; i++)
		digits += isdigit((unsigned char)p[i]) != 0;
	return digits >= 7 && digits <= 15 ? n : 0;
}

/* --- national numbers --- */

/* China: 17 digits with weights, and a check character (GB 11643). */
static bool is_chinese(const char *p)
{
	static const unsigned char weights[17] = { 7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2 };
	unsigned sum = 0;
	for (unsigned i = 0; i < 17; i++)
		sum += weights[i] * (unsigned)(p[i] - '0');
	return "10X98765432"[sum % 11] == toupper((unsigned char)p[17]);
}

/* Brazil: two check digits. */
static bool is_brazilian(const char *d)
{
	for (unsigned len = 9; len < 11; len++) {
		unsigned sum = 0;
		for (unsigned i = 0; i < len; i++)
			sum += (unsigned)(d[i] - '0') * (len + 1 - i);
		if (sum * 10 % 11 % 10 != (unsigned)(d[len] - '0'))
			return false;
	}
	return true;
}

/* Spain: the number's remainder is a letter. */
static bool is_spanish(const char *p)
{
	unsigned long v = 0;
	for (unsigned i = 0; i < 8; i++)
		v = v * 10 + (unsigned)(p[i] - '0');
	return "TRWAGMYFPDXBNJZSQVHLCKE"[v % 23] == p[8];
}

size_t check_id(const char *p, size_t n)
{
	char c[DIGITS_MAX];
	size_t k = pick(p, n, c);
	if (k == 18)
		return is_chinese(c) ? n : 0;
	if (k == 11 && p[3] == '.')
		return is_brazilian(c) ? n : 0;
	if (k == 9 && isalpha((unsigned char)c[8]) && isdigit((unsigned char)c[0]))
		return is_spanish(c) ? n : 0;
	return n;	/* the pattern is all there is: United States, United Kingdom, Italy */
}
