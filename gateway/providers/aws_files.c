/*
 * aws_files.c: line by line, keeping nothing.
 */
#include "providers/aws_files.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct str next_line(struct str *rest)
{
	struct str line = STR_NONE;
	str_split(rest, '\n', &line);
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

/* The name between the brackets, of config without its word `profile`; empty for what is no profile. */
static struct str section_name(struct str line, enum aws_file kind)
{
	ptrdiff_t end = str_chr(line, ']');
	struct str name = str_trim(str_of(line.p + 1, end < 0 ? 0 : (size_t)end - 1));
	if (kind == AWS_CONFIG && !str_eq(name, STR("default"))) {
		if (!str_starts(name, STR("profile")) || name.n < 8 || !is_blank(name.p[7]))
			return STR_NONE;
		name = str_trim(str_skip(name, 7));
	}
	if (name.n >= 2 && (name.p[0] == '"' || name.p[0] == '\'') && name.p[name.n - 1] == name.p[0])
		name = str_of(name.p + 1, name.n - 2);
	return name;
}

static struct str without_comment(struct str value)
{
	for (size_t i = 1; i < value.n; i++)
		if ((value.p[i] == '#' || value.p[i] == ';') && is_blank(value.p[i - 1]))
			return str_trim(str_head(value, i));
	return str_trim(value);
}

static struct str search(struct str text, enum aws_file kind, struct str profile, struct str key, bool *found)
{
	struct str value = STR_NONE;
	bool inside = false;
	*found = false;
	while (text.n) {
		struct str line = next_line(&text);
		if (line.n == 0 || line.p[0] == '#' || line.p[0] == ';' || is_blank(line.p[0]))
			continue;
		ptrdiff_t mark = str_chr(line, '=');
		if (line.p[0] == '[') {
			inside = str_eq(section_name(line, kind), profile);
			*found |= inside;
		} else if (inside && mark > 0 && str_ieq(str_trim(str_head(line, (size_t)mark)), key)) {
			value = without_comment(str_skip(line, (size_t)mark + 1));
		}
	}
	return value;
}

struct str aws_file_get(struct str text, enum aws_file kind, struct str profile, struct str key)
{
	bool found;
	return search(text, kind, profile, key, &found);
}

bool aws_file_has(struct str text, enum aws_file kind, struct str profile)
{
	bool found;
	search(text, kind, profile, STR("*"), &found);
	return found && profile.n;
}
