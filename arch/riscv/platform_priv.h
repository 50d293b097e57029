/* SPDX-License-Identifier: MIT */
/*
 * The parts of reading the device tree, one function a topic.
 *
 * Rules: called by platform_read() in the order of this list; each fills its part of `platform`
 * or ends the machine through boot_fail(). The tree has been checked by fdt_open().
 */
#pragma once

#include "arch/platform.h"
#include "kernel/base/fdt.h"

/* Opens the tree at a physical address; NULL, or why not. Changes nothing else. */
const char *platform_open_tree(struct fdt *fdt, paddr_t tree);

/* Test device, then serial line: from there on messages and exit codes go the direct way. */
void platform_read_test_device(const struct fdt *fdt);
void platform_read_uart(const struct fdt *fdt);
/* Memory banks; then everything in them that is taken, see struct platform_range. */
void platform_read_memory(const struct fdt *fdt);
void platform_read_reserved(const struct fdt *fdt);
/* Harts, ISA strings, timebase; then clusters and distances. */
void platform_read_harts(const struct fdt *fdt, hart_id_t boot_hart);
void platform_read_topology(const struct fdt *fdt);
void platform_read_plic(const struct fdt *fdt);

/* Maps a NUMA node id of the tree to a dense number (new ones are added). */
uint32_t platform_numa_index(const struct fdt *fdt, fdt_node_t node);

/* reg entry 0 of a device on identity-mapped buses, page-aligned and outside RAM, or the end. */
void platform_device_registers(const struct fdt *fdt, fdt_node_t node, paddr_t *base,
                               uint64_t *bytes);

/* The node that a cpu phandle names, as a cpu; MAX_CORES for a disabled or unknown one. */
cpu_t platform_cpu_of_phandle(const struct fdt *fdt, uint32_t phandle);
