/* SPDX-License-Identifier: MIT */
/*
 * A service as a table of operations: what all services do with a request before they look at it.
 *
 * Rules: called by a service's handle(), in the caller's thread; copies fault-checked through
 * ipc/service.h. An operation reads its words from request->message->word, writes its results to
 * the same place and returns a status; nothing else of the message is its business. What a caller
 * sent is never trusted: a length or address is checked before it is used.
 */
#pragma once

#include "ipc/service.h"

struct operation {
    uint32_t label;
    uint32_t words;       /* the request has to have at least so many */
    uint32_t reply_words; /* of a reply with OK; any other reply has none */
    status_t (*run)(struct request *request);
};

/* Run the operation that the request names and make its reply. ERR_UNKNOWN_CALL: no such label;
 * ERR_INVALID: fewer words than it needs. */
void operation_dispatch(struct request *request, const struct operation *table, size_t count);

/* Copy a name of 1 to `limit` bytes to `name` (limit + 1 bytes) and end it with a zero.
 * ERR_INVALID: length, or a zero byte inside. ERR_FAULT. */
WARN_UNUSED status_t operation_read_name(const struct request *request, uint64_t address,
                                         uint64_t bytes, size_t limit, char *name);

/* Copy out `text` without its zero, cut to `room` bytes; *bytes gets its full length.
 * ERR_FAULT. */
WARN_UNUSED status_t operation_write_text(const struct request *request, uint64_t address,
                                          uint64_t room, const char *text, uint64_t *bytes);
