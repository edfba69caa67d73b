/*
 * multipart.c: single fields out of a multipart/form-data body, in place.
 */
#include "api/multipart.h"

struct str multipart_boundary(struct str content_type)
{
	struct str rest = content_type, part;
	str_split(&rest, ';', &part);
	while (str_split(&rest, ';', &part)) {
		part = str_trim(part);
		if (!str_istarts(part, STR("boundary=")))
			continue;
		part = str_skip(part, 9);
		if (part.n >= 2 && part.p[0] == '"' && part.p[part.n - 1] == '"')
			part = str_of(part.p + 1, part.n - 2);
		return part.n <= 70 ? part : STR_NONE;
	}
	return STR_NONE;
}

/* Is this part's head that of the field `name`, and not a file? */
static bool head_names(struct str head, struct str name)
{
	struct str line;
	while (str_split(&head, '\n', &line)) {
		if (!str_istarts(line, STR("content-disposition:")))
			continue;
		struct str rest = line, part;
		bool named = false;
		while (str_split(&rest, ';', &part)) {
			part = str_trim(part);
			if (part.n && part.p[part.n - 1] == '\r')
				part.n--;
			if (str_istarts(part, STR("filename")))
				return false;
			if (str_starts(part, STR("name=\"")) && part.n == name.n + 7 && str_starts(str_skip(part, 6), name))
				named = true;
			if (str_starts(part, STR("name=")) && str_eq(str_skip(part, 5), name))
				named = true;
		}
		return named;
	}
	return false;
}

/* Moves `*rest` behind the next delimiter line; false at the end. */
static bool next_part(struct str *rest, struct str boundary)
{
	for (;;) {
		ptrdiff_t at = str_find(*rest, boundary);
		if (at < 2)
			return false;
		bool delimiter = rest->p[at - 1] == '-' && rest->p[at - 2] == '-';
		*rest = str_skip(*rest, (size_t)at + boundary.n);
		if (!delimiter)
			continue;
		if (!str_starts(*rest, STR("\r\n")))
			return false;
		*rest = str_skip(*rest, 2);
		return true;
	}
}

static struct str value_until(struct str rest, struct str boundary)
{
	struct str from = rest;
	size_t at = 0;
	for (;;) {
		ptrdiff_t hit = str_find(str_skip(from, at), boundary);
		if (hit < 0)
			return STR_NONE;
		at += (size_t)hit;
		if (at >= 4 && memcmp(from.p + at - 4, "\r\n--", 4) == 0)
			return str_head(from, at - 4);
		at += boundary.n;
	}
}

struct str multipart_field(struct str body, struct str boundary, struct str name)
{
	struct str rest = body;
	if (str_empty(boundary))
		return STR_NONE;
	for (unsigned i = 0; i < MULTIPART_PARTS_MAX && next_part(&rest, boundary); i++) {
		ptrdiff_t end = str_find(rest, STR("\r\n\r\n"));
		if (end < 0)
			return STR_NONE;
		struct str head = str_head(rest, (size_t)end + 2);
		rest = str_skip(rest, (size_t)end + 4);
		if (head_names(head, name))
			return value_until(rest, boundary);
	}
	return STR_NONE;
}
