/* SPDX-License-Identifier: MIT */
/*
 * Mapping and unmapping. The locks are held for VSPACE_BATCH_PAGES at a time; a region is marked
 * `changing` meanwhile, which keeps everybody else off its range.
 */
#include "arch/smp.h"
#include "kernel/abi/limits.h"
#include "kernel/base/atomic.h"
#include "mm/frame.h"
#include "mm/spmalloc.h"
#include "mm/vspace_page_priv.h"

#define MEMORY_FLAGS (MEMORY_POPULATE | MEMORY_GUARDED)

/* Takes what is entered for the region out, a batch at a time; faults find it closed from now on. */
static void clear_region(struct vspace *space, struct vspace_region *region,
                         struct vspace_removed *removed)
{
    vaddr_t address = region->start;

    while (address < region->end) {
        uint64_t state = spin_lock_save(&space->lock);

        region->protection = 0;
        removed->entries += region->narrowed_outside;
        address = vspace_clear_pages_locked(space, address, region->end, removed);
        spin_unlock_restore(&space->lock, state);
    }
}

/* Frees the region's part of a private object that has other regions. */
static void discard_pages(struct vspace *space, const struct vspace_region *region)
{
    uint64_t pages = (region->end - region->start) / PAGE_BYTES;

    for (uint64_t done = 0; done < pages;) {
        uint64_t count = min_u64(pages - done, VSPACE_BATCH_PAGES);
        uint64_t state = spin_lock_save(&space->lock);

        done += memory_discard_locked(region->memory, region->first + done, count);
        spin_unlock_restore(&space->lock, state);
    }
}

void vspace_drop_and_discard(struct vspace *space, struct vspace_region *region)
{
    if (vspace_has_siblings(region)) {
        discard_pages(space, region);
    }
    vspace_drop_region(space, region);
}

/*
 * Removes the regions from `region` to the one that ends at `end`. They are `changing`, so
 * nobody else takes one out or puts one between them.
 */
static void remove_regions(struct vspace *space, struct vspace_region *region, vaddr_t end)
{
    struct vspace_region *each = region;
    struct vspace_removed removed = {.entries = 0};
    vaddr_t start = region->start;

    list_init(&removed.tables);
    for (; each != NULL; each = vspace_next(space, each, end)) {
        clear_region(space, each, &removed);
    }
    vspace_finish_removal(space, start, end, &removed);
    while (region != NULL) {
        struct vspace_region *next = vspace_next(space, region, end);

        vspace_drop_and_discard(space, region);
        region = next;
    }
}

status_t vspace_unmap_any(struct vspace *space, vaddr_t start, vaddr_t end)
{
    struct vspace_region *first;
    status_t status = vspace_claim(space, start, end, 0, &first);

    if (status == OK) {
        remove_regions(space, first, end);
    }
    return status;
}

static bool alignment_ok(const struct vspace_mapping *mapping)
{
    return mapping->alignment == 0 ||
           (is_power_of_two(mapping->alignment) && mapping->alignment >= PAGE_BYTES &&
            mapping->alignment <= VSPACE_MAX_ALIGNMENT &&
            IS_ALIGNED(mapping->address, mapping->alignment));
}

/* Memory that could not be filled even if nobody took any more is not worth a promise. */
static status_t check_anonymous(const struct vspace *space, const struct vspace_mapping *mapping,
                                uint64_t pages)
{
    const struct account *account = space->account;

    if (mapping->offset != 0) {
        return ERR_INVALID;
    }
    return mapping->protection != PROTECT_NONE &&
                   (pages > frame_total_pages() || pages > account->limit - account_pages(account))
               ? ERR_NO_MEMORY
               : OK;
}

static status_t check_object(const struct vspace_mapping *mapping, uint64_t pages)
{
    const struct memory *memory = mapping->memory;
    uint64_t first = mapping->offset / PAGE_BYTES;

    if (!IS_ALIGNED(mapping->offset, PAGE_BYTES) || first >= memory->pages ||
        pages > memory->pages - first) {
        return ERR_INVALID;
    }
    if ((vspace_protection(mapping->protection) & ~mapping->allowed) != 0) {
        return ERR_NO_RIGHT;
    }
    return memory->kind == MEMORY_DEVICE && memory_has_ram(memory, first, pages) ? ERR_DENIED : OK;
}

