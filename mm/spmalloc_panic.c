/* SPDX-License-Identifier: MIT */
/*
 * What the allocator says before it ends the kernel: which object, what is wrong, who was there.
 *
 * Rules: any context. Each text begins with "spmalloc:" and names the object's address. The call
 * sites are known in debug builds only. Going on after any of these would hand one object to two
 * owners, so they are panics in every build.
 */
#include "arch/layout.h"
#include "kernel/base/print.h"
#include "kernel/base/symbol.h"
#include "mm/spmalloc_priv.h"

#define SITE_BYTES 64
#define TEXT_BYTES 320

void spmalloc_describe_site(char *text, size_t bytes, uintptr_t site)
{
    uint64_t offset = 0;
    const char *name = site == 0 ? NULL : symbol_find(site, &offset);

    if (site == 0) {
        format_string(text, bytes, "nobody");
    } else if (name != NULL) {
        format_string(text, bytes, "%s+0x%lx", name, offset);
    } else {
        format_string(text, bytes, "0x%lx", site);
    }
}

/* `what` says what is wrong with an object of the slab; `who` what its trailer's site did. */
static NORETURN void panic_about(const struct frame *slab, uintptr_t object, const char *what,
                                 const char *who)
{
    char text[TEXT_BYTES];
    char site[SITE_BYTES] = "(not known in release builds)";

    if (BATON_DEBUG) {
        spmalloc_describe_site(site, sizeof(site), debug_trailer(slab, object)->site);
    }
    format_string(text, sizeof(text), "spmalloc: %s 0x%lx (%u bytes, slab of core %u), %s %s", what,
                  object, slab->object_bytes, slab_owner(slab), who, site);
    assert_fail(text, __FILE__, __LINE__);
}

/* The object in front, whose owner may have written behind its end. */
static uintptr_t neighbour_below(const struct frame *slab, uintptr_t object)
{
    return object % PAGE_BYTES < slab->object_bytes ? 0 : object - slab->object_bytes;
}

void panic_free_object_written(const struct frame *slab, uintptr_t object)
{
    char text[TEXT_BYTES];
    char freed[SITE_BYTES] = "(release build)";
    char below[SITE_BYTES] = "(release build)";
    uintptr_t neighbour = neighbour_below(slab, object & ~FREE_END);

    if (BATON_DEBUG && (object & FREE_END) == 0 &&
        object % PAGE_BYTES + slab->object_bytes <= PAGE_BYTES) {
        spmalloc_describe_site(freed, sizeof(freed), debug_trailer(slab, object)->site);
    }
    if (BATON_DEBUG && neighbour != 0) {
        spmalloc_describe_site(below, sizeof(below), debug_trailer(slab, neighbour)->site);
    }
    format_string(text, sizeof(text),
                  "spmalloc: write after free or overflow into the free object 0x%lx (%u bytes, "
                  "slab of core %u), freed by %s; the object below it, 0x%lx, by %s",
                  object, slab->object_bytes, slab_owner(slab), freed, neighbour, below);
    assert_fail(text, __FILE__, __LINE__);
}

void panic_travelling_written(const struct frame *slab, uintptr_t object)
{
    panic_about(slab, object, "write after free into an object on its way home,", "freed by");
}

void panic_double_free(const struct frame *slab, uintptr_t object)
{
    if (object % PAGE_BYTES / slab->object_bytes >= slab->capacity) {
        panic_not_a_start(slab, object);
    }
    panic_about(slab, object, "double free of", "freed before by");
}

void panic_overflow(const struct frame *frame, uintptr_t object)
{
    char text[TEXT_BYTES];
    char site[SITE_BYTES];
    bool large = slab_state(frame) == FRAME_LARGE;

    spmalloc_describe_site(site, sizeof(site),
                           large ? frame->free : debug_trailer(frame, object)->site);
    format_string(text, sizeof(text),
                  "spmalloc: overflow: something wrote behind the end of 0x%lx (%u bytes), "
                  "allocated by %s",
                  object, large ? frame->magic : debug_trailer(frame, object)->bytes, site);
    assert_fail(text, __FILE__, __LINE__);
}

void panic_not_a_start(const struct frame *frame, uintptr_t object)
{
    char text[TEXT_BYTES];

    format_string(text, sizeof(text),
                  "spmalloc: free of 0x%lx, which is not the start of an object (%s of %u bytes)",
                  object, slab_state(frame) == FRAME_LARGE ? "a large one" : "a slab",
                  slab_state(frame) == FRAME_LARGE ? frame->magic : frame->object_bytes);
    assert_fail(text, __FILE__, __LINE__);
}

static const char *state_text(unsigned state)
{
    static const char *const text[] = {
        [FRAME_OTHER] = "not the allocator's, or inside a block",
        [FRAME_FREE] = "free",
        [FRAME_ALLOCATED] = "a block of mm/frame",
        [FRAME_CACHED] = "free, in a nexus",
        [FRAME_PAGE] = "a single page of mm/nexus",
        [FRAME_TRAVELLING] = "a free page on its way home",
    };

    return state < ARRAY_SIZE(text) && text[state] != NULL ? text[state] : "of unknown state";
}

void panic_foreign(uintptr_t object)
{
    char text[TEXT_BYTES];
    const struct frame *frame = frame_find(direct_unmap((void *)object));

    format_string(text, sizeof(text), "spmalloc: free of 0x%lx, a foreign pointer: its page is %s",
                  object, frame == NULL ? "in no memory bank" : state_text(slab_state(frame)));
    assert_fail(text, __FILE__, __LINE__);
}

struct frame *spmalloc_check_in_use(const void *pointer)
{
    uintptr_t object = (uintptr_t)pointer;
    struct frame *frame = frame_find(direct_unmap(pointer));
    unsigned state = frame == NULL ? FRAME_OTHER : slab_state(frame);

    if (state == FRAME_LARGE) {
        if (!IS_ALIGNED(object, PAGE_BYTES)) {
            panic_not_a_start(frame, object);
        }
        return frame;
    }
    if (state != FRAME_SLAB && state != FRAME_SLAB_FULL) {
        panic_foreign(object);
    }
    if (!object_is_start(frame, object)) {
        panic_not_a_start(frame, object);
    }
    if (link_is_free(object_link(frame, object))) {
        panic_double_free(frame, object);
    }
    return frame;
}
