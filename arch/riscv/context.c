/* SPDX-License-Identifier: MIT */
/*
 * Building the first context of a kernel stack.
 */
#include "arch/context.h"

#include <stdint.h>

/* What context_switch finds below the stack pointer (switch.S, CONTEXT_BYTES). */
struct saved_context {
    uint64_t ra, s[12];
    uint64_t unused;
};

_Static_assert(sizeof(struct saved_context) == 112, "arch/riscv/switch.S");

void context_start(void);

vaddr_t context_make(vaddr_t stack_top, void (*entry)(void *carry, void *argument), void *argument)
{
    struct saved_context *context = (struct saved_context *)stack_top - 1;

    *context = (struct saved_context){.ra = (uint64_t)context_start};
    context->s[1] = (uint64_t)entry;
    context->s[2] = (uint64_t)argument;
    return (vaddr_t)context;
}
