/*
 * command.h: `weir rules ...`.
 */
#ifndef RULES_COMMAND_H
#define RULES_COMMAND_H

#include "weir_plugin.h"

int rules_command(const struct weir_host *weir, struct weir_setup *s, int argc, char **argv);

/* train.c */
int rules_train(const struct weir_host *weir, struct weir_setup *s, int argc, char **argv);
/* rehearse.c */
int rules_test(const struct weir_host *weir, struct weir_setup *s, int argc, char **argv);

#endif
