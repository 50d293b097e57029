/* SPDX-License-Identifier: MIT */
#include "user/lib/console.h"

#include <stdbool.h>

#include "services/console/protocol.h"
#include "user/lib/lookup.h"
#include "user/lib/message.h"
#include "user/lib/object.h"
#include "user/lib/system.h"

#define LOG_WRITE_MAX 256 /* debug_write */

/* Handles found so far; HANDLE_NONE until the first use. Relaxed: a handle is only a number. */
static handle_t output_port;
static handle_t input_port;

static status_t cached_find(const char *name, handle_t *cache, handle_t *port)
{
    handle_t known = __atomic_load_n(cache, __ATOMIC_RELAXED);

    if (known == HANDLE_NONE) {
        handle_t found;
        status_t status = lookup_find(name, &found);

        if (status != OK) {
            return status;
        }
        if (__atomic_compare_exchange_n(cache, &known, found, false, __ATOMIC_RELAXED,
                                        __ATOMIC_RELAXED)) {
            known = found;
        } else {
            handle_close(found);
        }
    }
    *port = known;
    return OK;
}

static status_t log_write(const char *buffer, size_t bytes)
{
    while (bytes > 0) {
        size_t part = bytes < LOG_WRITE_MAX ? bytes : LOG_WRITE_MAX;
        status_t status = debug_write(buffer, part);

        if (status != OK) {
            return status;
        }
        buffer += part;
        bytes -= part;
    }
    return OK;
}

status_t console_write(const void *buffer, size_t bytes)
{
    const char *next = buffer;
    handle_t port;

    if (cached_find("console", &output_port, &port) != OK) {
        return log_write(next, bytes);
    }
    while (bytes > 0) {
        struct message message = {
            .tag = MESSAGE_TAG(CONSOLE_WRITE, 2),
            .word = {(uintptr_t)next, bytes},
        };
        status_t status = port_request(port, &message);

        if (status == ERR_FAULT) {
            return status;
        }
        if (status != OK || message.word[0] == 0 || message.word[0] > bytes) {
            return log_write(next, bytes);
        }
        next += message.word[0];
        bytes -= message.word[0];
    }
    return OK;
}

int64_t console_read(void *buffer, size_t bytes)
{
    struct message message = {
        .tag = MESSAGE_TAG(CONSOLE_INPUT_READ, 2),
        .word = {(uintptr_t)buffer, bytes},
    };
    handle_t port;
    status_t status = cached_find("console.input", &input_port, &port);

    if (status == OK) {
        status = port_request(port, &message);
    }
    return status == OK ? (int64_t)message.word[0] : status;
}
