/*
 * units.c: "how many kilometres are 10 miles?". Names with two meanings (ton, mb) are not known, data sizes are decimal
 * as SI has them (IEC's, KiB and on, by 1024); gallons, pints and the like are those of the US, and the unit says so.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/calculate.h"

enum measure { LENGTH, MASS, TEMPERATURE, VOLUME, SPEED, DATA, TIME, AREA };

/* base = value * factor + offset. Names are separated by `|`; those behind `=` mind case. */
static const struct unit {
	enum measure measure;
	const char *plural, *names;
	long double factor, offset;
} units[] = {
	{ LENGTH, "metres", "metre|metres|meter|meters|=m", 1, 0 },
	{ LENGTH, "kilometres", "kilometre|kilometres|kilometer|kilometers|=km|=Km|=KM", 1000, 0 },
	{ LENGTH, "centimetres", "centimetre|centimetres|centimeter|centimeters|cm", 0.01L, 0 },
	{ LENGTH, "millimetres", "millimetre|millimetres|millimeter|millimeters|mm", 0.001L, 0 },
	{ LENGTH, "miles", "mile|miles|mi", 1609.344L, 0 },
	{ LENGTH, "nautical miles", "nautical mile|nautical miles|nmi", 1852, 0 },
	{ LENGTH, "yards", "yard|yards|yd", 0.9144L, 0 },
	{ LENGTH, "feet", "foot|feet|ft", 0.3048L, 0 },
	{ LENGTH, "inches", "inch|inches", 0.0254L, 0 },
	{ MASS, "kilograms", "kilogram|kilograms|kilogramme|kilogrammes|kilo|kilos|kg|kgs", 1, 0 },
	{ MASS, "grams", "gram|grams|gramme|grammes|=g", 0.001L, 0 },
	{ MASS, "milligrams", "milligram|milligrams|=mg", 0.000001L, 0 },
	{ MASS, "tonnes", "tonne|tonnes|metric ton|metric tons", 1000, 0 },
	{ MASS, "pounds", "pound|pounds|lb|lbs", 0.45359237L, 0 },
	{ MASS, "ounces", "ounce|ounces|oz", 0.028349523125L, 0 },
	{ MASS, "stone", "stone|stones", 6.35029318L, 0 },
	{ TEMPERATURE, "\xc2\xb0""C", "celsius|degrees celsius|degree celsius|centigrade|degrees centigrade|degrees c|\xc2\xb0""c|c", 1, 273.15L },
	{ TEMPERATURE, "\xc2\xb0""F", "fahrenheit|degrees fahrenheit|degree fahrenheit|degrees f|\xc2\xb0""f|f", 5.0L / 9, 273.15L - 160.0L / 9 },
	{ TEMPERATURE, "K", "kelvin|kelvins|=K", 1, 0 },
	{ VOLUME, "litres", "litre|litres|liter|liters|=l|=L", 1, 0 },
	{ VOLUME, "millilitres", "millilitre|millilitres|milliliter|milliliters|ml", 0.001L, 0 },
	{ VOLUME, "cubic metres", "cubic metre|cubic metres|cubic meter|cubic meters", 1000, 0 },
	{ VOLUME, "US gallons", "us gallon|us gallons|gallon|gallons", 3.785411784L, 0 },
	{ VOLUME, "imperial gallons", "imperial gallon|imperial gallons|uk gallon|uk gallons", 4.54609L, 0 },
	{ VOLUME, "US quarts", "us quart|us quarts|quart|quarts", 0.946352946L, 0 },
	{ VOLUME, "US pints", "us pint|us pints|pint|pints", 0.473176473L, 0 },
	{ VOLUME, "US cups", "us cup|us cups|cup|cups", 0.2365882365L, 0 },
	{ VOLUME, "US fluid ounces", "us fluid ounce|us fluid ounces|fluid ounce|fluid ounces|fl oz", 0.0295735295625L, 0 },
	{ VOLUME, "US tablespoons", "tablespoon|tablespoons|tbsp", 0.01478676478125L, 0 },
	{ VOLUME, "US teaspoons", "teaspoon|teaspoons|tsp", 0.00492892159375L, 0 },
	{ SPEED, "metres per second", "metres per second|meters per second|m/s", 1, 0 },
	{ SPEED, "kilometres per hour", "kilometres per hour|kilometers per hour|km/h|kmh|kph", 1 / 3.6L, 0 },
	{ SPEED, "miles per hour", "miles per hour|mph", 0.44704L, 0 },
	{ SPEED, "knots", "knot|knots", 1852 / 3600.0L, 0 },
	{ DATA, "bits", "bit|bits", 0.125L, 0 }, { DATA, "bytes", "byte|bytes", 1, 0 },
	{ DATA, "kilobits", "kilobit|kilobits", 125, 0 }, { DATA, "megabits", "megabit|megabits|=Mbit", 125e3L, 0 },
	{ DATA, "gigabits", "gigabit|gigabits|=Gbit", 125e6L, 0 },
	{ DATA, "kilobytes", "kilobyte|kilobytes|=kB|=KB", 1e3L, 0 }, { DATA, "megabytes", "megabyte|megabytes|=MB", 1e6L, 0 },
	{ DATA, "gigabytes", "gigabyte|gigabytes|=GB", 1e9L, 0 }, { DATA, "terabytes", "terabyte|terabytes|=TB", 1e12L, 0 },
	{ DATA, "kibibytes", "kibibyte|kibibytes|=KiB", 1024, 0 }, { DATA, "mebibytes", "mebibyte|mebibytes|=MiB", 1048576, 0 },
	{ DATA, "gibibytes", "gibibyte|gibibytes|=GiB", 1073741824, 0 }, { DATA, "tebibytes", "tebibyte|tebibytes|=TiB", 1099511627776.0L, 0 },
	{ TIME, "seconds", "second|seconds|sec|secs", 1, 0 }, { TIME, "minutes", "minute|minutes|min|mins", 60, 0 },
	{ TIME, "hours", "hour|hours", 3600, 0 }, { TIME, "days", "day|days", 86400, 0 }, { TIME, "weeks", "week|weeks", 604800, 0 },
	{ AREA, "square metres", "square metre|square metres|square meter|square meters|m2|m\xc2\xb2", 1, 0 },
	{ AREA, "square feet", "square foot|square feet|sq ft", 0.09290304L, 0 },
	{ AREA, "square kilometres", "square kilometre|square kilometres|square kilometer|square kilometers|km2|km\xc2\xb2", 1e6L, 0 },
	{ AREA, "square miles", "square mile|square miles", 2589988.110336L, 0 },
	{ AREA, "hectares", "hectare|hectares|ha", 1e4L, 0 }, { AREA, "acres", "acre|acres", 4046.8564224L, 0 },
};

