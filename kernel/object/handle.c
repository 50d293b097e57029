/* SPDX-License-Identifier: MIT */
/*
 * Handle tables: slots with generations, grown by replacement.
 *
 * Protocol: writers hold the table's lock. A reader without it (ipc/riscv/fastpath.S, interrupts
 * off) loads `array` once, and the mask inside it, so it can never index past the array that it
 * reads. An entry is guarded by its own value, as by a sequence lock: while it is free the value is 0,
 * which no handle is (slot 0 is never used); opening fills everything and stores the value last
 * (release); closing stores 0 first (release after it) and then clears the rest. The reader looks at
 * the value before and after the rest, with a fence r,r on each side: if both looks give the handle
 * it was given, all it read belongs to that one life of the slot. The schedule to beat: value read,
 * then another core closes the slot and opens it for another kind of object, then the rest is read.
 * While an entry is free, `badge` keeps the value of its next life and `next_free` links it to the
 * other free ones, the last one freed first; a slot that retires is not linked again.
 */
#include "kernel/object/handle.h"

#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/object/handle_priv.h"

#define HANDLE_FIRST_COUNT 32U
#define HANDLE_GENERATION_LAST 0x7fffffffffffUL

status_t handle_table_init(struct handle_table *table, void *owner,
                           void *(*allocate)(void *owner, size_t bytes),
                           void (*release)(void *owner, void *memory, size_t bytes))
{
    spin_lock_init(&table->lock, "handles");
    table->owner = owner;
    table->allocate = allocate;
    table->release = release;
    table->used = 0;
    table->first_free = 1;
    table->bigger = NULL;
    table->copied = 0;
    table->array = handle_array_make(table, HANDLE_FIRST_COUNT, table->first_free);
    return table->array == NULL ? ERR_NO_MEMORY : OK;
}

static uint32_t handle_slot(const struct handle_table *table, const struct handle_entry *entry)
    REQUIRES(table->lock)
{
    return (uint32_t)(entry - table->array->entry);
}

/* An entry was changed: the copy in the array to come follows. */
static void handle_entry_changed(struct handle_table *table, const struct handle_entry *entry)
    REQUIRES(table->lock)
{
    uint32_t slot = handle_slot(table, entry);

    if (slot < table->copied) {
        table->bigger->entry[slot] = *entry;
    }
}

struct object *handle_entry_clear(struct handle_table *table, struct handle_entry *entry)
{
    struct object *object = entry->object;
    handle_t handle = entry->handle;

    atomic_store_relaxed(&entry->handle, HANDLE_NONE); /* ordered by the fence below */
    /* release: a reader that sees anything of what follows sees the value gone; pairs with the
     * second fence in fastpath.S */
    fence_release();
    entry->rights = 0;
    entry->kind = OBJECT_NONE;
    entry->next_free = 0;
    entry->badge = HANDLE_NONE;
    /* A slot whose generations are used up retires: no value ever names it again. */
    if (handle >> HANDLE_SLOT_BITS != HANDLE_GENERATION_LAST) {
        entry->badge = handle + HANDLE_GENERATION_ONE;
        entry->next_free = table->first_free;
        table->first_free = handle_slot(table, entry);
    }
    handle_entry_changed(table, entry);
    table->used--;
    return object;
}

void handle_table_destroy(struct handle_table *table)
{
    struct handle_array *array = table->array;
    uint32_t count = handle_array_count(array);

    for (uint32_t i = 0; i < count; i++) {
        uint64_t state = spin_lock_save(&table->lock);
        handle_t handle =
            array->entry[i].handle; /* revoking goes on, but nothing is opened any more */

        spin_unlock_restore(&table->lock, state);
        if (handle != HANDLE_NONE) {
            (void)handle_close(table, handle);
        }
    }
    uint64_t state = spin_lock_save(&table->lock);
    table->array = NULL;
    spin_unlock_restore(&table->lock, state);
    handle_array_free(table, array);
    if (table->bigger != NULL) {
        handle_array_free(table, table->bigger);
        table->bigger = NULL;
    }
}

/* The rights that mean something for a kind. Only ports can have RIGHT_CALL: the fast path relies
 * on it and looks at that bit alone. */
static rights_t handle_rights_of(uint32_t kind)
{
    switch (kind) {
    case OBJECT_PORT:
        return RIGHTS_PORT;
    case OBJECT_MEMORY:
        return RIGHTS_MEMORY;
    case OBJECT_NOTIFICATION:
        return RIGHTS_NOTIFICATION;
    default:
        return RIGHTS_RUNNABLE;
    }
}

