/* SPDX-License-Identifier: MIT */
#include "user/lib/stack_priv.h"

#include <stddef.h>

#include "kernel/abi/limits.h"
#include "user/lib/memory.h"
#include "user/lib/message_page.h"
#include "user/lib/tls_priv.h"

#define STACK_AREA 0x2000000000UL
#define STACK_SLOT_BYTES 0x40000UL
#define STACK_SLOTS 1024UL
#define BITS_PER_WORD 64UL

/* A set bit is a taken slot. Relaxed throughout: the system calls that map and unmap order all
 * that depends on it. */
static uint64_t taken[STACK_SLOTS / BITS_PER_WORD];

/* Bytes of a mapping: the stack, the control words below tp, the block at tp. */
static size_t mapping_bytes(void)
{
    size_t bytes = STACK_BYTES + 2 * TLS_ALIGN + tls_bytes();

    return (bytes + PAGE_BYTES - 1) & ~(size_t)(PAGE_BYTES - 1);
}

static char *slot_end(uint64_t slot)
{
    return (char *)(STACK_AREA + (slot + 1) * STACK_SLOT_BYTES);
}

static char *slot_tp(uint64_t slot)
{
    return (char *)(((uintptr_t)slot_end(slot) - tls_bytes()) & ~(uintptr_t)(TLS_ALIGN - 1));
}

/* Where the address of the message page is kept (tls_priv.h). */
static struct message_page **page_place(char *tp)
{
    return (struct message_page **)(void *)(tp - TLS_CONTROL_BYTES);
}

static status_t slot_map(uint64_t slot, struct stack *stack)
{
    size_t bytes = mapping_bytes();
    char *end = slot_end(slot);
    int64_t mapped = memory_map(end - bytes, bytes, PROTECT_READ | PROTECT_WRITE);

    if (mapped < 0) {
        return mapped;
    }
    stack->tp = slot_tp(slot);
    stack->top = stack->tp - TLS_CONTROL_BYTES;
    stack->slot = slot;
    tls_fill(stack->tp);
    return OK;
}

status_t stack_alloc(struct stack *stack)
{
    for (uint64_t slot = 0; slot < STACK_SLOTS; slot++) {
        uint64_t bit = 1UL << (slot % BITS_PER_WORD);
        uint64_t *word = &taken[slot / BITS_PER_WORD];

        if ((__atomic_fetch_or(word, bit, __ATOMIC_RELAXED) & bit) != 0) {
            continue;
        }
        status_t status = slot_map(slot, stack);

        /* A slot that the program has mapped by itself stays taken for good. */
        if (status == ERR_EXISTS) {
            continue;
        }
        if (status != OK) {
            __atomic_fetch_and(word, ~bit, __ATOMIC_RELAXED);
        }
        return status;
    }
    return ERR_NO_SPACE;
}

status_t stack_add_page(const struct stack *stack, struct message_page **page)
{
    status_t status = message_page_alloc(page);

    if (status == OK) {
        *page_place(stack->tp) = *page;
    }
    return status;
}

void stack_free(uint64_t slot)
{
    size_t bytes = mapping_bytes();
    struct message_page *page = *page_place(slot_tp(slot));

    if (page != NULL) {
        memory_unmap(page, PAGE_BYTES);
    }

    if (memory_unmap(slot_end(slot) - bytes, bytes) == OK) {
        __atomic_fetch_and(&taken[slot / BITS_PER_WORD], ~(1UL << (slot % BITS_PER_WORD)),
                           __ATOMIC_RELAXED);
    }
}
