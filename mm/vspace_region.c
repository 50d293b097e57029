/* SPDX-License-Identifier: MIT */
/*
 * The tree of an address space's regions: finding, placing, splitting, claiming.
 *
 * Each region knows the free gap below it (its node's weight), and the tree the largest one of each
 * subtree, so that a free range is found by descending. Equation: for neighbours a, b in order,
 * b's weight == b.start - a.end.
 */
#include "kernel/abi/limits.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "mm/spmalloc.h"
#include "mm/vspace_priv.h"

/* Where the search for a free place begins: far above programs that are linked low. */
#define SEARCH_BASE 0x1000000000UL

static struct vspace_region *region_of(struct tree_node *node)
{
    return node == NULL ? NULL : tree_entry(node, struct vspace_region, node);
}

void vspace_init_regions(struct vspace *space)
{
    tree_init(&space->regions);
}

struct vspace_region *vspace_next_locked(struct vspace *space, struct vspace_region *region)
{
    (void)space;
    return region_of(tree_next(&region->node));
}

struct vspace_region *vspace_next(struct vspace *space, struct vspace_region *region, vaddr_t end)
{
    uint64_t state = spin_lock_save(&space->lock);
    struct vspace_region *next = vspace_next_locked(space, region);

    if (next != NULL && next->start >= end) {
        next = NULL; /* somebody else's, who may free it */
    }
    spin_unlock_restore(&space->lock, state);
    return next;
}

/* Where it fits between `floor` and `ceiling`, with a page to spare on each side, or 0. */
static vaddr_t fit(vaddr_t floor, vaddr_t ceiling, uint64_t bytes, uint64_t alignment)
{
    vaddr_t start = ALIGN_UP(max_u64(floor + PAGE_BYTES, SEARCH_BASE), alignment);

    return start < ceiling && ceiling - start >= bytes + PAGE_BYTES ? start : 0;
}

/*
 * The lowest fit in a gap of the subtree. `need` is what surely is enough wherever the gap begins. Only
 * along the one path to SEARCH_BASE can a subtree with a gap that large have no fit, so this takes
 * a walk down, and one more at most for each level of that path.
 */
static vaddr_t search_subtree(struct tree_node *node, uint64_t bytes, uint64_t alignment,
                              uint64_t need)
{
    while (node != NULL && node->heaviest >= need) {
        struct vspace_region *region = region_of(node);
        vaddr_t found = 0;

        if (region->start > SEARCH_BASE) {
            found = search_subtree(node->left, bytes, alignment, need);
            if (found == 0 && node->weight >= need) {
                found = fit(region->start - node->weight, region->start, bytes, alignment);
            }
        }
        if (found != 0) {
            return found;
        }
        node = node->right;
    }
    return 0;
}

vaddr_t vspace_find_free_locked(struct vspace *space, uint64_t bytes, uint64_t alignment)
{
    uint64_t need = bytes + PAGE_BYTES + alignment; /* bytes < USER_TOP: no overflow */
    vaddr_t found = search_subtree(space->regions.root, bytes, alignment, need);
    struct vspace_region *last;

    ASSERT(space->idle == NULL);
    if (found != 0) {
        return found;
    }
    last = region_of(tree_last(&space->regions));
    return fit(last == NULL ? 0 : last->end, USER_TOP, bytes, alignment);
}

static bool collides(const struct vspace_region *below, const struct vspace_region *above)
{
    uint64_t apart = below->guard_above || above->guard_below ? PAGE_BYTES : 0;

    return below->end + apart > above->start;
}

bool vspace_put_in_locked(struct vspace *space, struct vspace_region *region)
{
    struct tree_node *parent = NULL;
    struct tree_node **place = &space->regions.root;
    struct vspace_region *below = NULL;
    struct vspace_region *above = NULL;

    ASSERT(space->idle == NULL);
    while (*place != NULL) {
        parent = *place;
        if (region->start < region_of(parent)->start) {
            above = region_of(parent);
            place = &parent->left;
        } else {
            below = region_of(parent);
            place = &parent->right;
        }
    }
    if ((below != NULL && collides(below, region)) || (above != NULL && collides(region, above))) {
        return false;
    }
    region->node.weight = region->start - (below == NULL ? 0 : below->end);
    if (above != NULL) {
        above->node.weight = above->start - region->end;
    }
    tree_insert(&space->regions, &region->node, parent, place, above == NULL ? NULL : &above->node);
    return true;
}

status_t vspace_insert_region_locked(struct vspace *space, struct vspace_region *region)
{
    if (!vspace_put_in_locked(space, region)) {
        return ERR_EXISTS;
    }
    if (space->region_count == VSPACE_MAX_REGIONS) {
        vspace_take_out_locked(space, region);
        return ERR_NO_SPACE;
    }
    space->region_count++;
    return OK;
}

void vspace_take_out_locked(struct vspace *space, struct vspace_region *region)
{
    struct tree_node *above = tree_next(&region->node);

    if (above != NULL) {
        above->weight += region->end - region->start + region->node.weight;
    }
    tree_remove(&space->regions, &region->node, above);
}

void vspace_remove_region_locked(struct vspace *space, struct vspace_region *region)
{
    vspace_take_out_locked(space, region);
    space->region_count--;
}