/* Take a free slot, growing the table if there is none; on success the lock is held. */
static status_t take_slot(struct handle_table *table, uint32_t *slot,
                          uint64_t *state) NO_THREAD_SAFETY
{
    *state = spin_lock_save(&table->lock);
    while (table->first_free == 0) {
        spin_unlock_restore(&table->lock, *state);
        status_t status = handle_table_grow_step(table);

        if (status != OK) {
            return status;
        }
        *state = spin_lock_save(&table->lock);
    }
    *slot = table->first_free;
    table->first_free = (uint32_t)table->array->entry[*slot].next_free;
    table->used++;
    return OK;
}

status_t handle_reserve(struct handle_table *table, uint32_t *slot) NO_THREAD_SAFETY
{
    uint64_t state;
    status_t status = take_slot(table, slot, &state);

    if (status == OK) {
        spin_unlock_restore(&table->lock, state);
    }
    return status;
}

void handle_unreserve(struct handle_table *table, uint32_t slot)
{
    uint64_t state = spin_lock_save(&table->lock);
    struct handle_entry *entry = &table->array->entry[slot];

    entry->next_free = table->first_free;
    table->first_free = slot;
    table->used--;
    handle_entry_changed(table, entry);
    spin_unlock_restore(&table->lock, state);
}

handle_t handle_fill(struct handle_table *table, uint32_t slot, struct object *object,
                     rights_t rights, uint64_t badge)
{
    struct handle_entry *entry = &table->array->entry[slot];
    handle_t handle = entry->badge;

    object_retain(object);
    entry->object = object;
    entry->badge = badge;
    entry->kind = object->kind;
    entry->rights = rights & (handle_rights_of(object->kind) | HANDLE_IS_COPY);
    /* release: the whole entry is there before its value; pairs with the first fence in fastpath.S */
    atomic_store_release(&entry->handle, handle);
    handle_entry_changed(table, entry);
    return handle;
}

status_t handle_open(struct handle_table *table, struct object *object, rights_t rights,
                     uint64_t badge, handle_t *out) NO_THREAD_SAFETY
{
    uint64_t state;
    uint32_t slot;
    status_t status = take_slot(table, &slot, &state);

    if (status == OK) {
        *out = handle_fill(table, slot, object, rights, badge);
        spin_unlock_restore(&table->lock, state);
    }
    return status;
}

struct handle_entry *handle_lookup(struct handle_table *table, handle_t handle)
{
    uint32_t slot = (uint32_t)(handle & HANDLE_SLOT_MASK);

    if (table->array == NULL || slot * sizeof(struct handle_entry) > table->array->mask) {
        return NULL;
    }
    struct handle_entry *entry = &table->array->entry[slot];
    return entry->handle == handle && entry->kind != OBJECT_NONE ? entry : NULL;
}

/* The same for the callers below, who leave out what they do not need: inline, since the system calls
 * of memory and ports begin with it. */
static inline __attribute__((always_inline)) status_t
handle_get_entry(struct handle_table *table, handle_t handle, enum object_kind kind,
                 rights_t rights, struct object **object, uint64_t *badge, rights_t *has)
{
    status_t status = OK;
    uint64_t state = spin_lock_save(&table->lock);
    struct handle_entry *entry = handle_lookup(table, handle);

    if (entry == NULL) {
        status = ERR_BAD_HANDLE;
    } else if (kind != OBJECT_NONE && entry->kind != kind) {
        status = ERR_WRONG_TYPE;
    } else if ((entry->rights & rights) != rights) {
        status = ERR_NO_RIGHT;
    } else {
        object_retain(entry->object);
        *object = entry->object;
        if (badge != NULL) {
            *badge = entry->badge;
        }
        if (has != NULL) {
            *has = entry->rights;
        }
    }
    spin_unlock_restore(&table->lock, state);
    return status;
}

status_t handle_get(struct handle_table *table, handle_t handle, enum object_kind kind,
                    rights_t rights, struct object **object, uint64_t *badge)
{
    return handle_get_entry(table, handle, kind, rights, object, badge, NULL);
}

status_t handle_get_rights(struct handle_table *table, handle_t handle, enum object_kind kind,
                           rights_t rights, struct object **object, rights_t *has)
{
    return handle_get_entry(table, handle, kind, rights, object, NULL, has);
}

status_t handle_close(struct handle_table *table, handle_t handle)
{
    struct object *object = NULL;
    bool copied = false;
    uint64_t state = spin_lock_save(&table->lock);
    struct handle_entry *entry = handle_lookup(table, handle);

    if (entry != NULL) {
        copied = !grant_node_is_alone(handle_node(table->array, handle_slot(table, entry)));
        object = copied ? NULL : handle_entry_clear(table, entry);
    }
    spin_unlock_restore(&table->lock, state);
    if (copied) {
        object = handle_close_copied(table, handle);
    }
    if (object == NULL) {
        return ERR_BAD_HANDLE;
    }
    object_release(object);
    return OK;
}

uint32_t handle_count(struct handle_table *table)
{
    uint64_t state = spin_lock_save(&table->lock);
    uint32_t used = table->used;

    spin_unlock_restore(&table->lock, state);
    return used;
}
