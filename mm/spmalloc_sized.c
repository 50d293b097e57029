/* SPDX-License-Identifier: MIT */
/*
 * Allocation by size and alignment: which class, or how many pages.
 */
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
