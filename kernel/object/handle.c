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
 * While an entry is free, `badge` keeps the value of its next life.
 */
#include "kernel/object/handle.h"

#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

#define HANDLE_FIRST_COUNT 32U
#define HANDLE_SLOT_BITS 16
#define HANDLE_SLOT_MASK 0xffffUL
#define HANDLE_GENERATION_ONE (1UL << HANDLE_SLOT_BITS)
#define HANDLE_GENERATION_LAST 0x7fffffffffffUL

_Static_assert(sizeof(struct handle_entry) == 32, "ipc/riscv/fastpath.S");
_Static_assert(offsetof(struct handle_array, entry) == 32, "ipc/riscv/fastpath.S");
_Static_assert(MAX_HANDLES == HANDLE_SLOT_MASK + 1, "a handle's slot is 16 bits");

static size_t handle_array_bytes(uint32_t count)
{
    return sizeof(struct handle_array) + count * sizeof(struct handle_entry);
}

static uint32_t handle_array_count(const struct handle_array *array)
{
    return (uint32_t)(array->mask / sizeof(struct handle_entry)) + 1;
}

static struct handle_array *handle_array_make(struct handle_table *table, uint32_t count)
{
    struct handle_array *array = table->allocate(table->owner, handle_array_bytes(count));

    if (array == NULL) {
        return NULL;
    }
    array->mask = (count - 1) * sizeof(struct handle_entry);
    for (uint32_t i = 0; i < count; i++) {
        array->entry[i] = (struct handle_entry){.badge = HANDLE_GENERATION_ONE | i};
    }
    return array;
}

status_t handle_table_init(struct handle_table *table, void *owner,
                           void *(*allocate)(void *owner, size_t bytes),
                           void (*release)(void *owner, void *memory, size_t bytes))
{
    spin_lock_init(&table->lock, "handles");
    table->owner = owner;
    table->allocate = allocate;
    table->release = release;
    table->used = 0;
    table->free_hint = 0;
    table->array = handle_array_make(table, HANDLE_FIRST_COUNT);
    return table->array == NULL ? ERR_NO_MEMORY : OK;
}

/* Take an entry out of use; returns the object whose reference the caller now owns. */
static struct object *handle_entry_clear(struct handle_table *table, struct handle_entry *entry)
    REQUIRES(table->lock)
{
    struct object *object = entry->object;
    handle_t handle = entry->handle;

    atomic_store_relaxed(&entry->handle, HANDLE_NONE); /* ordered by the fence below */
    /* release: a reader that sees anything of what follows sees the value gone; pairs with the
     * second fence in fastpath.S */
    fence_release();
    entry->rights = 0;
    entry->kind = OBJECT_NONE;
    entry->object = NULL;
    /* A slot whose generations are used up retires: no value ever names it again. */
    entry->badge = handle >> HANDLE_SLOT_BITS == HANDLE_GENERATION_LAST
                       ? HANDLE_NONE
                       : handle + HANDLE_GENERATION_ONE;
    table->used--;
    return object;
}

void handle_table_destroy(struct handle_table *table)
{
    struct handle_array *array = table->array;
    uint32_t count = handle_array_count(array);

    for (uint32_t i = 0; i < count; i++) {
        struct object *object = NULL;
        uint64_t state = spin_lock_save(&table->lock);

        if (array->entry[i].kind != OBJECT_NONE) {
            object = handle_entry_clear(table, &array->entry[i]);
        }
        spin_unlock_restore(&table->lock, state);
        if (object != NULL) {
            object_release(object);
        }
    }
    uint64_t state = spin_lock_save(&table->lock);
    table->array = NULL;
    spin_unlock_restore(&table->lock, state);
    table->release(table->owner, array, handle_array_bytes(count));
}

/* What an old array needs to be freed once no reader can see it. */
static void handle_array_reclaim(struct epoch_callback *callback)
{
    struct handle_array *array = container_of(callback, struct handle_array, reclaim);
    struct handle_table *table = (struct handle_table *)array->unused;

    table->release(table->owner, array, handle_array_bytes(handle_array_count(array)));
}

/* Replace the array by one of twice the size. */
static status_t handle_table_grow(struct handle_table *table) REQUIRES(table->lock)
{
    struct handle_array *old = table->array;
    uint32_t count = handle_array_count(old);

    if (count >= MAX_HANDLES) {
        return ERR_NO_SPACE;
    }
    struct handle_array *bigger = handle_array_make(table, count * 2);
    if (bigger == NULL) {
        return ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < count; i++) {
        bigger->entry[i] = old->entry[i];
    }
    table->free_hint = count;
    /* release: the entries are there before the array; pairs with the address dependency of the
     * readers (fastpath.S) */
    atomic_store_release(&table->array, bigger);
    old->unused = (uint64_t)table;
    epoch_defer(&old->reclaim, handle_array_reclaim);
    return OK;
}

