/*
 * command.c: what `weir rules` can do.
 */
#include "rules/command.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
	"usage: weir rules train --from DATA.csv --out MODEL [--held-out 0.2] [--bits 15]\n"
	"       weir rules test RULES.yaml\n";

int rules_command(const struct weir_host *weir, struct weir_setup *s, int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "train") == 0)
		return rules_train(weir, s, argc - 1, argv + 1);
	if (argc > 1 && strcmp(argv[1], "test") == 0)
		return rules_test(weir, s, argc - 1, argv + 1);
	bool asked = argc > 1 && strcmp(argv[1], "--help") == 0;
	fputs(usage, asked ? stdout : stderr);
	return asked ? 0 : 2;
}
