/* SPDX-License-Identifier: MIT */
/*
 * Names of ports: the table behind the lookup service.
 *
 * Rules: a name is 1 to MAX_NAME_BYTES printable bytes. An entry owns a reference to its port; a
 * name goes when its port is closed (in the moment between it resolves to ERR_STALE). At most
 * MAX_PORT_NAMES for a port and MAX_NAMES in all, so that the list stays short. One lock.
 */
#pragma once

#include <stddef.h>

#include "ipc/port.h"

/* ERR_INVALID (length or bytes), ERR_EXISTS (open port under that name), ERR_NO_MEMORY,
 * ERR_STALE (the port is closed), ERR_NO_SPACE (MAX_PORT_NAMES, MAX_NAMES). */
status_t name_register(const char *name, size_t bytes, struct port *port);

/* ERR_NOT_FOUND (no such name, or its port is closed), ERR_DENIED (the port under that name is not `domain`'s). */
status_t name_unregister(const char *name, size_t bytes, const struct domain *domain);

/* Take every name of a port away; it is closed. Thread context. */
void name_forget(struct port *port);

/* Find and take a reference. ERR_NOT_FOUND, ERR_STALE, ERR_INVALID. */
status_t name_find(const char *name, size_t bytes, struct port **out);

/* The i-th name, in no particular order: copied with its zero. ERR_NOT_FOUND past the end. */
status_t name_list(unsigned i, char name[MAX_NAME_BYTES + 1], struct port_id *id);

/* The first name under which a port is registered, or "" . */
void name_of_port(struct port_id id, char name[MAX_NAME_BYTES + 1]);
