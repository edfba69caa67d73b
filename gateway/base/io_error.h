/*
 * io_error.h: for the kinds of io: the text io_error() gives out, per thread.
 */
#ifndef WEIR_BASE_IO_ERROR_H
#define WEIR_BASE_IO_ERROR_H

void io_set_error(const char *text);

#endif
