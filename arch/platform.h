/* SPDX-License-Identifier: MIT */
/*
 * What the machine is made of, read once from the device tree.
 *
 * Rules: platform_read() fills `platform` on the boot core before anything else runs; after
 * that it is read-only and needs no lock. Every value has been checked: code above may index
 * with it. A tree that lacks something needed ends the machine with exit code 2 and a line
 * that names the node and the property.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/base/types.h"

#define PLATFORM_MAX_BANKS 16
#define PLATFORM_MAX_RESERVED 32
#define PLATFORM_MAX_NUMA_NODES 8
#define PLATFORM_BOOTARGS_BYTES 1024
#define PLATFORM_ISA_BYTES 256
#define PLATFORM_NO_CONTEXT 0xffffffffU

/* Usable RAM: page-aligned, sorted by address, disjoint, inside the direct map. */
struct platform_bank {
    paddr_t base;
    uint64_t bytes;
    uint32_t numa_node;
};

/*
 * RAM that must not be allocated, page-aligned outwards: firmware, the device tree, the boot
 * archive, the kernel image. May overlap each other. `no_map` ranges are not in the direct map.
 */
struct platform_range {
    paddr_t base;
    uint64_t bytes;
    bool no_map;
};

struct platform_uart {
    paddr_t base;
    uint64_t bytes;
    uint32_t irq;       /* PLIC source, 0 = none: the line is polled */
    uint32_t reg_shift; /* register n is at n << reg_shift */
    uint32_t io_width;  /* bytes of one access: 1 or 4 */
};

/* The PLIC that the serial line is wired to; others are not used. */
struct platform_plic {
    paddr_t base;
    uint64_t bytes;
    uint32_t sources;            /* interrupt numbers 1..sources */
    uint32_t context[MAX_CORES]; /* S-mode context of each cpu, or PLATFORM_NO_CONTEXT (a hart
                                  * of another socket, with a PLIC of its own) */
};

struct platform {
    uint32_t bank_count;
    uint32_t reserved_count;
    struct platform_bank banks[PLATFORM_MAX_BANKS];
    struct platform_range reserved[PLATFORM_MAX_RESERVED];

    cpu_t core_count; /* usable harts; cpu 0 is the boot hart, the others in tree order */
    hart_id_t hart_id[MAX_CORES];
    uint32_t numa_node[MAX_CORES]; /* dense, below numa_count */
    uint32_t cluster[MAX_CORES];   /* dense; from cpu-map, else all 0 */
    uint32_t numa_count;           /* at least 1 */
    uint32_t numa_distance[PLATFORM_MAX_NUMA_NODES][PLATFORM_MAX_NUMA_NODES];

    uint64_t timebase_hz;
    char isa[PLATFORM_ISA_BYTES]; /* ISA string of the boot hart */
    bool has_sstc;                /* every usable hart has it */
    bool has_float;               /* every usable hart has F and D */

    struct platform_uart uart;
    struct platform_plic plic;
    paddr_t test_device; /* page address of QEMU's test device */

    paddr_t tree_base; /* the device tree itself */
    uint64_t tree_bytes;
    paddr_t archive_base; /* boot archive; 0 bytes = none was given */
    uint64_t archive_bytes;
    char bootargs[PLATFORM_BOOTARGS_BYTES];
};

extern struct platform platform;

/*
 * Reads the tree at physical address `tree`. Boot core, boot page table or later. Does not
 * return when the tree is not usable.
 */
void platform_read(paddr_t tree, hart_id_t boot_hart);

/* The cpu with this hart id, or MAX_CORES. O(cores). */
cpu_t platform_find_cpu(hart_id_t hart_id);

/*
 * Looks for the word `key` or `key=...` among the boot arguments, separated by blanks. True if
 * there; the value, cut to n - 1 bytes, goes to `value` (empty for a plain word), which may be
 * NULL when n is 0. The last one of several wins.
 */
bool bootarg_find(const char *key, char *value, size_t n);

/*
 * Makes device registers accessible and returns their kernel address; lasts for ever. Boot core
 * only. An address that is in RAM, or no room, is a bug of the caller.
 */
volatile void *arch_map_device(paddr_t base, uint64_t bytes);
