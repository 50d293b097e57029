/* SPDX-License-Identifier: MIT */
/*
 * Life and lock of a memory object.
 */
#include "mm/memory.h"

#include "arch/irq.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "mm/frame.h"
#include "mm/frame_priv.h"
#include "mm/memory_priv.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"

/* Sv39 has 56-bit physical addresses. */

/* log2 of the block that holds so many pages. */
static unsigned order_of(uint64_t pages)
{
    unsigned order = 0;

    while (1UL << order < pages) {
        order++;
    }
    return order;
}

/* Nobody maps it and nobody has a handle: nothing can reach it any more. */
static void memory_destroy(struct object *object)
{
    struct memory *memory = memory_of_object(object);
    struct object *owner = memory->owner;

    ASSERT(list_is_empty(&memory->mappings));
    if (memory->kind == MEMORY_ANONYMOUS) {
        memory_free_pages(memory);
    } else if (memory->kind == MEMORY_CONTIGUOUS) {
        frame_free(memory->base, order_of(memory->pages));
        account_uncharge_pages(memory->account, memory->charged);
    }
    spmalloc_free(memory);
    if (owner != NULL) {
        object_release(owner);
    }
}

struct memory *memory_new(struct account *account, struct object *owner, uint64_t pages,
                          enum memory_kind kind)
{
    struct memory *memory = spmalloc(account, sizeof *memory);

    if (memory == NULL) {
        return NULL;
    }
    object_init(&memory->object, OBJECT_MEMORY, memory_destroy);
    spin_lock_init(&memory->lock, "memory");
    memory->kind = (uint8_t)kind;
    memory->levels = 0;
    memory->is_private = false;
    memory->pages = pages;
    memory->account = account;
    memory->owner = owner;
    memory->charged = 0;
    memory->generation = 0;
    memory->departures = 0;
    list_init(&memory->mappings);
    for (unsigned i = 0; i < MEMORY_INLINE_PAGES; i++) {
        memory->page[i] = 0;
    }
    if (owner != NULL) {
        object_retain(owner);
    }
    return memory;
}

status_t memory_create(struct account *account, struct object *owner, uint64_t pages,
                       struct memory **out)
{
    struct memory *memory;

    if (pages == 0 || pages > MEMORY_MAX_PAGES) {
        return ERR_INVALID;
    }
    memory = memory_new(account, owner, pages, MEMORY_ANONYMOUS);
    if (memory == NULL) {
        return ERR_NO_MEMORY;
    }
    memory->levels = memory_levels(pages);
    *out = memory;
    return OK;
}

status_t memory_create_private(struct account *account, uint64_t pages, struct memory **out)
{
    status_t status = memory_create(account, NULL, pages, out);

    if (status == OK) {
        (*out)->is_private = true;
    }
    return status;
}

status_t memory_create_contiguous(struct account *account, struct object *owner, uint64_t pages,
                                  struct memory **out)
{
    unsigned order = order_of(pages);
    struct memory *memory;

    if (pages == 0 || pages > 1UL << FRAME_MAX_ORDER) {
        return ERR_INVALID;
    }
    memory = memory_new(account, owner, pages, MEMORY_CONTIGUOUS);
    if (memory == NULL) {
        return ERR_NO_MEMORY;
    }
    if (account_charge_pages(account, 1UL << order) == OK) {
        memory->charged = 1UL << order;
        memory->base = frame_alloc_zeroed(order);
    }
    if (memory->base == FRAME_NONE) {
        account_uncharge_pages(account, memory->charged);
        memory->kind = MEMORY_DEVICE; /* nothing to give back */
        object_release(&memory->object);
        return ERR_NO_MEMORY;
    }
    *out = memory;
    return OK;
}

status_t memory_create_device(struct account *account, struct object *owner, paddr_t base,
                              uint64_t pages, struct memory **out)
{
    struct memory *memory;

    if (pages == 0 || !IS_ALIGNED(base, PAGE_BYTES) || base / PAGE_BYTES >= MEMORY_PHYSICAL_PAGES ||
        pages > MEMORY_PHYSICAL_PAGES - base / PAGE_BYTES) {
        return ERR_INVALID;
    }
    memory = memory_new(account, owner, pages, MEMORY_DEVICE);
    if (memory == NULL) {
        return ERR_NO_MEMORY;
    }
    memory->base = base;
    *out = memory;
    return OK;
}

status_t memory_slice(struct memory *memory, uint64_t first, uint64_t pages,
                      struct account *account, struct object *owner, struct memory **out)
{
    if (memory->kind != MEMORY_DEVICE || first >= memory->pages || pages > memory->pages - first) {
        return ERR_INVALID;
    }
    if (memory_has_ram(memory, first, pages)) {
        return ERR_DENIED;
    }
    return memory_create_device(account, owner, memory->base + first * PAGE_BYTES, pages, out);
}

bool memory_has_ram(const struct memory *memory, uint64_t first, uint64_t pages)
{
    uint64_t start = memory->base / PAGE_BYTES + first;

    for (unsigned i = 0; memory->kind == MEMORY_DEVICE && i < frame_bank_count; i++) {
        uint64_t bank = frame_banks[i].base / PAGE_BYTES;

        if (start < bank + frame_banks[i].pages && bank < start + pages) {
            return true;
        }
    }
    return false;
}

void memory_describe(struct memory *memory, struct memory_info *info)
{
    uint64_t state = memory_lock_save(memory);

    *info = (struct memory_info){
        .kind = memory->kind,
        .bytes = memory->pages * PAGE_BYTES,
        .charged_bytes = memory->charged * PAGE_BYTES,
    };
    list_for_each(link, &memory->mappings)
    {
        info->mappings++;
    }
    memory_unlock_restore(memory, state);
}

void memory_wait(struct memory *memory)
{
    memory_unlock_restore(memory, memory_lock_save(memory));
}
