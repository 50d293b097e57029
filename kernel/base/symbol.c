/* SPDX-License-Identifier: MIT */
/* Finds the name of a text address by binary search. */

#include "kernel/base/symbol.h"

const char *symbol_find_in(const struct symbol_table *table, vaddr_t pc, uint64_t *offset)
{
    if (table->count == 0 || pc < table->base || pc - table->base >= table->size_bytes)
        return NULL;
    uint64_t distance = pc - table->base;
    if (distance < table->symbols[0].offset_bytes)
        return NULL;

    /* Invariant: symbols[low] starts at or before pc, symbols[high] (if any) after it. */
    uint32_t low = 0;
    uint32_t high = table->count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (table->symbols[middle].offset_bytes <= distance)
            low = middle;
        else
            high = middle;
    }
    *offset = distance - table->symbols[low].offset_bytes;
    return table->names + table->symbols[low].name;
}

const char *symbol_find(vaddr_t pc, uint64_t *offset)
{
    return symbol_find_in(&symbol_kernel_table, pc, offset);
}
