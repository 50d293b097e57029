/* SPDX-License-Identifier: MIT */
/*
 * Names of ports: the client side of the lookup service.
 *
 * Rules: names are zero-terminated here. Errors are those of services/lookup/protocol.h and of
 * port_call.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "services/lookup/protocol.h"

/* `*port` gets a new handle to the port of that name; the caller closes it. */
status_t lookup_find(const char *name, handle_t *port);

/* Waits until somebody has registered the name, at most until `deadline`, yielding meanwhile.
 * ERR_TIMED_OUT, or what lookup_find gives except ERR_NOT_FOUND and ERR_STALE. */
status_t lookup_wait(const char *name, handle_t *port, uint64_t deadline);

/* Gives a port of this domain a name. */
status_t lookup_register(const char *name, handle_t port);

/* Takes the name away again. */
status_t lookup_unregister(const char *name);

/* Signals `bits` of the notification whenever a name comes or goes that is `pattern`, or begins like it if
 * it ends with `*`. Who watches first and looks then misses nothing. */
status_t lookup_watch(const char *pattern, handle_t notification, uint64_t bits);

/* Ends such a watch. ERR_NOT_FOUND. */
status_t lookup_unwatch(const char *pattern, handle_t notification);

/* The names behind `after` ("": from the first one), in the order of their bytes: `*count` rows, 0 at the end,
 * at most `room` and LOOKUP_ROWS_MAX. `after` may be the name of the last row, although it has no zero. */
status_t lookup_list(const char *after, struct lookup_row *rows, uint64_t room, uint64_t *count);
