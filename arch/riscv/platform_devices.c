/* SPDX-License-Identifier: MIT */
/*
 * The devices that Baton drives itself: test device, serial line, PLIC.
 *
 * Rules: as in platform_priv.h.
 */
#include "arch/riscv/platform_priv.h"

#include "arch/layout.h"
#include "arch/riscv/boot_priv.h"

#define PLIC_MAX_SOURCES 1023U
#define PLIC_EXTERNAL_S 9U
#define PLIC_CONTEXT_OFFSET 0x200000U
#define PLIC_CONTEXT_STRIDE 0x1000U

static bool address_is_ram(const struct fdt *fdt, paddr_t base, uint64_t bytes)
{
    fdt_node_t node = fdt_first_child(fdt, fdt_root(fdt));
    for (; node != FDT_NONE; node = fdt_next_sibling(fdt, node)) {
        uint64_t start, length;
        for (uint32_t i = 0;
             fdt_name_is(fdt, node, "memory") && fdt_reg(fdt, node, i, &start, &length); i++) {
            if (base < start + length && start < base + bytes) {
                return true;
            }
        }
    }
    return false;
}

void platform_device_registers(const struct fdt *fdt, fdt_node_t node, paddr_t *base,
                               uint64_t *bytes)
{
    const char *name = fdt_name(fdt, node);
    if (!fdt_reg(fdt, node, 0, base, bytes) || *bytes == 0) {
        boot_fail("device tree: %s: reg is missing or malformed", name);
    }
    fdt_node_t bus = fdt_parent(fdt, node);
    for (; bus != FDT_NONE && bus != fdt_root(fdt); bus = fdt_parent(fdt, bus)) {
        uint32_t length;
        if (fdt_property(fdt, bus, "ranges", &length) == NULL || length != 0) {
            boot_fail("device tree: %s: its bus %s has ranges other than one to one", name,
                      fdt_name(fdt, bus));
        }
    }
    if (*bytes > DEVICE_BYTES / 4 || *base >= DIRECT_MAP_BYTES - *bytes) {
        boot_fail("device tree: %s: reg 0x%lx, 0x%lx bytes, is out of reach", name, *base, *bytes);
    }
    if (address_is_ram(fdt, *base, *bytes)) {
        boot_fail("device tree: %s: reg 0x%lx lies in memory", name, *base);
    }
}

void platform_read_test_device(const struct fdt *fdt)
{
    uint64_t bytes;
    paddr_t base;
    fdt_node_t node = fdt_find_compatible(fdt, FDT_NONE, "sifive,test0");
    if (node == FDT_NONE) {
        node = fdt_find_compatible(fdt, FDT_NONE, "sifive,test1");
    }
    if (node == FDT_NONE || !fdt_is_enabled(fdt, node)) {
        boot_fail("device tree: no node is compatible with sifive,test0 (the test device)");
    }
    platform_device_registers(fdt, node, &base, &bytes);
    if (!IS_ALIGNED(base, PAGE_BYTES)) {
        boot_fail("device tree: %s: reg is not page-aligned", fdt_name(fdt, node));
    }
    platform.test_device = base;
}

static fdt_node_t find_uart(const struct fdt *fdt)
{
    static const char *const names[] = {"ns16550a", "ns16550", "snps,dw-apb-uart"};
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        fdt_node_t node = fdt_find_compatible(fdt, FDT_NONE, names[i]);
        while (node != FDT_NONE && !fdt_is_enabled(fdt, node)) {
            node = fdt_find_compatible(fdt, node, names[i]);
        }
        if (node != FDT_NONE) {
            return node;
        }
    }
    return FDT_NONE;
}

/* A one-cell property that may be absent; a malformed one ends the machine. */
static void read_optional(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t *value)
{
    if (fdt_property(fdt, node, name, NULL) != NULL && !fdt_u32(fdt, node, name, value)) {
        boot_fail("device tree: %s: %s is malformed", fdt_name(fdt, node), name);
    }
}

