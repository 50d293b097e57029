/* SPDX-License-Identifier: MIT */
/*
 * Where things are in the kernel's half of every address space (Sv39).
 *
 * Rules: constants only, known to C, assembly and the linker script; kernel.ld repeats
 * KERNEL_VIRTUAL_BASE and KERNEL_OFFSET and asserts them. The upper 256 root entries are the
 * same in every address space and never change after mmu_init().
 *
 *   0xffffffc000000000  direct map of physical memory, 128 GiB at most
 *   0xfffffff000000000  kernel stacks, one slot each
 *   0xfffffff800000000  device registers
 *   0xffffffff00000000  frame window: 64 bytes about each page of the direct map (mm/frame.h)
 *   0xffffffff80200000  the kernel image
 */
#pragma once

#define KERNEL_OFFSET 0xffffffff00000000
#define KERNEL_PHYSICAL_BASE 0x80200000
#define KERNEL_VIRTUAL_BASE 0xffffffff80200000

#define DIRECT_MAP_BYTES 0x2000000000
#define KERNEL_HALF_BASE 0xffffffc000000000
#define DEVICE_BASE 0xfffffff800000000
#define DEVICE_BYTES 0x40000000

/* A record of 1 << FRAME_RECORD_SHIFT bytes for each page of the direct map, mapped where there is
 * memory. It ends where the kernel image begins. */
#define FRAME_RECORD_SHIFT 6
#define FRAME_WINDOW_BYTES 0x80000000

/*
 * A stack slot: KSTACK_GUARD_BYTES without a mapping, then KSTACK_MAPPED_PAGES pages. Slots are
 * aligned to their size, so an overflow shows as (sp & (KSTACK_SLOT_BYTES - 1)) below the guard.
 * The boot stack in the image has the same shape.
 */
#define KSTACK_BASE 0xfffffff000000000
#define KSTACK_AREA_BYTES 0x20000000
#define KSTACK_SLOT_BYTES 0x8000
#define KSTACK_GUARD_BYTES 0x3000
#define KSTACK_MAPPED_PAGES 5
#define KSTACK_SLOTS (KSTACK_AREA_BYTES / KSTACK_SLOT_BYTES)

#ifndef __ASSEMBLER__

#include "kernel/base/types.h"

#ifdef __riscv
#define DIRECT_MAP_BASE 0xffffffc000000000
#define FRAME_WINDOW_BASE 0xffffffff00000000

/* The base of the window is what this makes of the direct map's: two instructions, no load. */
static inline uintptr_t frame_window_of_pointer(const void *pointer)
{
    return (uintptr_t)((intptr_t)pointer >> 12) << FRAME_RECORD_SHIFT;
}

/* The physical address of the page that a record in the window is for; records are aligned. */
static inline paddr_t frame_window_address(uintptr_t record)
{
    return (paddr_t)record << 32 >> (32 - 12 + FRAME_RECORD_SHIFT);
}

_Static_assert((uint32_t)FRAME_WINDOW_BASE == 0,
               "the low half of a record's address is its offset");
_Static_assert((uint64_t)((int64_t)DIRECT_MAP_BASE >> 12) << FRAME_RECORD_SHIFT ==
                   FRAME_WINDOW_BASE,
               "the shifts lead from the direct map into the window");
#elif defined(HOST_DIRECT_MAP_BASE)
/* A benchmark on the host: constants, as on the machine. */
#define DIRECT_MAP_BASE HOST_DIRECT_MAP_BASE
#define FRAME_WINDOW_BASE (HOST_DIRECT_MAP_BASE >> 12 << FRAME_RECORD_SHIFT)

static inline uintptr_t frame_window_of_pointer(const void *pointer)
{
    return (uintptr_t)pointer >> 12 << FRAME_RECORD_SHIFT;
}

static inline paddr_t frame_window_address(uintptr_t record)
{
    return (paddr_t)record << 32 >> (32 - 12 + FRAME_RECORD_SHIFT);
}
#else
/* A unit test on the host says where its pretended physical memory is. */
extern uint64_t host_direct_map_base;
#define DIRECT_MAP_BASE host_direct_map_base
extern uint64_t host_frame_window;
#define FRAME_WINDOW_BASE host_frame_window

static inline uintptr_t frame_window_of_pointer(const void *pointer)
{
    return FRAME_WINDOW_BASE +
           (((uint64_t)(uintptr_t)pointer - DIRECT_MAP_BASE) >> 12 << FRAME_RECORD_SHIFT);
}

static inline paddr_t frame_window_address(uintptr_t record)
{
    return (record - FRAME_WINDOW_BASE) >> FRAME_RECORD_SHIFT << 12;
}
#endif

/* The kernel's read-write view of physical memory (read-only over its own text and rodata). */
static inline void *direct_map(paddr_t address)
{
    return (void *)(uintptr_t)(address + DIRECT_MAP_BASE);
}

/* The inverse of direct_map(), for pointers that came from it. */
static inline paddr_t direct_unmap(const void *pointer)
{
    return (paddr_t)(uintptr_t)pointer - DIRECT_MAP_BASE;
}

/* The physical address of an object in the kernel image. */
static inline paddr_t kernel_image_paddr(const void *pointer)
{
    paddr_t address = (paddr_t)(uintptr_t)pointer;
    /* Keeps the compiler from folding the offset into the symbol: that is out of the linker's
     * reach from here. */
    __asm__("" : "+r"(address));
    return address - KERNEL_OFFSET;
}

/* From the linker script. */
extern char __kernel_start[], __text_start[], __text_end[], __rodata_start[], __rodata_end[];
extern char __data_start[], __bss_start[], __bss_end[], __kernel_end[];
extern char __boot_stack_guard[], __boot_stack_bottom[], __boot_stack_top[];

#endif
