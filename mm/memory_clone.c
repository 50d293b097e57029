/* SPDX-License-Identifier: MIT */
/*
 * Copy on write.
 *
 * A clone shares the frames of its original: each gets one more reference, and every entry for it
 * loses its write access. From then on the frame is not written to until one reference is left; an
 * object that wants to write gets a copy of its own first. Two things could go wrong, and both do
 * only because TLBs remember more than the page tables say:
 *
 *   (a) core 1: clone, takes the write access to frame F out of the entries
 *       core 2: another thread faults on a write to F, gets a copy F' and goes on
 *       core 3: still writes to F through its TLB: the write is in the clone and lost to the original
 *   (b) the object is mapped in two spaces; core 1 gets the copy F' and writes to it
 *       core 2: still reads F through its TLB, although core 1 told it that there is something new
 *
 * So a page whose entries have been narrowed or removed is STALE until all TLBs are known to have
 * followed, and while it is, nothing is entered for it and it is not copied. Whoever needs it in the
 * meantime does not wait for whoever made it stale, but flushes by himself (memory_settle), so that
 * nobody depends on a thread that may not be running. The generation tells whether a page may have
 * become stale again since the flush began; STALE is only cleared if it did not rise.
 *
 *   clone:  lock; references + 1; entries read-only; STALE; unlock; flush; lock; clear STALE
 *   copy:   lock; F -> F' | STALE; entries out; unlock; flush; release F; lock; clear STALE
 *   fault:  lock; STALE: unlock and settle, or else enter
 *
 * A region leaves memory->mappings only when its own flush is done, so the flush of everybody on the
 * list is enough. Who unmaps or protects a region that was narrowed from here flushes it even if he
 * finds nothing to change: (c) core 1 takes the entries for F out; core 2 unmaps the region, and there
 * is nothing to flush; core 1 does not find it on the list, and frees F. A clone's page is charged to it although it is shared, so that a copy that is
 * needed later never fails for want of quota. Pinned pages are copied at once.
 */
#include <string.h>

#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "mm/memory_priv.h"
#include "mm/nexus.h"
#include "mm/vspace_mapped.h"

#define BATCH_PAGES 64U
#define NODE_PAGES 512U
#define AUDIENCE_MAX 16U

/* Some of those who have to flush, and what. */
struct audience {
    struct {
        struct vspace *space;
        vaddr_t start;
        vaddr_t end;
    } member[AUDIENCE_MAX];
    unsigned count;
};

/*
 * The next of the spaces where these pages are mapped, kept until the flush. *skip are those that had
 * their turn; *departures tells whether these are still the first on the list. The memory's lock is held.
 */
static void audience_find_locked(struct memory *memory, uint64_t first, uint64_t pages,
                                 bool revoked, uint64_t *skip, uint64_t *departures,
                                 struct audience *audience)
{
    uint64_t place = 0;

    if (*departures != memory->departures) {
        *departures = memory->departures;
        *skip = 0;
    }
    audience->count = 0;
    list_for_each_entry(struct vspace_region, region, &memory->mappings, mapping_link)
    {
        unsigned next = audience->count;

        if (place++ < *skip) {
            continue;
        }
        if (revoked && !vspace_close_revoked(region)) {
            ++*skip;
            continue;
        }
        if (next == AUDIENCE_MAX) {
            return;
        }
        vspace_retain(region->space);
        audience->member[next].space = region->space;
        vspace_mapped_range(region, first, pages, &audience->member[next].start,
                            &audience->member[next].end);
        audience->count++;
        ++*skip;
    }
}

/* Flushes the pages wherever they are mapped, or where that was revoked; nothing is locked. Who is added meanwhile knows nothing old. */
static void flush_mappings(struct memory *memory, uint64_t first, uint64_t pages, bool revoked)
{
    struct audience audience;
    uint64_t departures = 0;
    uint64_t skip = 0;

    do {
        uint64_t state = memory_lock_save(memory);

        audience_find_locked(memory, first, pages, revoked, &skip, &departures, &audience);
        memory_unlock_restore(memory, state);
        for (unsigned i = 0; i < audience.count; i++) {
            struct vspace *space = audience.member[i].space;

            if (audience.member[i].start < audience.member[i].end) {
                vspace_flush(space, audience.member[i].start, audience.member[i].end);
            }
            vspace_release(space);
        }
    } while (audience.count == AUDIENCE_MAX);
}

static void narrow_mappings_locked(struct memory *memory, uint64_t first, uint64_t pages,
                                   bool remove)
{
    list_for_each_entry(struct vspace_region, region, &memory->mappings, mapping_link)
    {
        vspace_narrow_mapping(region, first, pages, remove);
    }
}

/* The shared frame's place goes to its copy; the frame is the caller's to release. */
static paddr_t replace_page_locked(struct memory *memory, uint64_t index, uint64_t *word,
                                   paddr_t copy)
{
    paddr_t old = *word & MEMORY_PAGE_ADDRESS;

    memcpy(direct_map(copy), direct_map(old), PAGE_BYTES);
    *word = copy | (*word & MEMORY_PAGE_PINS) | MEMORY_PAGE_STALE;
    memory->generation++;
    narrow_mappings_locked(memory, index, 1, true);
    return old;
}

