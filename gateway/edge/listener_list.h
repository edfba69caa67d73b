/*
 * listener_list.h: between listener.c and connection.c only.
 */
#ifndef WEIR_EDGE_LISTENER_LIST_H
#define WEIR_EDGE_LISTENER_LIST_H

#include "edge/connection.h"

struct edge_service *listener_service(struct listener *l);
bool listener_draining(const struct listener *l);
void listener_add(struct listener *l, struct caller *c);
void listener_remove(struct listener *l, struct caller *c);
/* Idle connections are kept oldest first: they are the ones to shed. */
void listener_set_idle(struct listener *l, struct caller *c, bool is_idle);

#endif
