/* SPDX-License-Identifier: MIT */
#include "ipc/operation.h"

#include <string.h>

static const struct operation *find_operation(const struct operation *table, size_t count,
                                              uint32_t label)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].label == label) {
            return &table[i];
        }
    }
    return NULL;
}

void operation_dispatch(struct request *request, const struct operation *table, size_t count)
{
    uint64_t tag = request->message->tag;
    const struct operation *operation = find_operation(table, count, message_label(tag));
    status_t status = ERR_UNKNOWN_CALL;

    if (operation != NULL) {
        status = message_words(tag) < operation->words ? ERR_INVALID : operation->run(request);
    }
    request_reply(request, status, status == OK ? operation->reply_words : 0);
}

status_t operation_read_name(const struct request *request, uint64_t address, uint64_t bytes,
                             size_t limit, char *name)
{
    status_t status;

    if (bytes == 0 || bytes > limit) {
        return ERR_INVALID;
    }
    status = request_copy_in(request, name, address, bytes);
    if (status != OK) {
        return status;
    }
    name[bytes] = '\0';
    return memchr(name, '\0', bytes) == NULL ? OK : ERR_INVALID;
}

status_t operation_write_text(const struct request *request, uint64_t address, uint64_t room,
                              const char *text, uint64_t *bytes)
{
    size_t length = strlen(text);
    status_t status = OK;

    if (room > 0 && length > 0) {
        status = request_copy_out(request, address, text, min_u64(length, room));
    }
    if (status == OK) {
        *bytes = length;
    }
    return status;
}