void platform_read_uart(const struct fdt *fdt)
{
    struct platform_uart found = {.io_width = 1};
    fdt_node_t node = find_uart(fdt);
    if (node == FDT_NONE) {
        boot_fail("device tree: no node is compatible with ns16550a (the serial line)");
    }
    const char *name = fdt_name(fdt, node);
    platform_device_registers(fdt, node, &found.base, &found.bytes);
    read_optional(fdt, node, "reg-shift", &found.reg_shift);
    read_optional(fdt, node, "reg-io-width", &found.io_width);
    if (found.io_width != 1 && found.io_width != 4) {
        boot_fail("device tree: %s: reg-io-width %u is not 1 or 4", name, found.io_width);
    }
    if (found.reg_shift > 4 || (8UL << found.reg_shift) > found.bytes ||
        (found.io_width == 4 && found.reg_shift < 2)) {
        boot_fail("device tree: %s: reg-shift %u does not fit reg", name, found.reg_shift);
    }
    platform.uart = found;
}

static void read_contexts(const struct fdt *fdt, fdt_node_t node)
{
    static const char property[] = "interrupts-extended";
    uint32_t pairs = fdt_cell_count(fdt, node, property) / 2;
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        platform.plic.context[cpu] = PLATFORM_NO_CONTEXT;
    }
    for (uint32_t i = 0; i < pairs; i++) {
        uint64_t phandle, cause;
        if (!fdt_cells(fdt, node, property, 2 * i, 1, &phandle) ||
            !fdt_cells(fdt, node, property, 2 * i + 1, 1, &cause) || cause != PLIC_EXTERNAL_S) {
            continue;
        }
        fdt_node_t controller = fdt_find_phandle(fdt, (uint32_t)phandle);
        fdt_node_t hart = fdt_parent(fdt, controller);
        cpu_t cpu = platform_cpu_of_phandle(fdt, fdt_phandle(fdt, hart));
        uint64_t id;
        if (cpu == MAX_CORES && fdt_reg(fdt, hart, 0, &id, &(uint64_t){0})) {
            cpu = platform_find_cpu(id); /* a hart without a phandle of its own */
        }
        if (cpu < MAX_CORES) {
            platform.plic.context[cpu] = i;
        }
    }
}

static bool is_plic(const struct fdt *fdt, fdt_node_t node)
{
    return fdt_string_list_contains(fdt, node, "compatible", "sifive,plic-1.0.0") ||
           fdt_string_list_contains(fdt, node, "compatible", "riscv,plic0");
}

/* The controller that the serial line is wired to: a machine may have one for each socket. */
static fdt_node_t find_plic(const struct fdt *fdt, fdt_node_t uart)
{
    uint32_t phandle;
    for (fdt_node_t node = uart; node != FDT_NONE; node = fdt_parent(fdt, node)) {
        if (fdt_u32(fdt, node, "interrupt-parent", &phandle)) {
            fdt_node_t plic = fdt_find_phandle(fdt, phandle);
            return plic != FDT_NONE && is_plic(fdt, plic) ? plic : FDT_NONE;
        }
    }
    return FDT_NONE;
}

static void check_contexts(const char *name)
{
    bool any = false;
    for (cpu_t cpu = 0; cpu < platform.core_count; cpu++) {
        uint64_t context = platform.plic.context[cpu];
        if (context == PLATFORM_NO_CONTEXT) {
            continue;
        }
        any = true;
        if (PLIC_CONTEXT_OFFSET + (context + 1) * PLIC_CONTEXT_STRIDE > platform.plic.bytes) {
            boot_fail("device tree: %s: reg is too small for context %lu", name, context);
        }
    }
    if (!any) {
        boot_fail("device tree: %s: interrupts-extended names no usable hart", name);
    }
}

void platform_read_plic(const struct fdt *fdt)
{
    fdt_node_t uart = find_uart(fdt);
    fdt_node_t node = find_plic(fdt, uart);
    if (node == FDT_NONE) {
        boot_fail("device tree: %s: interrupt-parent names no node compatible with riscv,plic0",
                  fdt_name(fdt, uart));
    }
    const char *name = fdt_name(fdt, node);
    platform_device_registers(fdt, node, &platform.plic.base, &platform.plic.bytes);
    if (!fdt_u32(fdt, node, "riscv,ndev", &platform.plic.sources) || platform.plic.sources == 0 ||
        platform.plic.sources > PLIC_MAX_SOURCES) {
        boot_fail("device tree: %s: riscv,ndev is missing or not 1 to 1023", name);
    }
    read_contexts(fdt, node);
    check_contexts(name);
    read_optional(fdt, uart, "interrupts", &platform.uart.irq);
    if (platform.uart.irq > platform.plic.sources) {
        boot_fail("device tree: %s: interrupts %u is above riscv,ndev %u", fdt_name(fdt, uart),
                  platform.uart.irq, platform.plic.sources);
    }
}
