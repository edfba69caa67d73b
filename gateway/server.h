/*
 * server.h: the serving process: workers, signals, drain.
 */
#ifndef WEIR_SERVER_H
#define WEIR_SERVER_H

/* `weir serve`. Returns the exit status: 0 fine, 1 failed, 2 configuration. `given`: -c, or NULL. */
int server_run(const char *given);

#endif
