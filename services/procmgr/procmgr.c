/* SPDX-License-Identifier: MIT */
/*
 * The process manager: programs of the boot archive become domains, and domains are ended.
 */
#include "services/procmgr/protocol.h"

#include <string.h>

#include "ipc/name.h"
#include "ipc/name_rule.h"
#include "ipc/operation.h"
#include "kernel/abi/exit.h"
#include "kernel/base/print.h"
#include "mm/frame.h"
#include "sched/archive.h"
#include "sched/program.h"

#define STARTER_RIGHTS (RIGHT_WAIT | RIGHT_MANAGE | RIGHT_DUPLICATE)

/* A request as it was copied from the caller; only the holder of the port's baton touches it. */
static struct {
    char name[MAX_PROGRAM_NAME_BYTES];
    char arguments[MAX_ARGUMENT_BYTES];
    char may_register[MAX_REGISTER_BYTES];
} copied;

/* The strings have to end where the caller says and be as many as it says. */
static bool arguments_are_well_formed(const struct procmgr_start *asked)
{
    uint64_t strings = 0;

    for (uint64_t i = 0; i < asked->argument_bytes; i++) {
        strings += copied.arguments[i] == '\0';
    }
    return strings == asked->argument_count &&
           (asked->argument_bytes == 0 || copied.arguments[asked->argument_bytes - 1] == '\0');
}

/* The names that the program may register: no more than its starter. */
static status_t copy_register(const struct request *request, const struct procmgr_start *asked)
{
    const char *callers = request->caller->may_register;
    status_t status = OK;

    memset(copied.may_register, 0, sizeof(copied.may_register));
    if (asked->register_bytes == PROCMGR_INHERIT) {
        memcpy(copied.may_register, callers, sizeof(copied.may_register));
    } else if (asked->register_bytes >= sizeof(copied.may_register)) {
        status = ERR_INVALID;
    } else if (asked->register_bytes > 0) {
        status = request_copy_in(request, copied.may_register, asked->register_address,
                                 asked->register_bytes);
        if (status == OK && (strlen(copied.may_register) != asked->register_bytes ||
                             !name_rule_is_valid(copied.may_register))) {
            status = ERR_INVALID;
        }
        if (status == OK && !name_rule_covers(callers, copied.may_register)) {
            status = ERR_DENIED;
        }
    }
    return status;
}

static status_t copy_start(const struct request *request, struct procmgr_start *asked)
{
    status_t status = request_copy_in(request, asked, request->message->word[0], sizeof(*asked));

    if (status != OK) {
        return status;
    }
    if (asked->argument_bytes > MAX_ARGUMENT_BYTES || asked->argument_count > MAX_ARGUMENTS) {
        return ERR_INVALID;
    }
    status = operation_read_name(request, asked->name_address, asked->name_bytes,
                                 MAX_PROGRAM_NAME_BYTES - 1, copied.name);
    if (status == OK && asked->argument_bytes > 0) {
        status = request_copy_in(request, copied.arguments, asked->argument_address,
                                 asked->argument_bytes);
    }
    if (status == OK && !arguments_are_well_formed(asked)) {
        status = ERR_INVALID;
    }
    return status == OK ? copy_register(request, asked) : status;
}

/* Half of all memory for one program, so that it cannot take the last page from the others. */
static uint64_t memory_limit(void)
{
    return frame_total_pages() / 2 * PAGE_BYTES;
}

static status_t start_copied(const struct procmgr_start *asked, struct domain **domain)
{
    struct program_start start = {
        .name = copied.name,
        .arguments = copied.arguments,
        .argument_bytes = asked->argument_bytes,
        .memory_limit = memory_limit(),
        .may_register = copied.may_register,
    };
    const char *why = "";
    struct port *lookup;
    status_t status = archive_find(copied.name, &start.image, &start.image_bytes);

    if (status == OK) {
        status = name_find("lookup", strlen("lookup"), &lookup);
    }
    if (status != OK) {
        return status;
    }
    if (asked->argument_count == 0) {
        start.arguments = copied.name;
        start.argument_bytes = strlen(copied.name) + 1;
    }
    start.grant = (struct program_grant){.object = &lookup->object, .rights = RIGHT_CALL};
    status = program_start(&start, domain, &why);
    object_release(&lookup->object);
    if (status != OK) {
        print("procmgr: cannot start %s: %s\n", copied.name, why);
    }
    return status;
}

static status_t procmgr_start(struct request *request)
{
    uint64_t *word = request->message->word;
    struct procmgr_start asked;
    struct domain *domain;
    handle_t handle = HANDLE_NONE;
    status_t status = copy_start(request, &asked);

    if (status == OK) {
        status = start_copied(&asked, &domain);
    }
    if (status != OK) {
        return status;
    }
    status = handle_open(&request->caller->handles, &domain->object, STARTER_RIGHTS, 0, &handle);
    if (status == OK) {
        word[0] = handle;
        word[1] = domain->id;
    } else {
        /* A program that its starter cannot name must not go on running. */
        domain_kill(domain, EXIT_KILLED);
    }
    object_release(&domain->object);
    return status;
}

static status_t procmgr_kill(struct request *request)
{
    uint64_t id = request->message->word[0];
    struct domain *domain;
    status_t status;

    if (id == kernel_domain.id) {
        return ERR_DENIED;
    }
    if (id > UINT32_MAX) {
        return ERR_NOT_FOUND;
    }
    status = domain_find((uint32_t)id, &domain);
    if (status == OK) {
        domain_kill(domain, EXIT_KILLED + EXIT_REASON_KILLED);
        object_release(&domain->object);
    }
    return status;
}

static const struct operation operations[] = {
    {PROCMGR_START, 1, 2, procmgr_start},
    {PROCMGR_KILL, 1, 0, procmgr_kill},
};

static void procmgr_handle(struct request *request)
{
    operation_dispatch(request, operations, ARRAY_SIZE(operations));
}

SERVICE(procmgr_service) = {
    .name = "procmgr",
    .handle = procmgr_handle,
};
