/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * Names for addresses of the kernel's text, from a table that the build links into the image.
 *
 * Rules:
 * - Any context, a panic included: nothing is allocated, locked or written.
 * - The table is sorted by address; tools/mksymbols.py makes it and tools/check_image.py checks it.
 * - Cost: a binary search.
 */

#include "kernel/base/types.h"

struct symbol {
    uint32_t offset_bytes; /* of the symbol from symbol_table.base */
    uint32_t name;         /* index of its first byte in symbol_table.names */
};

struct symbol_table {
    vaddr_t base;
    uint64_t size_bytes; /* addresses at or beyond base + size_bytes have no name */
    uint32_t count;
    const struct symbol *symbols;
    const char *names;
};

/* The table of the running image; generated. Empty on the first pass of the link. */
extern const struct symbol_table symbol_kernel_table;

/*
 * The symbol of `table` that `pc` lies in, or NULL when there is none. `*offset` becomes the
 * distance in bytes from the symbol's start; it is untouched when the answer is NULL.
 */
const char *symbol_find_in(const struct symbol_table *table, vaddr_t pc, uint64_t *offset);

/* The same for the running kernel. */
const char *symbol_find(vaddr_t pc, uint64_t *offset);
