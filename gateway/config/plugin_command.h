/*
 * plugin_command.h: `weir NAME ...` where NAME is a plugin.
 */
#ifndef WEIR_CONFIG_PLUGIN_COMMAND_H
#define WEIR_CONFIG_PLUGIN_COMMAND_H

/* argv[0] is its name, or its file where there is a slash in it. Its exit status; 2 after telling that there is no such plugin, or that it has no commands. */
int plugin_command(int argc, char **argv);

#endif
