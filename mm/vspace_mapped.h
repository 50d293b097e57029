/* SPDX-License-Identifier: MIT */
/*
 * What memory objects do with the regions that map them.
 *
 * Rules: private to mm/. Under memory.lock, which keeps the regions on the object's list; these take the space's lock.
 */
#pragma once

#include "mm/vspace.h"

/*
 * For memory objects, under memory.lock: where the region has pages `first` to `first` + `pages` of its
 * object (*start >= *end: nowhere), and taking write access to them out of its entries, or the
 * entries themselves. The caller flushes.
 */
void vspace_mapped_range(struct vspace_region *region, uint64_t first, uint64_t pages,
                         vaddr_t *start, vaddr_t *end);
void vspace_narrow_mapping(struct vspace_region *region, uint64_t first, uint64_t pages,
                           bool remove);

/* For memory_end_revoked, under memory.lock: may the region's pages still be there although it was revoked? Then none is
 * entered any more. */
bool vspace_close_revoked(struct vspace_region *region);
