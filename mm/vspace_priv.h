/* SPDX-License-Identifier: MIT */
/*
 * Between the parts of vspace: the list of regions, and the page tables.
 *
 * Rules: only for mm/vspace*.c. `_locked` functions need the space's lock.
 */
#pragma once

#include "mm/vspace.h"

/* A range of whole pages in the user half; false when bytes is 0 or it is none. */
bool vspace_range_ok(vaddr_t address, uint64_t bytes);

/* A free range of `bytes` with an unmapped page on each side, or 0. */
vaddr_t vspace_find_free_locked(struct vspace *space, uint64_t bytes) REQUIRES(space->lock);

/* Puts the region in its place. ERR_EXISTS: overlaps another. ERR_NO_SPACE: too many. */
WARN_UNUSED status_t vspace_insert_region_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);

/* Takes the region off the list; it stays the caller's. */
void vspace_remove_region_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);

/*
 * Checks that [start, start + bytes) is mapped without a gap by regions that are not changing,
 * splits those at its ends, taking records from spare[2] (what is taken becomes NULL), and
 * marks them changing; *first is the first of them. ERR_NOT_FOUND or, when there would be too
 * many regions, ERR_NO_SPACE, and nothing done, otherwise.
 */
WARN_UNUSED status_t vspace_carve_locked(struct vspace *space, vaddr_t start, uint64_t bytes,
                                         struct vspace_region *spare[2],
                                         struct vspace_region **first) REQUIRES(space->lock);

/* The region after this one, or NULL. */
struct vspace_region *vspace_next_locked(struct vspace *space, struct vspace_region *region)
    REQUIRES(space->lock);

/* The first region that ends after `address`, or NULL. */
struct vspace_region *vspace_region_after_locked(struct vspace *space, vaddr_t address)
    REQUIRES(space->lock);

/* Enters one page, adding and charging tables. ERR_NO_MEMORY: no frames or quota. */
WARN_UNUSED status_t vspace_enter_page_locked(struct vspace *space, vaddr_t address, paddr_t page,
                                              uint32_t protection) REQUIRES(space->lock);

/*
 * Clears the entries of up to `count` pages from `address` on and puts their frames on
 * `frames`. The caller flushes, and only then frees them with vspace_free_frames.
 */
void vspace_clear_pages_locked(struct vspace *space, vaddr_t address, uint64_t count,
                               struct list *frames) REQUIRES(space->lock);

/* Frees every frame on the list and returns how many there were. */
uint64_t vspace_free_frames(struct list *frames);

/* Frees every page and table of the user half and the root. Nobody else uses the space. */
void vspace_free_tables(struct vspace *space);
