/* SPDX-License-Identifier: MIT */
#include "user/lib/program.h"

#include <string.h>

#include "kernel/abi/limits.h"
#include "services/archive/protocol.h"
#include "services/monitor/protocol.h"
#include "services/procmgr/protocol.h"
#include "user/lib/lookup.h"
#include "user/lib/message.h"
#include "user/lib/object.h"

/* One call to a service by name. */
static status_t request_by_name(const char *name, struct message *message)
{
    handle_t port;
    status_t status = lookup_find(name, &port);

    if (status == OK) {
        status = port_request(port, message);
        handle_close(port);
    }
    return status;
}

/* Puts the strings one behind the other; returns their bytes with the zeros, or ERR_INVALID. */
static int64_t arguments_pack(int argc, const char *const *argv, char *out)
{
    size_t used = 0;

    if (argc < 0 || argc > MAX_ARGUMENTS) {
        return ERR_INVALID;
    }
    for (int i = 0; i < argc; i++) {
        size_t bytes = strlen(argv[i]) + 1;

        if (bytes > MAX_ARGUMENT_BYTES - used) {
            return ERR_INVALID;
        }
        memcpy(out + used, argv[i], bytes);
        used += bytes;
    }
    return (int64_t)used;
}

status_t program_start(const char *name, int argc, const char *const *argv, struct program *program)
{
    return program_start_with(name, argc, argv, NULL, program);
}

status_t program_start_with(const char *name, int argc, const char *const *argv,
                            const char *may_register, struct program *program)
{
    char arguments[MAX_ARGUMENT_BYTES];
    int64_t bytes = arguments_pack(argc, argv, arguments);

    if (bytes < 0) {
        return bytes;
    }
    struct procmgr_start start = {
        .name_address = (uintptr_t)name,
        .name_bytes = strlen(name),
        .argument_address = (uintptr_t)arguments,
        .argument_bytes = (uint64_t)bytes,
        .argument_count = (uint64_t)argc,
        .register_address = (uintptr_t)may_register,
        .register_bytes = may_register == NULL ? PROCMGR_INHERIT : strlen(may_register),
    };
    struct message message = {
        .tag = MESSAGE_TAG(PROCMGR_START, 1),
        .word = {(uintptr_t)&start},
    };
    status_t status = request_by_name("procmgr", &message);

    if (status == OK) {
        program->domain = message.word[0];
        program->id = message.word[1];
    }
    return status;
}

int64_t program_wait(struct program *program)
{
    int64_t code = handle_join(program->domain, DEADLINE_NONE);

    handle_close(program->domain);
    return code;
}

status_t program_kill(uint64_t id)
{
    struct message message = {.tag = MESSAGE_TAG(PROCMGR_KILL, 1), .word = {id}};

    return request_by_name("procmgr", &message);
}

status_t archive_list(uint64_t index, char *name, size_t bytes, uint64_t *size)
{
    struct message message = {
        .tag = MESSAGE_TAG(ARCHIVE_LIST, 3),
        .word = {index, (uintptr_t)name, bytes - 1},
    };
    status_t status = request_by_name("archive", &message);

    if (status == OK) {
        name[message.word[0] < bytes - 1 ? message.word[0] : bytes - 1] = '\0';
        *size = message.word[1];
    }
    return status;
}

int64_t archive_read(const char *name, uint64_t offset, void *buffer, size_t bytes)
{
    struct archive_read read = {
        .name_address = (uintptr_t)name,
        .name_bytes = strlen(name),
        .offset = offset,
        .buffer_address = (uintptr_t)buffer,
        .buffer_bytes = bytes,
    };
    struct message message = {
        .tag = MESSAGE_TAG(ARCHIVE_READ, 1),
        .word = {(uintptr_t)&read},
    };
    status_t status = request_by_name("archive", &message);

    return status == OK ? (int64_t)message.word[0] : status;
}

status_t monitor_read(uint32_t label, uint64_t index, void *row, size_t bytes)
{
    struct message message = {
        .tag = MESSAGE_TAG(label, 3),
        .word = {index, (uintptr_t)row, bytes},
    };

    if (label == MONITOR_MEMORY) {
        message = (struct message){
            .tag = MESSAGE_TAG(label, 2),
            .word = {(uintptr_t)row, bytes},
        };
    }
    return request_by_name("monitor", &message);
}
