/* SPDX-License-Identifier: MIT */
/*
 * What a port is made of, where it is more than fits into registers.
 *
 * Rules: no padding: structures are copied as they are. `user/lib/object.h` documents the calls.
 */
#pragma once

#include <stdint.h>

/* What of a port SYS_PORT_BIND may bind to a notification. Each is signalled, too, when the port is closed. */
enum port_event {
    PORT_EVENT_MESSAGE =
        0, /* a message has come to the mailbox, or there were some when it was bound */
    PORT_EVENT_HIGH = 1, /* what waits at the port has passed its high mark */
    PORT_EVENT_LOW = 2,  /* and has fallen to its low mark afterwards */
    PORT_EVENTS = 3,
};

/* What one run of a service stands on. */
struct port_stack {
    uint64_t top;  /* where its stack begins; it grows down */
    uint64_t tp;   /* its thread-local block */
    uint64_t page; /* its message page (kernel/abi/message.h), or 0 */
};
