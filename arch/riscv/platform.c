/* SPDX-License-Identifier: MIT */
/*
 * Reading the device tree: the order of the parts, and what is asked of the result later.
 *
 * Rules: as in arch/platform.h. The tree is never copied: only what is needed of it.
 */
#include "arch/riscv/platform_priv.h"

#include <string.h>

#include "arch/layout.h"
#include "arch/riscv/boot_priv.h"
#include "arch/riscv/bootarg_priv.h"
#include "arch/riscv/devices_priv.h"
#include "arch/riscv/sbi_priv.h"

#define TREE_MAX_BYTES 0x200000U

struct platform platform;

const char *platform_open_tree(struct fdt *fdt, paddr_t tree)
{
    const char *why = NULL;
    if (tree == 0 || !IS_ALIGNED(tree, 8) || tree >= DIRECT_MAP_BYTES - TREE_MAX_BYTES) {
        return "its address is not usable";
    }
    uint32_t bytes = fdt_blob_bytes(direct_map(tree));
    if (bytes == 0 || bytes > TREE_MAX_BYTES) {
        return "no valid header, or larger than 2 MiB";
    }
    if (fdt_open(fdt, direct_map(tree), bytes, &why) != OK) {
        return why;
    }
    return NULL;
}

static void read_chosen(const struct fdt *fdt)
{
    fdt_node_t chosen = fdt_find_path(fdt, "/chosen");
    uint32_t bytes;
    if (fdt_property(fdt, chosen, "bootargs", &bytes) == NULL) {
        return;
    }
    const char *arguments = fdt_string(fdt, chosen, "bootargs");
    if (arguments == NULL) {
        boot_fail("device tree: /chosen: bootargs is not a string");
    }
    if (strlen(arguments) >= PLATFORM_BOOTARGS_BYTES) {
        boot_fail("device tree: /chosen: bootargs is longer than %d bytes",
                  PLATFORM_BOOTARGS_BYTES - 1);
    }
    strcpy(platform.bootargs, arguments);
}

/* The hand-over happened, or failed, in boot_main(); only the complaint is left. */
static void check_boot_hart(hart_id_t boot_hart)
{
    char word[24];
    uint64_t wanted;
    if (!bootarg_find("bootcpu", word, sizeof(word))) {
        return;
    }
    if (!bootarg_parse_number(word, &wanted)) {
        boot_note("bootcpu=%s is not a hart id; booting on hart %lu", word, boot_hart);
    } else if (wanted != boot_hart) {
        boot_note("bootcpu=%s: the firmware does not start that hart; booting on hart %lu", word,
                  boot_hart);
    }
}

void platform_read(paddr_t tree, hart_id_t boot_hart)
{
    struct fdt fdt;
    const char *why = platform_open_tree(&fdt, tree);
    if (why != NULL) {
        boot_fail("device tree at 0x%lx: %s", tree, why);
    }
    platform.tree_base = tree;
    platform.tree_bytes = fdt.bytes;
    platform_read_test_device(&fdt);
    devices_attach();
    platform_read_uart(&fdt);
    devices_attach();
    read_chosen(&fdt);
    platform_read_memory(&fdt);
    platform_read_reserved(&fdt);
    platform_read_harts(&fdt, boot_hart);
    platform_read_topology(&fdt);
    platform_read_plic(&fdt);
    devices_attach();
    const char *missing = sbi_missing(!platform.has_sstc);
    if (missing != NULL) {
        boot_fail("firmware: SBI %s is missing", missing);
    }
    check_boot_hart(boot_hart);
}

cpu_t platform_find_cpu(hart_id_t hart_id)
{
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        if (platform.hart_id[cpu] == hart_id) {
            return cpu;
        }
    }
    return MAX_CORES;
}

bool bootarg_find(const char *key, char *value, size_t n)
{
    return bootarg_find_in(platform.bootargs, key, value, n);
}
