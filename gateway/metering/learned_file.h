/*
 * learned_file.h: what was learned of targets, kept over restarts.
 *
 * A text file, a line for each target; unreadable lines are skipped, because everything in
 * it can be learned again. Only targets of the configuration in force are read back.
 */
#ifndef WEIR_METERING_LEARNED_FILE_H
#define WEIR_METERING_LEARNED_FILE_H

#include <stdbool.h>

/* How many targets were read; below 0: there is no such file, or errno says why not. */
int learned_file_read(const char *path);

/* Replaces the file in one step; false with the reason in errno. Blocks: not for a worker's thread. */
bool learned_file_write(const char *path);

#endif
