/* SPDX-License-Identifier: MIT */
/*
 * Stacks with thread-local data, for threads and services.
 *
 * Rules: the library places them itself, in slots of an area that memory_map does not choose, so
 * that what lies below each stack stays unmapped. Safe from any thread.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/status.h"

#define STACK_BYTES 0x10000UL

struct stack {
    char *top;     /* 16-byte aligned; the stack grows down from here */
    char *tp;      /* the thread-local block, filled */
    uint64_t slot; /* for stack_free */
};

/* ERR_NO_SPACE: all slots are taken. ERR_NO_MEMORY: as memory_map. */
status_t stack_alloc(struct stack *stack);

/* Gives the stack a message page. ERR_NO_MEMORY, ERR_NO_SPACE. */
status_t stack_add_page(const struct stack *stack, struct message_page **page);

/* Nobody may run on it any more. */
void stack_free(uint64_t slot);
