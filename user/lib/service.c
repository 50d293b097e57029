/* SPDX-License-Identifier: MIT */
#include "user/lib/service.h"

#include "kernel/abi/syscall.h"
#include "user/lib/object.h"
#include "user/lib/service_priv.h"
#include "user/lib/stack_priv.h"

_Static_assert(SYS_RETURN == 1 && ERR_INVALID == -1, "service_entry.S");

static status_t create(uint64_t kind, service_fn fn, void *context, handle_t *port)
{
    struct stack stack;
    status_t status = stack_alloc(&stack);

    if (status != OK) {
        return status;
    }
    /* The record lies above where the stack begins, so that no run can overwrite it. */
    struct service_record *record = (struct service_record *)(void *)stack.top - 1;
    _Static_assert(sizeof(*record) % 16 == 0, "the stack stays aligned");

    record->fn = fn;
    record->context = context;
    int64_t handle = port_create(kind, (const void *)(uintptr_t)service_entry, record, stack.tp,
                                 (uintptr_t)record);

    if (handle < 0) {
        stack_free(stack.slot);
        return handle;
    }
    *port = (handle_t)handle;
    return OK;
}

status_t service_create_entry(uint64_t kind, service_entry_fn entry, void *context, handle_t *port)
{
    struct stack stack;
    status_t status = stack_alloc(&stack);

    if (status != OK) {
        return status;
    }
    int64_t handle = port_create(kind, (const void *)(uintptr_t)entry, (void *)stack.top, stack.tp,
                                 (uintptr_t)context);

    if (handle < 0) {
        stack_free(stack.slot);
        return handle;
    }
    *port = (handle_t)handle;
    return OK;
}

status_t service_create(service_fn fn, void *context, handle_t *port)
{
    return create(PORT_EXCLUSIVE, fn, context, port);
}

status_t service_create_combining(service_fn fn, void *context, handle_t *port)
{
    return create(PORT_COMBINING, fn, context, port);
}