static struct handle_entry *handle_find_free(struct handle_table *table) REQUIRES(table->lock)
{
    uint32_t count = handle_array_count(table->array);

    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = (table->free_hint + i) & (count - 1);
        struct handle_entry *entry = &table->array->entry[slot];

        if (slot != 0 && entry->kind == OBJECT_NONE && entry->badge != HANDLE_NONE) {
            table->free_hint = slot + 1;
            return entry;
        }
    }
    return NULL;
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
    default:
        return RIGHTS_RUNNABLE;
    }
}

status_t handle_open(struct handle_table *table, struct object *object, rights_t rights,
                     uint64_t badge, handle_t *out)
{
    uint64_t state = spin_lock_save(&table->lock);
    struct handle_entry *entry = handle_find_free(table);

    if (entry == NULL) {
        status_t status = handle_table_grow(table);

        if (status != OK) {
            spin_unlock_restore(&table->lock, state);
            return status;
        }
        entry = handle_find_free(table);
    }
    object_retain(object);
    *out = entry->badge;
    entry->object = object;
    entry->badge = badge;
    entry->kind = object->kind;
    entry->rights = rights & handle_rights_of(object->kind);
    table->used++;
    /* release: the whole entry is there before its value; pairs with the first fence in fastpath.S */
    atomic_store_release(&entry->handle, *out);
    spin_unlock_restore(&table->lock, state);
    return OK;
}

/* The entry that a handle names, or NULL. */
static struct handle_entry *handle_lookup(struct handle_table *table, handle_t handle)
    REQUIRES(table->lock)
{
    uint32_t slot = (uint32_t)(handle & HANDLE_SLOT_MASK);

    if (table->array == NULL || slot >= handle_array_count(table->array)) {
        return NULL;
    }
    struct handle_entry *entry = &table->array->entry[slot];
    return entry->handle == handle && entry->kind != OBJECT_NONE ? entry : NULL;
}

/* A copy of the entry, with a reference to the object. */
static status_t handle_get_entry(struct handle_table *table, handle_t handle, enum object_kind kind,
                                 rights_t rights, struct handle_entry *copy)
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
        *copy = *entry;
    }
    spin_unlock_restore(&table->lock, state);
    return status;
}

status_t handle_get(struct handle_table *table, handle_t handle, enum object_kind kind,
                    rights_t rights, struct object **object, uint64_t *badge)
{
    struct handle_entry entry;
    status_t status = handle_get_entry(table, handle, kind, rights, &entry);

    if (status == OK) {
        *object = entry.object;
        if (badge != NULL) {
            *badge = entry.badge;
        }
    }
    return status;
}

status_t handle_get_rights(struct handle_table *table, handle_t handle, enum object_kind kind,
                           rights_t rights, struct object **object, rights_t *has)
{
    struct handle_entry entry;
    status_t status = handle_get_entry(table, handle, kind, rights, &entry);

    if (status == OK) {
        *object = entry.object;
        *has = entry.rights;
    }
    return status;
}

static bool handle_has_right(struct handle_table *table, handle_t handle, rights_t right)
{
    uint64_t state = spin_lock_save(&table->lock);
    struct handle_entry *entry = handle_lookup(table, handle);
    bool has = entry != NULL && (entry->rights & right) != 0;

    spin_unlock_restore(&table->lock, state);
    return has;
}

status_t handle_close(struct handle_table *table, handle_t handle)
{
    struct object *object = NULL;
    uint64_t state = spin_lock_save(&table->lock);
    struct handle_entry *entry = handle_lookup(table, handle);

    if (entry != NULL) {
        object = handle_entry_clear(table, entry);
    }
    spin_unlock_restore(&table->lock, state);
    if (object == NULL) {
        return ERR_BAD_HANDLE;
    }
    object_release(object);
    return OK;
}

status_t handle_duplicate(struct handle_table *table, handle_t handle, rights_t rights,
                          uint64_t badge, handle_t *out)
{
    struct object *object;
    uint64_t old_badge;
    /* A badge says who the sender is, so only who manages the port may give one. */
    bool may_badge = handle_has_right(table, handle, RIGHT_MANAGE);
    status_t status =
        handle_get(table, handle, OBJECT_NONE, rights | RIGHT_DUPLICATE, &object, &old_badge);

    if (status != OK) {
        return status;
    }
    if (badge != 0 && (old_badge != 0 || !may_badge)) {
        status = ERR_NO_RIGHT;
    } else {
        status = handle_open(table, object, rights, old_badge != 0 ? old_badge : badge, out);
    }
    object_release(object);
    return status;
}

uint32_t handle_count(struct handle_table *table)
{
    uint64_t state = spin_lock_save(&table->lock);
    uint32_t used = table->used;

    spin_unlock_restore(&table->lock, state);
    return used;
}
