/* SPDX-License-Identifier: MIT */
#include "user/lib/service.h"

#include "kernel/abi/syscall.h"
#include "user/lib/object.h"
#include "user/lib/service_priv.h"
#include "user/lib/stack_priv.h"

_Static_assert(SYS_RETURN == 1 && ERR_INVALID == -1, "service_entry.S");

/* The record of a service; it lies above where the stack begins, so that no run can overwrite it. */
static struct service_record *put_record(const struct stack *stack, service_fn fn, void *context)
{
    struct service_record *record = (struct service_record *)(void *)stack->top - 1;
    _Static_assert(sizeof(*record) % 16 == 0, "the stack stays aligned");

    record->fn = fn;
    record->context = context;
    return record;
}

static status_t create(uint64_t kind, service_fn fn, void *context, handle_t *port)
{
    struct stack stack;
    status_t status = stack_alloc(&stack);

    if (status != OK) {
        return status;
    }
    struct service_record *record = put_record(&stack, fn, context);
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

status_t service_create_concurrent(service_fn fn, void *context, uint32_t runs, handle_t *port)
{
    struct stack stacks[MAX_RUNS];
    struct port_stack tops[MAX_RUNS];
    struct service_record *record = NULL;
    uint32_t count = 0;
    int64_t result = runs == 0 || runs > MAX_RUNS ? ERR_INVALID : OK;

    while (result == OK && count < runs) {
        result = stack_alloc(&stacks[count]);
        if (result == OK) {
            tops[count].top = (uintptr_t)stacks[count].top;
            tops[count].tp = (uintptr_t)stacks[count].tp;
            count++;
        }
    }
    if (result == OK) {
        record = put_record(&stacks[0], fn, context);
        tops[0].top = (uintptr_t)record;
        result = port_create_concurrent((const void *)(uintptr_t)service_entry, tops, runs,
                                        (uintptr_t)record);
    }
    if (result < 0) {
        while (count > 0) {
            stack_free(stacks[--count].slot);
        }
        return result;
    }
    *port = (handle_t)result;
    return OK;
}
