/* SPDX-License-Identifier: MIT */
/*
 * Single pages: allocated, shared by counted references, freed.
 *
 * Rules: after frame_init. Any context but an interrupt handler, interrupts on or off; never
 * blocks. A page starts with one reference, its allocator's; the last release frees it.
 */
#pragma once

#include "mm/frame.h"

/* A page with undefined contents, or FRAME_NONE. */
WARN_UNUSED paddr_t nexus_alloc_page(void);

/* The same, filled with zeros. */
WARN_UNUSED paddr_t nexus_alloc_page_zeroed(void);

/* Gives back a page with one reference, the caller's. Anything else is a bug and panics. */
void nexus_free_page(paddr_t page);

/* One more reference to a page that the caller has one to. */
void nexus_retain_page(paddr_t page);

/* Drops a reference; frees the page with the last one. */
void nexus_release_page(paddr_t page);

/* References now; 1 means that the caller's is the only one. */
uint32_t nexus_page_references(paddr_t page);