/* No TLB knows more of these pages than the tables say, unless that has changed since `generation`. */
static void clear_stale(struct memory *memory, uint64_t first, uint64_t pages, uint64_t generation)
{
    for (uint64_t index = first; index < first + pages;) {
        uint64_t end = min_u64(first + pages, index + BATCH_PAGES);
        uint64_t state = memory_lock_save(memory);

        for (; memory->generation == generation && index < end; index++) {
            uint64_t *word = memory_find_page_locked(memory, index);

            if (word == NULL) { /* nor is any other page of that node there */
                index |= NODE_PAGES - 1;
            } else {
                *word &= ~MEMORY_PAGE_STALE;
            }
        }
        index = max_u64(index, end);
        memory_unlock_restore(memory, state);
    }
}

status_t memory_settle(struct memory *memory, uint64_t index, bool write)
{
    paddr_t copy = FRAME_NONE;

    for (;;) {
        uint64_t state = memory_lock_save(memory);
        uint64_t *word = memory_find_page_locked(memory, index);
        paddr_t old = FRAME_NONE;
        uint64_t generation;
        bool is_stale = word != NULL && (*word & MEMORY_PAGE_STALE) != 0;
        bool needs_copy =
            !is_stale && write && word != NULL && *word != 0 && memory_is_shared(*word);

        if (!is_stale && (!needs_copy || copy == FRAME_NONE)) {
            memory_unlock_restore(memory, state);
            if (!needs_copy) {
                break;
            }
            copy = nexus_alloc_page();
            if (copy == FRAME_NONE) {
                return ERR_NO_MEMORY;
            }
            continue;
        }
        if (needs_copy) {
            old = replace_page_locked(memory, index, word, copy);
            copy = FRAME_NONE;
        }
        generation = memory->generation;
        memory_unlock_restore(memory, state);
        flush_mappings(memory, index, 1, false);
        if (old != FRAME_NONE) {
            nexus_release_page(old);
        }
        clear_stale(memory, index, 1, generation);
    }
    if (copy != FRAME_NONE) {
        nexus_free_page(copy);
    }
    return OK;
}

/* The clone gets the page, or a copy when it is pinned. The memory's lock is held. */
static status_t share_page_locked(uint64_t *from, struct memory *clone, uint64_t index)
{
    paddr_t page = *from & MEMORY_PAGE_ADDRESS;
    uint64_t *to = memory_make_page_locked(clone, index);

    if (to == NULL || account_charge_pages(clone->account, 1) != OK) {
        return ERR_NO_MEMORY;
    }
    if ((*from & MEMORY_PAGE_PINS) == 0) {
        nexus_retain_page(page);
        *from |= MEMORY_PAGE_STALE;
        *to = page;
    } else {
        *to = nexus_alloc_page();
        if (*to == FRAME_NONE) {
            account_uncharge_pages(clone->account, 1);
            return ERR_NO_MEMORY;
        }
        memcpy(direct_map(*to), direct_map(page), PAGE_BYTES);
    }
    clone->charged++;
    return OK;
}

/* Shares up to BATCH_PAGES pages from *next on. */
static status_t share_batch(struct memory *memory, struct memory *clone, uint64_t *next)
{
    uint64_t first = *next;
    uint64_t end = min_u64(memory->pages, first + BATCH_PAGES);
    uint64_t state = memory_lock_save(memory);
    status_t status = OK;

    for (; *next < end && status == OK; ++*next) {
        uint64_t *word = memory_find_page_locked(memory, *next);

        if (word == NULL) { /* nor is any other page of that node there */
            *next |= NODE_PAGES - 1;
        } else if (*word != 0) {
            status = share_page_locked(word, clone, *next);
        }
    }
    memory->generation++;
    narrow_mappings_locked(memory, first, BATCH_PAGES, false);
    memory_unlock_restore(memory, state);
    return status;
}

status_t memory_clone(struct memory *memory, struct account *account, struct object *owner,
                      struct memory **out)
{
    struct memory *clone;
    uint64_t generation;
    uint64_t state;
    status_t status;

    ASSERT(!memory->is_private);
    if (memory->kind != MEMORY_ANONYMOUS) {
        return ERR_INVALID;
    }
    status = memory_create(account, owner, memory->pages, &clone);
    if (status != OK) {
        return status;
    }
    for (uint64_t next = 0; next < memory->pages && status == OK;) {
        status = share_batch(memory, clone, &next);
    }
    state = memory_lock_save(memory);
    generation = memory->generation;
    memory_unlock_restore(memory, state);
    flush_mappings(memory, 0, memory->pages, false);
    clear_stale(memory, 0, memory->pages, generation);
    if (status != OK) {
        object_release(&clone->object);
        return status;
    }
    *out = clone;
    return OK;
}

/* Takes the pages of a batch out of the mappings that were revoked. */
static bool end_revoked_batch(struct memory *memory, uint64_t first)
{
    bool any = false;
    uint64_t state = memory_lock_save(memory);

    list_for_each_entry(struct vspace_region, region, &memory->mappings, mapping_link)
    {
        if (vspace_close_revoked(region)) {
            vspace_narrow_mapping(region, first, BATCH_PAGES, true);
            any = true;
        }
    }
    memory_unlock_restore(memory, state);
    return any;
}

void memory_end_revoked(struct object *object)
{
    struct memory *memory = memory_of_object(object);

    for (uint64_t first = 0; first < memory->pages && end_revoked_batch(memory, first);
         first += BATCH_PAGES) {
    }
    flush_mappings(memory, 0, memory->pages, true);
}
