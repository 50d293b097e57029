/* SPDX-License-Identifier: MIT */
/*
 * Allocation by size and alignment: which class, or how many pages.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "mm/fail.h"
#include "mm/nexus.h"
#include "mm/spmalloc_priv.h"

_Static_assert(SPMALLOC_MAX_BYTES == (size_t)PAGE_BYTES << FRAME_MAX_ORDER, "mm/spmalloc.h");

/*
 * Bytes to ask the classes for. Objects lie at multiples of their class's size, so the size decides
 * the alignment: a power of two is aligned to itself, a multiple of 64 to 64.
 */
static size_t sized_bytes(size_t bytes, size_t alignment)
{
    size_t wanted = bytes + TRAILER_BYTES;
    size_t power = alignment;

    if (alignment <= 64) {
        return alignment == 64 || IS_ALIGNED(bytes, 64) ? ALIGN_UP(wanted, 64) : wanted;
    }
    while (power < wanted) {
        power *= 2;
    }
    return power;
}

static void *sized_alloc(struct account *account, size_t bytes, size_t alignment, uintptr_t site)
{
    void *object;

    ASSERT(is_power_of_two(alignment));
    if (bytes == 0 || bytes > SPMALLOC_MAX_BYTES || alignment > SPMALLOC_MAX_BYTES) {
        return NULL;
    }
    size_t wanted = sized_bytes(bytes, alignment);
    if (wanted <= SPMALLOC_SMALL_MAX) {
        object = spmalloc_small(8UL * spmalloc_class_of(wanted), account);
    } else {
        object = large_alloc(account, alignment <= PAGE_BYTES ? bytes : wanted);
    }
    if (BATON_DEBUG && object != NULL) {
        debug_after_alloc(object, bytes, site);
    }
    return object;
}

void *spmalloc_any(struct account *account, size_t bytes)
{
    return sized_alloc(account, bytes, 1, (uintptr_t)__builtin_return_address(0));
}

void *spmalloc_aligned(struct account *account, size_t bytes, size_t alignment)
{
    return sized_alloc(account, bytes, alignment, (uintptr_t)__builtin_return_address(0));
}

/* A slab's page, and one for the slab of the heap itself if the account has none on this core. */
#define RESERVE_PAGES 2U

static bool has_quota(struct account *account)
{
    if (account_charge_pages(account, 1) != OK) {
        return false;
    }
    account_uncharge_pages(account, 1);
    return true;
}

void *spmalloc_reserve(struct account *account, size_t bytes)
{
    uintptr_t site = (uintptr_t)__builtin_return_address(0);
    bool may_fail = fail_is_near(); /* a failure that a test wants is to show */
    void *object = sized_alloc(account, bytes, 1, site);

    if (object != NULL || may_fail || !has_quota(account)) {
        return object;
    }
    /* Into this core's stock, where nobody else takes it before us. */
    uint64_t state = irq_save();

    for (unsigned i = 0; i < RESERVE_PAGES && object == NULL; i++) {
        paddr_t page = nexus_alloc_page_reserve();

        if (page != FRAME_NONE) {
            nexus_free_page(page);
        }
        object = sized_alloc(account, bytes, 1, site);
    }
    (void)nexus_trim_some(core_index(), RESERVE_PAGES); /* what was not needed */
    irq_restore(state);
    return object;
}

void spmalloc_free_checked(void *object)
{
    debug_before_free(object, (uintptr_t)__builtin_return_address(0));
    spmalloc_free_object(object);
}

size_t spmalloc_usable_bytes(size_t bytes)
{
    size_t wanted = sized_bytes(bytes, 1);

    return wanted <= SPMALLOC_SMALL_MAX
               ? spmalloc_class_bytes[spmalloc_class_of(wanted)] - TRAILER_BYTES
               : large_bytes(bytes);
}
