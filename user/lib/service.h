/* SPDX-License-Identifier: MIT */
/*
 * Services: ports of this domain whose calls run a C function.
 *
 * Rules: the function runs on the caller's thread, one call at a time, on a stack and with
 * thread-local data of the service, which are the same for every call. It keeps what it wants to
 * remember in `context`. It may call other services and may block; the caller waits. A reply
 * whose tag is not allowed reaches the caller as an empty one with the status ERR_INVALID.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"

/* Serves one call: `message` is the request and, when it returns, the reply; `badge` is that of
 * the handle that the caller used. */
typedef void (*service_fn)(void *context, uint64_t badge, struct message *message);

/*
 * Makes an exclusive service; `*port` gets its handle, with all rights. It lives until the port
 * is closed; its stack stays for the life of the program. ERR_NO_SPACE, ERR_NO_MEMORY.
 */
status_t service_create(service_fn fn, void *context, handle_t *port);

/*
 * The same for a service whose runs are short and never wait: a caller that has its answer may run
 * it for up to 16 others before its call returns, which spares each of them a switch. The service
 * sees no difference. One that waits all the same becomes an ordinary one.
 */
status_t service_create_combining(service_fn fn, void *context, handle_t *port);

/* Makes a reply that is only a status. */
static inline void service_reply(struct message *message, status_t status, uint32_t words)
{
    message->tag = MESSAGE_TAG((uint32_t)status, words);
}