static void skip_spaces(struct weir_text *t)
{
	while (t->n && *t->p == ' ')
		t->p++, t->n--;
}

/* The length of the longest name of the unit that the text begins with as whole words. */
static size_t name_length(const struct unit *u, struct weir_text t)
{
	size_t best = 0;
	for (const char *name = u->names; *name;) {
		bool exact = *name == '=';
		name += exact;
		size_t n = strcspn(name, "|");
		if (n > best && n <= t.n && (exact ? strncmp : strncasecmp)(t.p, name, n) == 0 && (n == t.n || t.p[n] == ' '))
			best = n;
		name += n;
		name += *name == '|';
	}
	return best;
}

static const struct unit *take_unit(struct weir_text *t)
{
	const struct unit *found = NULL;
	size_t length = 0;
	skip_spaces(t);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t n = name_length(&units[i], *t);
		if (n > length)
			found = &units[i], length = n;
	}
	t->p += length;
	t->n -= length;
	return found;
}

static bool take_number(struct weir_text *t, long double *v)
{
	char digits[24];
	size_t n = 0;
	skip_spaces(t);
	if (take_words(t, "a") || take_words(t, "an") || take_words(t, "one")) {
		*v = 1;
		return true;
	}
	while (n < t->n && n < sizeof(digits) - 1 && ((t->p[n] >= '0' && t->p[n] <= '9') || t->p[n] == '.' || (n == 0 && t->p[n] == '-')))
		digits[n] = t->p[n], n++;
	digits[n] = 0;
	char *end;
	*v = strtold(digits, &end);
	t->p += n;
	t->n -= n;
	return n > 0 && !*end && end != digits && (t->n == 0 || *t->p != ',');
}

struct wish {
	const struct unit *from, *to;
	long double value;
	struct weir_text asked;
};

static bool take_quantity(struct weir_text *t, struct wish *w)
{
	skip_spaces(t);
	w->asked = *t;
	if (!take_number(t, &w->value) || !(w->from = take_unit(t)))
		return false;
	w->asked.n = (size_t)(t->p - w->asked.p);
	return true;
}

/* how many kilometres are there in 10 miles */
static bool read_how_many(struct weir_text t, struct wish *w)
{
	if (!take_words(&t, "how many") && !take_words(&t, "how much"))
		return false;
	if (!(w->to = take_unit(&t)))
		return false;
	bool is = take_words(&t, "are") || take_words(&t, "is");
	is |= take_words(&t, "there");
	is |= take_words(&t, "in");
	return is && take_quantity(&t, w) && t.n == 0;
}

/* [convert] 10 miles to kilometres */
static bool read_convert(struct weir_text t, struct wish *w)
{
	(void)(take_words(&t, "convert") || take_words(&t, "what is") || take_words(&t, "what's") || take_words(&t, "what are") ||
	       take_words(&t, "how much is") || take_words(&t, "how much are"));
	if (!take_quantity(&t, w))
		return false;
	if (!take_words(&t, "to") && !take_words(&t, "into") && !take_words(&t, "in") && !take_words(&t, "as"))
		return false;
	w->to = take_unit(&t);
	return w->to && t.n == 0;
}

bool convert(struct weir_text text, struct worked *out)
{
	struct wish w;
	if (text.n > 200)
		return false;
	take_courtesies(&text);
	drop_end(&text);
	if ((!read_how_many(text, &w) && !read_convert(text, &w)) || w.from->measure != w.to->measure || w.from == w.to)
		return false;
	long double base = w.value * w.from->factor + w.from->offset;
	if (base < 0)	/* colder than it gets, or a length below nothing */
		return false;
	if (!number_spell((base - w.to->offset) / w.to->factor, w.to->measure == TEMPERATURE ? 5 : 10, out->result))
		return false;
	out->asked = w.asked;
	out->unit = w.to->plural;
	return true;
}
