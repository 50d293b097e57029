/* SPDX-License-Identifier: MIT */
/*
 * Debug builds: a trailer at the end of each object, a canary before it, poison in free objects.
 *
 *   in use   | the caller's bytes | GAP_BYTE ... | trailer: who allocated it      |
 *   free     | link | POISON ...                 | trailer: who freed it          |
 *
 * The trailer's check covers its other fields and the object's address, so an overflow by one byte
 * is seen when the object is freed, whether there is a gap or not. A large object has the gap only,
 * and its call site in the frame record. All of this is done outside the fast paths, with
 * interrupts as the caller has them: the object is the caller's at both times.
 */
#include <string.h>

#include "arch/layout.h"
#include "mm/spmalloc_priv.h"

#define GAP_BYTE 0xfb
#define POISON 0x6b6b6b6b6b6b6b6bUL
#define LARGE_GAP_BYTES 64U

#define CHECK_IN_USE 0x75736564U
#define CHECK_FREE 0x66726565U

struct trailer *debug_trailer(const struct frame *slab, uintptr_t object)
{
    return (struct trailer *)(object + slab->object_bytes - sizeof(struct trailer));
}

static uint32_t trailer_check(const struct trailer *trailer, uint32_t kind)
{
    uint64_t mix = trailer->site ^ (uint64_t)trailer->bytes << 32 ^ (uintptr_t)trailer;

    return (uint32_t)(mix * 0x9e3779b97f4a7c15UL >> 32) ^ kind;
}

static void trailer_set(struct trailer *trailer, uintptr_t site, uint32_t bytes, uint32_t kind)
{
    trailer->site = site;
    trailer->bytes = bytes;
    trailer->check = trailer_check(trailer, kind);
}

static bool is_filled(const uint8_t *from, const uint8_t *to)
{
    while (from < to && *from == GAP_BYTE) {
        from++;
    }
    return from == to;
}

static void poison(const struct frame *slab, uintptr_t object, uintptr_t site, uint32_t bytes)
{
    struct trailer *trailer = debug_trailer(slab, object);

    for (uint64_t *word = object_word(object) + 1; word < (uint64_t *)trailer; word++) {
        *word = POISON;
    }
    trailer_set(trailer, site, bytes, CHECK_FREE);
}

static void check_poison(const struct frame *slab, uintptr_t object)
{
    struct trailer *trailer = debug_trailer(slab, object);

    for (uint64_t *word = object_word(object) + 1; word < (uint64_t *)trailer; word++) {
        if (*word != POISON) {
            panic_free_object_written(slab, object);
        }
    }
    if (trailer->check != trailer_check(trailer, CHECK_FREE)) {
        panic_free_object_written(slab, object);
    }
}

void debug_fill_slab(struct frame *slab)
{
    uintptr_t page = (uintptr_t)direct_map(frame_address(slab));

    for (unsigned i = 0; i < slab->capacity; i++) {
        poison(slab, page + (uintptr_t)i * slab->object_bytes, 0, 0);
    }
}

void debug_check_slab(struct frame *slab)
{
    uintptr_t object = slab->free;

    for (unsigned n = slab->capacity; n > 0; n--) { /* the list must lead to all of them */
        if ((object & FREE_END) != 0 || !object_is_start(slab, object) ||
            !link_is_free(object_link(slab, object))) {
            panic_free_object_written(slab, object);
        }
        check_poison(slab, object);
        object ^= object_link(slab, object) >> 52;
    }
}

/* Word 1 was the link of its way home. */
void debug_come_home(uintptr_t object)
{
    object_word(object)[1] = POISON;
}

static uint8_t *large_gap_end(const struct frame *frame, uintptr_t object)
{
    size_t bytes = frame->magic;
    size_t whole = (size_t)PAGE_BYTES << frame_order(frame);

    return (uint8_t *)object + min_u64(bytes + LARGE_GAP_BYTES, whole);
}

void debug_after_alloc(void *object, size_t bytes, uintptr_t site)
{
    struct frame *frame = frame_of_pointer(object);
    uint8_t *gap = (uint8_t *)object + bytes;
    uint8_t *end;

    if (slab_state(frame) == FRAME_LARGE) {
        frame->free = site;
        frame->magic = (uint32_t)bytes;
        end = large_gap_end(frame, (uintptr_t)object);
    } else {
        struct trailer *trailer = debug_trailer(frame, (uintptr_t)object);

        check_poison(frame, (uintptr_t)object);
        trailer_set(trailer, site, (uint32_t)bytes, CHECK_IN_USE);
        end = (uint8_t *)trailer;
    }
    memset(gap, GAP_BYTE, (size_t)(end - gap));
}

void debug_before_free(void *object, uintptr_t site)
{
    struct frame *frame = spmalloc_check_in_use(object);
    uint8_t *bytes = object;

    if (slab_state(frame) == FRAME_LARGE) {
        if (!is_filled(bytes + frame->magic, large_gap_end(frame, (uintptr_t)object))) {
            panic_overflow(frame, (uintptr_t)object);
        }
        return;
    }
    struct trailer *trailer = debug_trailer(frame, (uintptr_t)object);
    if (trailer->check != trailer_check(trailer, CHECK_IN_USE) ||
        !is_filled(bytes + trailer->bytes, (uint8_t *)trailer)) {
        panic_overflow(frame, (uintptr_t)object);
    }
    poison(frame, (uintptr_t)object, site, trailer->bytes);
}
