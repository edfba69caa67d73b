/*
 * demo_transport.h: the demonstration provider: no network, no account, an echo.
 */
#ifndef WEIR_UPSTREAM_DEMO_TRANSPORT_H
#define WEIR_UPSTREAM_DEMO_TRANSPORT_H

#include "upstream/transport.h"

extern const struct transport demo_transport;

#endif
