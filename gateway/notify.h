/*
 * notify.h: telling systemd how we are (sd_notify(3), read 2026-11), without its library.
 */
#ifndef WEIR_NOTIFY_H
#define WEIR_NOTIFY_H

/* "READY=1", "STOPPING=1", "WATCHDOG=1"; nothing happens where nobody listens. */
void notify_state(const char *state);

#endif
