/*
 * code_signs.c: what stands in code and hardly ever in prose.
 */
#include "core/code_signs.h"

bool has_code_signs(struct str body)
{
	static const struct str signs[] = { STR_INIT("```"), STR_INIT("#include <"), STR_INIT("#include \\\""), STR_INIT("def __init__("),
					    STR_INIT("public static void "), STR_INIT("</div>"), STR_INIT("import numpy") };
	for (size_t i = 0; i < array_len(signs); i++)
		if (str_has(body, signs[i]))
			return true;
	return false;
}
