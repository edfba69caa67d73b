/*
 * cli.h: the commands of `weir`.
 */
#ifndef WEIR_CLI_H
#define WEIR_CLI_H

/* Exit status: 0 fine, 1 failed, 2 usage or configuration. */
int cli_main(int argc, char **argv);

#endif
