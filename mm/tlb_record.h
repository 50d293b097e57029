/* SPDX-License-Identifier: MIT */
/*
 * Debug builds: what the TLBs may hold, as software, since the emulator's forget more than they must.
 *
 * Rules: two things are kept. For each core and number, whose translations its TLB may have: a number
 * that is given while it may have another space's is a bug. And for each frame that was taken out of a
 * space's tables, the cores that may still reach it: a frame that is freed before that is nobody is
 * a bug. Both panic. Any context; takes a leaf lock. The notes are a fixed number; frames beyond
 * TLB_RECORD_NOTES that wait for a flush at once are not watched, and counted. Release builds: only
 * the flush itself is left.
 */
#pragma once

#include "arch/smp.h"
#include "kernel/base/assert.h"
#include "kernel/base/types.h"
#include "mm/vspace.h"

/* Numbers that are kept; a debug build gives no larger one. */
#define TLB_RECORD_NUMBERS 255U
#define TLB_RECORD_NOTES 1024U

#if BATON_DEBUG

/* This core's number (0: it has none) is the space's from now on. */
void tlb_record_assign(uint16_t number, const struct vspace *space);

/* This core's TLB has dropped [va, va + bytes) of `number` (TLB_EVERY_SPACE: of all). */
void tlb_record_note_flush(vaddr_t va, uint64_t bytes, uint16_t number);

/* Core `cpu` cannot load what it has of the space any more. */
void tlb_record_note_drop(const struct vspace *space, cpu_t cpu);

/* `page` was mapped at `va`; the entry is cleared. The space is locked. */
void tlb_record_note_clear(const struct vspace *space, vaddr_t va, paddr_t page);

/* The space ends. */
void tlb_record_note_end(const struct vspace *space);

/* [page, page + bytes) is about to be freed. */
void tlb_record_check_free(paddr_t page, uint64_t bytes);

/* Frames that could not be watched so far. */
uint64_t tlb_record_missed(void);

#else

static inline void tlb_record_assign(uint16_t number, const struct vspace *space)
{
    (void)number;
    (void)space;
}

static inline void tlb_record_note_flush(vaddr_t va, uint64_t bytes, uint16_t number)
{
    (void)va;
    (void)bytes;
    (void)number;
}

static inline void tlb_record_note_drop(const struct vspace *space, cpu_t cpu)
{
    (void)space;
    (void)cpu;
}

static inline void tlb_record_note_clear(const struct vspace *space, vaddr_t va, paddr_t page)
{
    (void)space;
    (void)va;
    (void)page;
}

static inline void tlb_record_note_end(const struct vspace *space)
{
    (void)space;
}

static inline void tlb_record_check_free(paddr_t page, uint64_t bytes)
{
    (void)page;
    (void)bytes;
}

static inline uint64_t tlb_record_missed(void)
{
    return 0;
}

#endif

/* The largest number to give on a machine that has `max`. */
static inline uint16_t tlb_record_limit(uint16_t max)
{
    return BATON_DEBUG && max > TLB_RECORD_NUMBERS ? TLB_RECORD_NUMBERS : max;
}

/* The same as below for one page of users. */
static inline void tlb_record_flush_page(vaddr_t page, uint16_t number)
{
    tlb_flush_local_page(page, number);
    tlb_record_note_flush(page, PAGE_BYTES, number);
}

/* Flushes this core's TLB and says so. */
static inline void tlb_record_flush(vaddr_t va, uint64_t bytes, uint16_t number)
{
    tlb_flush_local(va, bytes, number);
    tlb_record_note_flush(va, bytes, number);
}
