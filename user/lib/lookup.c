/* SPDX-License-Identifier: MIT */
#include "user/lib/lookup.h"

#include <string.h>

#include "services/lookup/protocol.h"
#include "user/lib/message.h"
#include "user/lib/program.h"
#include "user/lib/system.h"
#include "user/lib/thread.h"

status_t lookup_find(const char *name, handle_t *port)
{
    struct message message = {
        .tag = MESSAGE_TAG(LOOKUP_FIND, 2),
        .word = {(uintptr_t)name, strlen(name)},
    };
    status_t status = port_request(program_lookup_port(), &message);

    if (status == OK) {
        *port = message.word[0];
    }
    return status;
}

status_t lookup_wait(const char *name, handle_t *port, uint64_t deadline)
{
    for (;;) {
        status_t status = lookup_find(name, port);

        if (status != ERR_NOT_FOUND && status != ERR_STALE) {
            return status;
        }
        if (clock_ns() >= deadline) {
            return ERR_TIMED_OUT;
        }
        thread_yield();
    }
}

status_t lookup_register(const char *name, handle_t port)
{
    struct message message = {
        .tag = MESSAGE_TAG(LOOKUP_REGISTER, 3),
        .word = {port, (uintptr_t)name, strlen(name)},
    };

    return port_request(program_lookup_port(), &message);
}

status_t lookup_unregister(const char *name)
{
    struct message message = {
        .tag = MESSAGE_TAG(LOOKUP_UNREGISTER, 2),
        .word = {(uintptr_t)name, strlen(name)},
    };

    return port_request(program_lookup_port(), &message);
}

status_t lookup_watch(const char *pattern, handle_t notification, uint64_t bits)
{
    struct message message = {
        .tag = MESSAGE_TAG(LOOKUP_WATCH, 4),
        .word = {notification, bits, (uintptr_t)pattern, strlen(pattern)},
    };

    return port_request(program_lookup_port(), &message);
}

status_t lookup_unwatch(const char *pattern, handle_t notification)
{
    struct message message = {
        .tag = MESSAGE_TAG(LOOKUP_UNWATCH, 3),
        .word = {notification, (uintptr_t)pattern, strlen(pattern)},
    };

    return port_request(program_lookup_port(), &message);
}

status_t lookup_list(const char *after, struct lookup_row *rows, uint64_t room, uint64_t *count)
{
    struct message message = {
        .tag = MESSAGE_TAG(LOOKUP_LIST, 4),
        .word = {(uintptr_t)rows, room, (uintptr_t)after, strnlen(after, MAX_NAME_BYTES)},
    };
    status_t status = port_request(program_lookup_port(), &message);

    if (status == OK) {
        *count = message.word[0];
    }
    return status;
}