struct vspace_region *vspace_lock_region(struct vspace *space, vaddr_t address,
                                         uint64_t *state) NO_THREAD_SAFETY
{
    for (;;) {
        struct vspace_region *region;
        struct memory *memory;

        *state = spin_lock_save(&space->lock);
        region = vspace_find_region_locked(space, address);
        memory = region == NULL ? NULL : region->memory;
        if (memory == NULL) { /* nothing there, or the idle region */
            spin_unlock_restore(&space->lock, *state);
            return NULL;
        }
        if (memory_try_lock(memory)) {
            return region;
        }
        object_retain(&memory->object);
        spin_unlock_restore(&space->lock, *state);
        memory_wait(memory);
        object_release(&memory->object);
    }
}

void vspace_unlock_region(struct vspace_region *region, uint64_t state) NO_THREAD_SAFETY
{
    memory_unlock(region->memory);
    spin_unlock_restore(&region->space->lock, state);
}

/* The part from `cut` on, which is inside the region, becomes `upper`. Both locks are held. */
static void split_locked(struct vspace *space, struct vspace_region *region, vaddr_t cut,
                         struct vspace_region *upper) NO_THREAD_SAFETY
{
    struct tree_node **place = &region->node.right;
    struct tree_node *parent = &region->node;

    vspace_drop_idle_locked(space);
    *upper = *region;
    if (upper->is_copy) {
        (void)atomic_add_relaxed(&region->source->regions, 1); /* relaxed: a number */
    }
    upper->start = cut;
    upper->first += (cut - region->start) / PAGE_BYTES;
    upper->node.weight = 0;
    upper->guard_below = false;
    region->end = cut;
    region->guard_above = false;
    while (*place != NULL) { /* the next one in order */
        parent = *place;
        place = &parent->left;
    }
    tree_insert(&space->regions, &upper->node, parent, place, NULL);
    space->region_count++;
    object_retain(&upper->memory->object);
    list_init(&upper->mapping_link);
    if (!upper->memory->is_private) {
        list_push_back(&upper->memory->mappings, &upper->mapping_link);
    }
}

/* Makes a region begin at `cut`, if one holds it that nobody is changing. */
static status_t split_at(struct vspace *space, vaddr_t cut)
{
    struct vspace_region *upper = vspace_has_idle(space) ? vspace_take_idle(space) : NULL;
    struct vspace_region *region;
    status_t status = OK;
    uint64_t state;

    /* reserve: to unmap a part is a way out of a shortage */
    upper = upper != NULL ? upper : spmalloc_reserve(space->account, sizeof *upper);
    if (upper == NULL) {
        return ERR_NO_MEMORY;
    }
    region = vspace_lock_region(space, cut, &state);
    if (region != NULL) {
        if (space->region_count == VSPACE_MAX_REGIONS) {
            status = ERR_NO_SPACE;
        } else if (region->start < cut && !region->changing) {
            split_locked(space, region, cut, upper);
            upper = NULL;
        }
        vspace_unlock_region(region, state);
    }
    spmalloc_free(upper);
    return status;
}

/* Whether [start, end) can be claimed; *cut is where a region has to be split first, or 0. */
static status_t check_claim_locked(struct vspace *space, vaddr_t start, vaddr_t end,
                                   uint32_t protection, vaddr_t *cut) REQUIRES(space->lock)
{
    struct vspace_region *region = vspace_find_region_locked(space, start);
    vaddr_t covered = start;

    *cut = region != NULL && region->start < start ? start : 0;
    for (; covered < end; region = vspace_next_locked(space, region)) {
        if (region == NULL || region->start > covered || region->changing) {
            return ERR_NOT_FOUND;
        }
        if ((protection & ~(uint32_t)region->allowed) != 0) {
            return ERR_NO_RIGHT;
        }
        covered = region->end;
        if (covered >= end) {
            break;
        }
    }
    if (*cut == 0 && covered > end) {
        *cut = end;
    }
    return OK;
}

status_t vspace_claim(struct vspace *space, vaddr_t start, vaddr_t end, uint32_t protection,
                      struct vspace_region **first)
{
    for (;;) {
        uint64_t state = spin_lock_save(&space->lock);
        vaddr_t cut;
        status_t status = check_claim_locked(space, start, end, protection, &cut);

        if (status == OK && cut == 0) {
            struct vspace_region *region = vspace_find_region_locked(space, start);

            *first = region;
            for (; region != NULL && region->start < end;
                 region = vspace_next_locked(space, region)) {
                region->changing = true;
            }
        }
        spin_unlock_restore(&space->lock, state);
        if (status != OK || cut == 0) {
            return status;
        }
        status = split_at(space, cut);
        if (status != OK) {
            return status;
        }
    }
}

void vspace_drop_source(struct vspace_source *source)
{
    /* acq_rel: the other parts are gone; pairs with itself */
    if (atomic_sub_acq_rel(&source->regions, 1) == 1) {
        grant_drop_leaf(&source->leaf);
        spmalloc_free(source);
    }
}

void vspace_drop_region(struct vspace *space, struct vspace_region *region) NO_THREAD_SAFETY
{
    struct memory *memory = region->memory;

    uint64_t state = memory_lock_save(memory);
    spin_lock(&space->lock);
    vspace_remove_region_locked(space, region);
    list_remove(&region->mapping_link);
    memory->departures++;
    spin_unlock(&space->lock);
    memory_unlock_restore(memory, state);
    if (region->is_copy) {
        vspace_drop_source(region->source);
    }
    object_release(&memory->object);
    spmalloc_free(region);
}

void vspace_free_regions(struct vspace *space)
{
    uint64_t state = spin_lock_save(&space->lock);

    vspace_drop_idle_locked(space);
    spin_unlock_restore(&space->lock, state);
    while (space->regions.root != NULL) {
        vspace_drop_region(space, region_of(space->regions.root));
    }
}
