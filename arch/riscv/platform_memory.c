/* SPDX-License-Identifier: MIT */
/*
 * Memory banks, and what in them is taken.
 *
 * Rules: as in platform_priv.h. Banks are cut inwards to pages, reserved ranges outwards.
 */
#include "arch/riscv/platform_priv.h"

#include "arch/layout.h"
#include "arch/riscv/boot_priv.h"

static void insert_bank(const char *name, paddr_t start, paddr_t end, uint32_t numa_node)
{
    uint32_t at = platform.bank_count;
    if (at == PLATFORM_MAX_BANKS) {
        boot_fail("device tree: %s: more than %d memory banks", name, PLATFORM_MAX_BANKS);
    }
    while (at > 0 && platform.banks[at - 1].base > start) {
        platform.banks[at] = platform.banks[at - 1];
        at--;
    }
    platform.banks[at] = (struct platform_bank){start, end - start, numa_node};
    platform.bank_count++;
}

static void read_bank_node(const struct fdt *fdt, fdt_node_t node)
{
    const char *name = fdt_name(fdt, node);
    uint64_t start, bytes;
    uint32_t length;
    if (fdt_property(fdt, node, "reg", &length) == NULL || length == 0 ||
        !fdt_reg(fdt, node, 0, &start, &bytes)) {
        boot_fail("device tree: %s: reg is missing or malformed", name);
    }
    uint32_t numa_node = platform_numa_index(fdt, node);
    for (uint32_t i = 0; fdt_reg(fdt, node, i, &start, &bytes); i++) {
        paddr_t end = min_u64(start + bytes, DIRECT_MAP_BYTES);
        end = ALIGN_DOWN(end, PAGE_BYTES);
        start = ALIGN_UP(start, PAGE_BYTES);
        if (start >= end) {
            boot_note("device tree: %s: %lu bytes at 0x%lx are not used", name, bytes, start);
            continue;
        }
        insert_bank(name, start, end, numa_node);
    }
}

static void check_banks(void)
{
    paddr_t image = KERNEL_PHYSICAL_BASE;
    paddr_t image_end = kernel_image_paddr(__kernel_end);
    bool holds_image = false;
    for (uint32_t i = 0; i < platform.bank_count; i++) {
        paddr_t end = platform.banks[i].base + platform.banks[i].bytes;
        if (i + 1 < platform.bank_count && end > platform.banks[i + 1].base) {
            boot_fail("device tree: memory banks at 0x%lx and 0x%lx overlap",
                      platform.banks[i].base, platform.banks[i + 1].base);
        }
        holds_image = holds_image || (platform.banks[i].base <= image && image_end <= end);
    }
    if (!holds_image) {
        boot_fail("device tree: no memory bank holds the kernel image, 0x%lx to 0x%lx", image,
                  image_end);
    }
}

void platform_read_memory(const struct fdt *fdt)
{
    fdt_node_t node = fdt_first_child(fdt, fdt_root(fdt));
    for (; node != FDT_NONE; node = fdt_next_sibling(fdt, node)) {
        if (fdt_string_list_contains(fdt, node, "device_type", "memory") &&
            fdt_is_enabled(fdt, node)) {
            read_bank_node(fdt, node);
        }
    }
    if (platform.bank_count == 0) {
        boot_fail("device tree: no usable node has device_type \"memory\"");
    }
    check_banks();
}

static void reserve(paddr_t start, uint64_t bytes, bool no_map)
{
    if (bytes == 0 || start >= DIRECT_MAP_BYTES) {
        return;
    }
    if (platform.reserved_count == PLATFORM_MAX_RESERVED) {
        boot_fail("device tree: more than %d reserved memory ranges", PLATFORM_MAX_RESERVED);
    }
    paddr_t base = ALIGN_DOWN(start, PAGE_BYTES);
    paddr_t end = ALIGN_UP(min_u64(start + bytes, DIRECT_MAP_BYTES), PAGE_BYTES);
    platform.reserved[platform.reserved_count++] =
        (struct platform_range){base, end - base, no_map};
}

static void reserve_nodes(const struct fdt *fdt)
{
    fdt_node_t node = fdt_first_child(fdt, fdt_find_path(fdt, "/reserved-memory"));
    for (; node != FDT_NONE; node = fdt_next_sibling(fdt, node)) {
        uint64_t start, bytes;
        if (fdt_property(fdt, node, "reg", NULL) == NULL || !fdt_is_enabled(fdt, node)) {
            continue; /* a size without a place is a wish that nobody here has */
        }
        if (!fdt_reg(fdt, node, 0, &start, &bytes)) {
            boot_fail("device tree: reserved-memory/%s: reg is malformed", fdt_name(fdt, node));
        }
        bool no_map = fdt_property(fdt, node, "no-map", NULL) != NULL;
        for (uint32_t i = 0; fdt_reg(fdt, node, i, &start, &bytes); i++) {
            paddr_t image_end = kernel_image_paddr(__kernel_end);
            if (bytes != 0 && start < image_end && KERNEL_PHYSICAL_BASE < start + bytes) {
                boot_fail("device tree: reserved-memory/%s overlaps the kernel image",
                          fdt_name(fdt, node));
            }
            reserve(start, bytes, no_map);
        }
    }
}

/* One or two cells, as firmware writes it either way. */
static bool read_address(const struct fdt *fdt, fdt_node_t node, const char *name, uint64_t *value)
{
    uint32_t cells = fdt_cell_count(fdt, node, name);
    return (cells == 1 || cells == 2) && fdt_cells(fdt, node, name, 0, cells, value);
}

static void read_archive(const struct fdt *fdt)
{
    fdt_node_t chosen = fdt_find_path(fdt, "/chosen");
    uint64_t start, end;
    if (fdt_property(fdt, chosen, "linux,initrd-start", NULL) == NULL &&
        fdt_property(fdt, chosen, "linux,initrd-end", NULL) == NULL) {
        return;
    }
    if (!read_address(fdt, chosen, "linux,initrd-start", &start)) {
        boot_fail("device tree: /chosen: linux,initrd-start is missing or malformed");
    }
    if (!read_address(fdt, chosen, "linux,initrd-end", &end)) {
        boot_fail("device tree: /chosen: linux,initrd-end is missing or malformed");
    }
    bool in_memory = false;
    for (uint32_t i = 0; i < platform.bank_count; i++) {
        struct platform_bank *bank = &platform.banks[i];
        in_memory = in_memory || (start >= bank->base && end <= bank->base + bank->bytes);
    }
    if (start >= end || !in_memory) {
        boot_fail("device tree: /chosen: the boot archive, 0x%lx to 0x%lx, is not in memory", start,
                  end);
    }
    platform.archive_base = start;
    platform.archive_bytes = end - start;
    reserve(start, end - start, false);
}

void platform_read_reserved(const struct fdt *fdt)
{
    uint64_t start, bytes;
    for (uint32_t i = 0; fdt_reserve(fdt, i, &start, &bytes); i++) {
        reserve(start, bytes, false);
    }
    reserve_nodes(fdt);
    reserve(KERNEL_PHYSICAL_BASE, kernel_image_paddr(__kernel_end) - KERNEL_PHYSICAL_BASE, false);
    reserve(platform.tree_base, platform.tree_bytes, false);
    read_archive(fdt);
}
