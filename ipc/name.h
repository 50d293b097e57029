/* SPDX-License-Identifier: MIT */
/*
 * Names of ports: the table behind the lookup service.
 *
 * Rules: a name is 1 to MAX_NAME_BYTES printable bytes. It names one port, not its index: it never leads to
 * a successor. It goes when its port is closed; in the moment between it resolves to ERR_STALE. A port has
 * at most MAX_PORT_NAMES names, all together MAX_NAMES; they are charged to its domain. Looking up takes no
 * lock; the others share one. No cost but that of name_list and of registering (a tree's height) rises with
 * how many there are.
 */
#pragma once

#include <stddef.h>

#include "ipc/port.h"

/* Boot, once, before the first name. ERR_NO_MEMORY. */
WARN_UNUSED status_t name_init(void);

/* ERR_INVALID (length or bytes), ERR_EXISTS (open port under that name), ERR_NO_MEMORY,
 * ERR_STALE (the port is closed), ERR_NO_SPACE (MAX_PORT_NAMES, MAX_NAMES, NAME_CHAIN_MAX). Thread context. */
status_t name_register(const char *name, size_t bytes, struct port *port);

/* ERR_NOT_FOUND (no such name, or its port is closed), ERR_DENIED (the port under that name is not `domain`'s).
 * Thread context. */
status_t name_unregister(const char *name, size_t bytes, const struct domain *domain);

/* Take every name of a port away; it is closed. Thread context. */
void name_forget(struct port *port);

/* Find and take a reference. ERR_NOT_FOUND, ERR_STALE, ERR_INVALID. Any context. */
status_t name_find(const char *name, size_t bytes, struct port **out);

/* What name_next tells. */
struct name_row {
    char name[MAX_NAME_BYTES + 1];
    uint32_t port; /* its index */
    uint32_t domain;
};

/* The first name behind `after` (`bytes` may be 0), in the order of their bytes, whatever came or went in
 * between. ERR_NOT_FOUND: there is none. */
status_t name_next(const char *after, size_t bytes, struct name_row *row);

/* The first name under which a port is registered, or "" . */
void name_of_port(struct port *port, char name[MAX_NAME_BYTES + 1]);
