/* SPDX-License-Identifier: MIT */
/*
 * The common head of every kernel object that a handle can name.
 *
 * Rules: an object starts with one reference, its creator's. Every pointer that outlives the
 * function that found it owns a reference. The last release runs `destroy` in the releasing
 * context, which may have interrupts off: destroy never blocks; it defers what must wait.
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/rights.h"

struct object {
    uint32_t kind; /* enum object_kind */
    uint32_t references;
    void (*destroy)(struct object *object);
};

void object_init(struct object *object, enum object_kind kind, void (*destroy)(struct object *));

/* Take one more reference; the caller must already own or be protected by one. */
void object_retain(struct object *object);

/* Take a reference unless the last one is gone (for pointers read in an epoch section). */
_Bool object_retain_try(struct object *object);

void object_release(struct object *object);
