/* SPDX-License-Identifier: MIT */
/*
 * The arrays of handle tables, and how a full one is replaced by one of twice the size.
 *
 * A table may have 65,536 slots, and interrupts must not be off while all of them are copied.
 * So who finds no free slot makes `bigger` without the lock, and everybody who needs a slot copies
 * a few entries at a time. Invariant under the lock: the first `copied` entries of `bigger` equal
 * those of `array`; a change of one of them is made in both. Readers see `bigger` when it is whole.
 */
#include <string.h>

#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "kernel/object/handle_priv.h"

/* Entries copied while interrupts are off. */
#define HANDLE_COPY_COUNT 64U

_Static_assert(sizeof(struct handle_entry) == 32, "ipc/riscv/fastpath.S");
_Static_assert(offsetof(struct handle_array, entry) == 32, "ipc/riscv/fastpath.S");
_Static_assert(MAX_HANDLES == HANDLE_SLOT_MASK + 1, "a handle's slot is 16 bits");

struct handle_array *handle_array_make(struct handle_table *table, uint32_t count, uint32_t first)
{
    struct handle_array *array = table->allocate(table->owner, handle_array_bytes(count));
    struct handle_nodes *nodes;

    if (array == NULL) {
        return NULL;
    }
    nodes = table->allocate(table->owner, handle_nodes_bytes(count));
    if (nodes == NULL) {
        table->release(table->owner, array, handle_array_bytes(count));
        return NULL;
    }
    array->mask = (count - 1) * sizeof(struct handle_entry);
    array->nodes = nodes;
    memset(nodes, 0, handle_nodes_bytes(count));
    for (uint32_t i = 0; i < count; i++) {
        array->entry[i] = (struct handle_entry){
            .badge = HANDLE_GENERATION_ONE | i,
            .next_free = i < first || i + 1 == count ? 0 : i + 1,
        };
    }
    return array;
}

void handle_array_free(struct handle_table *table, struct handle_array *array)
{
    uint32_t count = handle_array_count(array);

    table->release(table->owner, array->nodes, handle_nodes_bytes(count));
    table->release(table->owner, array, handle_array_bytes(count));
}

/* What an old array needs to be freed once no reader can see it. */
static void handle_array_reclaim(struct epoch_callback *callback)
{
    struct handle_array *array = container_of(callback, struct handle_array, reclaim);

    handle_array_free(array->nodes->table, array);
}

/* Enter the array that replaces the full one. */
static void handle_publish_bigger(struct handle_table *table) REQUIRES(table->lock)
{
    struct handle_array *old = table->array;

    table->first_free = handle_array_count(old); /* the new half, linked when it was made */
    /* release: the entries are there before the array; pairs with the address dependency of the
     * readers (fastpath.S) */
    atomic_store_release(&table->array, table->bigger);
    table->bigger = NULL;
    table->copied = 0;
    old->nodes->table = table;
    epoch_defer(&old->reclaim, handle_array_reclaim);
}

/* Copy some entries into `bigger`; the last ones make it the array. */
static void handle_copy_some(struct handle_table *table) REQUIRES(table->lock)
{
    uint32_t count = handle_array_count(table->array);

    for (uint32_t i = 0; i < HANDLE_COPY_COUNT && table->copied < count; i++) {
        table->bigger->entry[table->copied] = table->array->entry[table->copied];
        *handle_node(table->bigger, table->copied) = *handle_node(table->array, table->copied);
        table->copied++;
    }
    if (table->copied == count) {
        handle_publish_bigger(table);
    }
}

/* Make `bigger` for a full array of `count`, unless somebody else has. No lock is held. */
static status_t handle_make_bigger(struct handle_table *table, uint32_t count)
{
    struct handle_array *bigger = handle_array_make(table, count * 2, count);

    if (bigger == NULL) {
        return ERR_NO_MEMORY;
    }
    uint64_t state = spin_lock_save(&table->lock);
    if (table->bigger == NULL && handle_array_count(table->array) == count) {
        table->bigger = bigger;
        bigger = NULL;
    }
    spin_unlock_restore(&table->lock, state);
    if (bigger != NULL) {
        handle_array_free(table, bigger);
    }
    return OK;
}

status_t handle_table_grow_step(struct handle_table *table)
{
    uint64_t state = spin_lock_save(&table->lock);
    uint32_t count = handle_array_count(table->array);
    bool is_full = table->first_free == 0;
    bool make = is_full && table->bigger == NULL;

    if (is_full && !make) {
        handle_copy_some(table);
    }
    spin_unlock_restore(&table->lock, state);
    if (!make) {
        return OK;
    }
    return count >= MAX_HANDLES ? ERR_NO_SPACE : handle_make_bigger(table, count);
}