static status_t check_mapping(const struct vspace *space, const struct vspace_mapping *mapping,
                              uint64_t bytes)
{
    if (bytes < mapping->bytes ||
        !vspace_range_ok(mapping->address == 0 ? USER_BASE : mapping->address, bytes) ||
        !alignment_ok(mapping) || !vspace_protection_ok(mapping->protection) ||
        (mapping->flags & ~(uint32_t)MEMORY_FLAGS) != 0) {
        return ERR_INVALID;
    }
    return mapping->memory == NULL ? check_anonymous(space, mapping, bytes / PAGE_BYTES)
                                   : check_object(mapping, bytes / PAGE_BYTES);
}

/* The mapping is revoked: its object is kept until its pages are out. */
static struct object *source_revoke(struct grant_leaf *leaf)
{
    struct memory *memory = container_of(leaf, struct vspace_source, leaf)->memory;

    object_retain(&memory->object);
    return &memory->object;
}

static const struct grant_leaf_class source_class = {
    .revoke = source_revoke,
    .settle = memory_end_revoked,
};

/* The region's record, with the caller's reference to the object if it is not a private one. */
static status_t make_region(struct vspace *space, const struct vspace_mapping *mapping,
                            uint64_t bytes, struct vspace_region **out)
{
    struct vspace_region *region = vspace_has_idle(space) ? vspace_take_idle(space) : NULL;
    struct memory *memory = mapping->memory;
    bool guarded = (mapping->flags & MEMORY_GUARDED) != 0;

    region = region != NULL ? region : spmalloc(space->account, sizeof *region);
    if (region == NULL) {
        return ERR_NO_MEMORY;
    }
    if (memory == NULL &&
        memory_create_private(space->account, bytes / PAGE_BYTES, &memory) != OK) {
        spmalloc_free(region);
        return ERR_NO_MEMORY;
    }
    region->start = mapping->address; /* `node` is tree_insert's business */
    region->end = mapping->address + bytes;
    region->memory = memory;
    region->first = mapping->offset / PAGE_BYTES;
    region->protection = vspace_protection(mapping->protection);
    region->allowed = (uint8_t)(mapping->memory == NULL ? PROTECT_ALL : mapping->allowed);
    region->special = 0;
    region->narrowed_outside = false;
    region->guard_below = guarded;
    region->guard_above = guarded;
    region->space = space;
    list_init(&region->mapping_link);
    *out = region;
    return OK;
}

/* Finds the region its place, if it has none, and puts it into the tree. */
static status_t place_locked(struct vspace *space, struct vspace_region *region, uint64_t alignment)
    REQUIRES(space->lock)
{
    vspace_drop_idle_locked(space);
    if (region->start == 0) {
        uint64_t bytes = region->end;

        region->start = vspace_find_free_locked(space, bytes, max_u64(alignment, PAGE_BYTES));
        if (region->start == 0) {
            return ERR_NO_SPACE;
        }
        region->end = region->start + bytes;
    }
    return vspace_insert_region_locked(space, region);
}

/* Enters a batch of pages from *next on. One that needs settling is left to the fault. */
static status_t populate_locked(struct vspace_region *region, vaddr_t *next)
    REQUIRES(region->space->lock)
{
    vaddr_t end = min_u64(region->end, *next + VSPACE_BATCH_PAGES * PAGE_BYTES);

    if (region->protection == 0) { /* it has been revoked */
        *next = region->end;
        return OK;
    }
    for (; *next < end; *next += PAGE_BYTES) {
        status_t status =
            vspace_enter_locked(region, *next, (region->protection & PROTECT_WRITE) != 0);

        if (status == ERR_NO_MEMORY) {
            return status;
        }
    }
    return OK;
}

/* Goes on where build_region stopped, with what `status` says of the first batch; the region is
 * changing. On error it is gone. */
static status_t populate_rest(struct vspace *space, struct vspace_region *region, vaddr_t next,
                              status_t status) NO_THREAD_SAFETY
{
    while (status == OK) {
        uint64_t state = memory_lock_save(region->memory);
        bool is_done;

        spin_lock(&space->lock);
        status = populate_locked(region, &next);
        is_done = status == OK && next >= region->end;
        region->changing = !is_done;
        vspace_unlock_region(region, state); /* when it is done, others may unmap and free it */
        if (is_done) {
            return OK;
        }
    }
    remove_regions(space, region, region->end);
    return status;
}

