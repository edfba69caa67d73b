/*
 * cli_arguments.h: what stands behind a command's name: its options and words.
 *
 * All options stand in one table; a command takes those whose letters it lists, and says no to the
 * others, so that a mistyped command line is never taken for another one.
 */
#ifndef WEIR_CLI_ARGUMENTS_H
#define WEIR_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>

/* Texts are the process's own arguments; NULL where an option was not given. */
struct arguments {
	const char *config;
	const char *model;
	const char *url;
	const char *to, *by, *since;
	const char *team, *models, *usd, *expires;
	bool upstreams, json, csv;
	bool help;
	char **rest;		/* words that are no options */
	int n_rest;
};

/*
 * Reads `argv`, whose first is the command's name, for a command that takes the options of `letters` and at
 * most `words` words. False after one line on stderr that says what is wrong. Once a process: it uses getopt.
 */
bool arguments_read(const char *letters, int words, int argc, char **argv, struct arguments *to);

/* The options of `letters` with their meaning, a line each. */
void arguments_print(const char *letters, FILE *to);

#endif
