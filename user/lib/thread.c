/* SPDX-License-Identifier: MIT */
#include "user/lib/thread.h"

#include <stdio.h>

#include "user/lib/object.h"
#include "user/lib/stack_priv.h"

/* Lies at the top of the new thread's stack. */
struct thread_begin {
    thread_fn fn;
    void *argument;
};

static _Noreturn void thread_run(struct thread_begin *begin)
{
    int code = begin->fn(begin->argument);

    fflush(stdout);
    thread_exit(code);
    __builtin_unreachable();
}

status_t thread_start(struct thread *thread, thread_fn fn, void *argument)
{
    struct stack stack;
    status_t status = stack_alloc(&stack);

    if (status != OK) {
        return status;
    }
    struct thread_begin *begin = (struct thread_begin *)(void *)stack.top - 1;
    _Static_assert(sizeof(*begin) % 16 == 0, "the stack stays aligned");

    begin->fn = fn;
    begin->argument = argument;
    int64_t handle =
        thread_create((const void *)(uintptr_t)thread_run, begin, (uintptr_t)begin, stack.tp);

    if (handle < 0) {
        stack_free(stack.slot);
        return handle;
    }
    thread->handle = (handle_t)handle;
    thread->stack = stack.slot;
    return OK;
}

int64_t thread_join(struct thread *thread)
{
    int64_t code = handle_join(thread->handle, DEADLINE_NONE);

    if (code >= 0) {
        handle_close(thread->handle);
        stack_free(thread->stack);
    }
    return code;
}