/* It may have been revoked before it was on the object's list. */
static void close_if_revoked_locked(struct vspace_region *region)
{
    /* relaxed: who revoked it takes the memory's lock afterwards */
    if (atomic_load_relaxed(&region->source->leaf.revoked)) {
        region->protection = 0;
        region->allowed = 0;
    }
}

/*
 * Places the region and enters its pages if they are wanted now. On success *start says where it
 * is, since from then on another thread may unmap it. On error *region is NULL if it is gone.
 */
static status_t build_region(struct vspace *space, const struct vspace_mapping *mapping,
                             struct vspace_region **made, vaddr_t *start) NO_THREAD_SAFETY
{
    struct vspace_region *region = *made;
    struct memory *memory = region->memory;
    uint64_t state = memory_lock_save(memory);
    status_t populated = OK;
    bool unfinished = false;
    vaddr_t next = 0;
    status_t status;

    spin_lock(&space->lock);
    status = place_locked(space, region, mapping->alignment);
    if (status == OK) {
        *start = region->start;
        if (!memory->is_private) {
            list_push_back(&memory->mappings, &region->mapping_link);
            if (region->is_copy) {
                close_if_revoked_locked(region);
            }
        }
        if ((mapping->flags & MEMORY_POPULATE) != 0 && region->protection != 0) {
            next = region->start;
            populated = populate_locked(region, &next);
            unfinished = next < region->end;
            region->changing = unfinished;
        }
    }
    /* The space comes last: then others may unmap the region, and end an object that has no lock. */
    memory_unlock(memory);
    spin_unlock_restore(&space->lock, state);
    if (unfinished) {
        status = populate_rest(space, region, next, populated);
        *made = status == OK ? region : NULL;
    }
    return status;
}

/* As vspace_map_any; `source` goes with the region, or on error it is gone. */
static status_t map_from(struct vspace *space, const struct vspace_mapping *mapping,
                         struct vspace_source *source, vaddr_t *mapped)
{
    uint64_t bytes = ALIGN_UP(mapping->bytes, PAGE_BYTES);
    struct vspace_region *region = NULL;
    vaddr_t start = 0;
    status_t status = check_mapping(space, mapping, bytes);

    if (status == OK) {
        status = make_region(space, mapping, bytes, &region);
    }
    if (status != OK) {
        if (source != NULL) {
            vspace_drop_source(source);
        }
        if (mapping->memory != NULL) {
            object_release(&mapping->memory->object);
        }
        return status;
    }
    region->source = source;
    region->is_copy = source != NULL;
    if (mapping->memory != NULL && (mapping->protection & PROTECT_EXECUTE) != 0) {
        icache_flush_all_cores(); /* the object may have been written as data */
    }
    status = build_region(space, mapping, &region, &start);
    if (status == OK) {
        *mapped = start;
    } else if (region != NULL) {
        if (source != NULL) {
            vspace_drop_source(source);
        }
        object_release(&region->memory->object);
        spmalloc_free(region);
    }
    return status;
}

status_t vspace_map_any(struct vspace *space, const struct vspace_mapping *mapping, vaddr_t *mapped)
{
    return map_from(space, mapping, NULL, mapped);
}

status_t vspace_map_copy(struct vspace *space, const struct vspace_mapping *mapping,
                         struct handle_table *handles, handle_t handle, vaddr_t *mapped)
{
    struct vspace_source *source = spmalloc(space->account, sizeof(*source));
    status_t status = ERR_NO_MEMORY;

    if (source != NULL) {
        *source = (struct vspace_source){
            .leaf = {.class = &source_class},
            .memory = mapping->memory,
            .regions = 1,
        };
        status = handle_attach_leaf(handles, handle, &source->leaf);
    }
    if (status != OK) {
        spmalloc_free(source);
        object_release(&mapping->memory->object);
        return status;
    }
    return map_from(space, mapping, source, mapped);
}

status_t vspace_map(struct vspace *space, const struct vspace_mapping *mapping, vaddr_t *mapped)
{
    if (mapping->memory != NULL) {
        object_retain(&mapping->memory->object);
    }
    return vspace_map_given(space, mapping, mapped);
}

status_t vspace_map_anonymous(struct vspace *space, vaddr_t address, uint64_t bytes,
                              uint32_t protection, vaddr_t *mapped)
{
    const struct vspace_mapping mapping = {
        .address = address,
        .bytes = bytes,
        .protection = protection,
    };

    return vspace_map(space, &mapping, mapped);
}
