/* SPDX-License-Identifier: MIT */
/*
 * The lookup service: names become handles in the caller's table. The names themselves are
 * ipc/name.h's; here is only what has to do with the caller.
 */
#include "services/lookup/protocol.h"

#include <string.h>

#include "ipc/name.h"
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
    status = name_register(name, word[2], port_of_object(object));
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

static status_t lookup_list(struct request *request)
{
    uint64_t *word = request->message->word;
    char name[MAX_NAME_BYTES + 1];
    struct port_id id;
    status_t status;

    if (word[0] > UINT32_MAX) {
        return ERR_NOT_FOUND;
    }
    status = name_list((unsigned)word[0], name, &id);
    if (status == OK) {
        status = operation_write_text(request, word[1], word[2], name, &word[0]);
        word[1] = id.index;
    }
    return status;
}

static const struct operation operations[] = {
    {LOOKUP_FIND, 2, 1, lookup_find},
    {LOOKUP_REGISTER, 3, 0, lookup_register},
    {LOOKUP_UNREGISTER, 2, 0, lookup_unregister},
    {LOOKUP_LIST, 3, 2, lookup_list},
};

static void lookup_handle(struct request *request)
{
    operation_dispatch(request, operations, ARRAY_SIZE(operations));
}

SERVICE(lookup_service) = {
    .name = "lookup",
    .handle = lookup_handle,
};
