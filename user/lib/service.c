/* SPDX-License-Identifier: MIT */
#include "user/lib/service.h"

#include <string.h>

#include "kernel/abi/syscall.h"
#include "user/lib/object.h"
#include "user/lib/service_priv.h"
#include "user/lib/stack_priv.h"

_Static_assert(SYS_RETURN == 1, "service_entry.S");

/* The record of a service; it lies above where the stack begins, so that no run can overwrite it. */
static struct service_record *put_record(const struct stack *stack, service_fn fn, void *context)
{
    struct service_record *record = (struct service_record *)(void *)stack->top - 1;
    _Static_assert(sizeof(*record) % 16 == 0, "the stack stays aligned");

    record->fn = fn;
    record->context = context;
    return record;
}

/* Where the segments of the first call go. */
struct windows {
    const struct message_segment *window;
    uint32_t count;
};

static const struct windows no_windows;

/* Makes a port that runs on the stack, which is freed if that fails. */
static status_t create_on(uint64_t kind, const struct stack *stack, const void *entry, void *top,
                          void *cookie, const struct windows *windows, handle_t *port)
{
    struct message_page *page;
    int64_t handle = stack_add_page(stack, &page);

    if (handle == OK) {
        memcpy(page->receive, windows->window, windows->count * sizeof(page->receive[0]));
        handle = port_create_with_page(kind, entry, top, stack->tp, (uintptr_t)cookie, page);
    }
    if (handle < 0) {
        stack_free(stack->slot);
        return handle;
    }
    *port = (handle_t)handle;
    return OK;
}

static status_t create(uint64_t kind, service_fn fn, void *context, const struct windows *windows,
                       handle_t *port)
{
    struct stack stack;
    status_t status = stack_alloc(&stack);

    if (status != OK) {
        return status;
    }
    struct service_record *record = put_record(&stack, fn, context);

    return create_on(kind, &stack, (const void *)(uintptr_t)service_entry, record, record, windows,
                     port);
}

static status_t create_entry(uint64_t kind, service_entry_fn entry, void *context,
                             const struct windows *windows, handle_t *port)
{
    struct stack stack;
    status_t status = stack_alloc(&stack);

    if (status != OK) {
        return status;
    }
    return create_on(kind, &stack, (const void *)(uintptr_t)entry, stack.top, context, windows,
                     port);
}

status_t service_create_entry(uint64_t kind, service_entry_fn entry, void *context, handle_t *port)
{
    return create_entry(kind, entry, context, &no_windows, port);
}

status_t service_create_entry_windows(uint64_t kind, service_entry_fn entry, void *context,
                                      const struct message_segment *windows, uint32_t count,
                                      handle_t *port)
{
    const struct windows given = {windows, count};

    return count > MAX_MESSAGE_SEGMENTS ? ERR_INVALID
                                        : create_entry(kind, entry, context, &given, port);
}

status_t service_create(service_fn fn, void *context, handle_t *port)
{
    return create(PORT_EXCLUSIVE, fn, context, &no_windows, port);
}

status_t service_create_windows(service_fn fn, void *context, const struct message_segment *windows,
                                uint32_t count, handle_t *port)
{
    const struct windows given = {windows, count};

    return count > MAX_MESSAGE_SEGMENTS ? ERR_INVALID
                                        : create(PORT_EXCLUSIVE, fn, context, &given, port);
}

status_t service_create_combining(service_fn fn, void *context, handle_t *port)
{
    return create(PORT_COMBINING, fn, context, &no_windows, port);
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
            struct message_page *page = NULL;

            result = stack_add_page(&stacks[count], &page);
            tops[count] = (struct port_stack){.top = (uintptr_t)stacks[count].top,
                                              .tp = (uintptr_t)stacks[count].tp,
                                              .page = (uintptr_t)page};
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
