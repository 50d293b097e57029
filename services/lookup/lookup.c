/* SPDX-License-Identifier: MIT */
/*
 * The lookup service: names become handles in the caller's table. The names themselves are
 * ipc/name.h's; here is only what has to do with the caller.
 */
#include "services/lookup/protocol.h"

#include <string.h>

#include "ipc/name.h"
#include "ipc/name_rule.h"
#include "ipc/name_watch.h"
#include "ipc/operation.h"

/* What the finder of a name may do with its port: use it and hand it on, never end it. */
#define FIND_RIGHTS (RIGHT_CALL | RIGHT_SEND | RIGHT_DUPLICATE | RIGHT_TRANSFER)

static status_t lookup_find(struct request *request)
{
    uint64_t *word = request->message->word;
    char name[MAX_NAME_BYTES + 1];
    handle_t handle = HANDLE_NONE;
    struct port *port;
    status_t status = operation_read_name(request, word[0], word[1], MAX_NAME_BYTES, name);

    if (status != OK) {
        return status;
    }
    status = name_find(name, word[1], &port);
    if (status != OK) {
        return status == ERR_STALE ? ERR_NOT_FOUND : status;
    }
    status = handle_open(&request->caller->handles, &port->object, FIND_RIGHTS, 0, &handle);
    object_release(&port->object);
    word[0] = handle;
    return status;
}

static status_t lookup_register(struct request *request)
{
    const uint64_t *word = request->message->word;
    char name[MAX_NAME_BYTES + 1];
    struct object *object;
    status_t status = operation_read_name(request, word[1], word[2], MAX_NAME_BYTES, name);

    if (status != OK) {
        return status;
    }
    status =
        handle_get(&request->caller->handles, word[0], OBJECT_PORT, RIGHT_MANAGE, &object, NULL);
    if (status != OK) {
        return status;
    }
    status = name_rule_allows(request->caller->may_register, name, word[2])
                 ? name_register(name, word[2], port_of_object(object))
                 : ERR_DENIED;
    object_release(object);
    return status;
}

static status_t lookup_unregister(struct request *request)
{
    const uint64_t *word = request->message->word;
    char name[MAX_NAME_BYTES + 1];
    status_t status = operation_read_name(request, word[0], word[1], MAX_NAME_BYTES, name);

    return status == OK ? name_unregister(name, word[1], request->caller) : status;
}

/* The text behind which a list goes on; it may be empty. */
static status_t read_after(const struct request *request, uint64_t address, uint64_t bytes,
                           char *after)
{
    if (bytes > MAX_NAME_BYTES) {
        return ERR_INVALID;
    }
    return bytes == 0 ? OK : request_copy_in(request, after, address, bytes);
}

static status_t lookup_list(struct request *request)
{
    uint64_t *word = request->message->word;
    char after[MAX_NAME_BYTES];
    size_t bytes = word[3];
    struct name_row row;
    uint64_t count = 0;
    status_t status = read_after(request, word[2], word[3], after);

    while (status == OK && count < word[1] && count < LOOKUP_ROWS_MAX &&
           name_next(after, bytes, &row) == OK) {
        struct lookup_row out = {.port = row.port, .domain = row.domain};

        bytes = strlen(row.name);
        memcpy(after, row.name, bytes);
        memcpy(out.name, row.name, bytes);
        status = request_copy_out(request, word[0] + count * sizeof(out), &out, sizeof(out));
        count++;
    }
    word[0] = count;
    return status;
}

/* The notification in word 0, the pattern at words `at` and `at` + 1. */
static status_t read_watch(const struct request *request, unsigned at, char *pattern,
                           struct object **object)
{
    const uint64_t *word = request->message->word;
    status_t status = operation_read_name(request, word[at], word[at + 1], MAX_NAME_BYTES, pattern);

    return status == OK ? handle_get(&request->caller->handles, word[0], OBJECT_NOTIFICATION,
                                     RIGHT_SEND, object, NULL)
                        : status;
}

static status_t lookup_watch(struct request *request)
{
    const uint64_t *word = request->message->word;
    char pattern[MAX_NAME_BYTES + 1];
    struct object *object;
    status_t status = read_watch(request, 2, pattern, &object);

    if (status == OK) {
        status = name_watch(pattern, word[3], notification_of_object(object), word[1]);
        object_release(object);
    }
    return status;
}

static status_t lookup_unwatch(struct request *request)
{
    char pattern[MAX_NAME_BYTES + 1];
    struct object *object;
    status_t status = read_watch(request, 1, pattern, &object);

    if (status == OK) {
        status = name_unwatch(pattern, request->message->word[2], notification_of_object(object));
        object_release(object);
    }
    return status;
}

static const struct operation operations[] = {
    {LOOKUP_FIND, 2, 1, lookup_find},
    {LOOKUP_REGISTER, 3, 0, lookup_register},
    {LOOKUP_UNREGISTER, 2, 0, lookup_unregister},
    {LOOKUP_LIST, 4, 1, lookup_list},
    {LOOKUP_WATCH, 4, 0, lookup_watch},
    {LOOKUP_UNWATCH, 3, 0, lookup_unwatch},
};

static void lookup_handle(struct request *request)
{
    operation_dispatch(request, operations, ARRAY_SIZE(operations));
}

SERVICE(lookup_service) = {
    .name = "lookup",
    .handle = lookup_handle,
    .runs = 16,
};
