/* SPDX-License-Identifier: MIT */
/*
 * The harts: which are usable, what they can do, and the time base.
 *
 * Rules: as in platform_priv.h. cpu 0 is the boot hart. A hart whose status is not okay is left
 * alone; a usable one must be able to run the kernel (rv64imac, an MMU).
 */
#include "arch/riscv/platform_priv.h"

#include <string.h>

#include "arch/riscv/boot_priv.h"
#include "arch/riscv/clock_priv.h"
#include "arch/riscv/isa_priv.h"

/* The old property is one string; the new one a list with the base apart. */
static bool hart_has(const struct fdt *fdt, fdt_node_t node, const char *extension)
{
    if (fdt_string_list_contains(fdt, node, "riscv,isa-extensions", extension)) {
        return true;
    }
    const char *isa = fdt_string(fdt, node, "riscv,isa");
    return isa != NULL && isa_has(isa, extension);
}

static void check_isa(const struct fdt *fdt, fdt_node_t node)
{
    static const char *const needed[] = {"m", "a", "c"};
    const char *name = fdt_name(fdt, node);
    const char *isa = fdt_string(fdt, node, "riscv,isa");
    const char *base = fdt_string(fdt, node, "riscv,isa-base");
    if (isa == NULL && base == NULL) {
        boot_fail("device tree: %s: riscv,isa is missing or malformed", name);
    }
    if (!(base != NULL ? strcmp(base, "rv64i") == 0 : isa_is_rv64(isa))) {
        boot_fail("device tree: %s: riscv,isa \"%s\" is not rv64", name, base != NULL ? base : isa);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(needed); i++) {
        if (!hart_has(fdt, node, needed[i])) {
            boot_fail("device tree: %s: riscv,isa lacks extension %s", name, needed[i]);
        }
    }
}

static void check_mmu(const struct fdt *fdt, fdt_node_t node)
{
    const char *mmu = fdt_string(fdt, node, "mmu-type");
    if (mmu == NULL || (strcmp(mmu, "riscv,sv39") != 0 && strcmp(mmu, "riscv,sv48") != 0 &&
                        strcmp(mmu, "riscv,sv57") != 0)) {
        boot_fail("device tree: %s: mmu-type is missing or not sv39, sv48 or sv57",
                  fdt_name(fdt, node));
    }
}

static bool is_hart(const struct fdt *fdt, fdt_node_t node)
{
    return fdt_string_list_contains(fdt, node, "device_type", "cpu") ||
           fdt_name_is(fdt, node, "cpu");
}

static void add_hart(const struct fdt *fdt, fdt_node_t node, hart_id_t hart, cpu_t cpu)
{
    check_isa(fdt, node);
    check_mmu(fdt, node);
    platform.hart_id[cpu] = hart;
    platform.numa_node[cpu] = platform_numa_index(fdt, node);
    platform.has_sstc = platform.has_sstc && hart_has(fdt, node, "sstc");
    platform.has_float = platform.has_float && hart_has(fdt, node, "f") && hart_has(fdt, node, "d");
    if (cpu == 0) {
        const char *isa = fdt_string(fdt, node, "riscv,isa");
        strncpy(platform.isa, isa != NULL ? isa : "rv64", PLATFORM_ISA_BYTES - 1);
    }
}

static hart_id_t read_hart_id(const struct fdt *fdt, fdt_node_t node)
{
    uint64_t hart, none;
    if (!fdt_reg(fdt, node, 0, &hart, &none)) {
        boot_fail("device tree: cpus/%s: reg is missing or malformed", fdt_name(fdt, node));
    }
    return hart;
}

static void read_timebase(const struct fdt *fdt, fdt_node_t cpus, fdt_node_t boot)
{
    uint32_t hz32;
    uint64_t hz64;
    if (fdt_u32(fdt, cpus, "timebase-frequency", &hz32) ||
        fdt_u32(fdt, boot, "timebase-frequency", &hz32)) {
        platform.timebase_hz = hz32;
    } else if (fdt_u64(fdt, cpus, "timebase-frequency", &hz64)) {
        platform.timebase_hz = hz64;
    } else {
        boot_fail("device tree: cpus: timebase-frequency is missing or malformed");
    }
    if (platform.timebase_hz == 0 || platform.timebase_hz > CLOCK_MAX_HZ) {
        boot_fail("device tree: cpus: timebase-frequency %lu is out of range",
                  platform.timebase_hz);
    }
}

void platform_read_harts(const struct fdt *fdt, hart_id_t boot_hart)
{
    fdt_node_t cpus = fdt_find_path(fdt, "/cpus");
    fdt_node_t boot = FDT_NONE;
    if (cpus == FDT_NONE) {
        boot_fail("device tree: node cpus is missing");
    }
    platform.has_sstc = true;
    platform.has_float = true;
    platform.core_count = 1; /* the boot hart's place */
    for (fdt_node_t node = fdt_first_child(fdt, cpus); node != FDT_NONE;
         node = fdt_next_sibling(fdt, node)) {
        if (!is_hart(fdt, node)) {
            continue;
        }
        hart_id_t hart = read_hart_id(fdt, node);
        if (hart == boot_hart) {
            boot = node;
            add_hart(fdt, node, hart, 0);
        } else if (fdt_is_enabled(fdt, node)) {
            if (platform.core_count == MAX_CORES) {
                boot_note("hart %lu is not used: the limit is %d cores", hart, MAX_CORES);
                continue;
            }
            add_hart(fdt, node, hart, platform.core_count++);
        }
    }
    if (boot == FDT_NONE) {
        boot_fail("device tree: cpus: no node has the boot hart's reg, %lu", boot_hart);
    }
    for (cpu_t cpu = 1; cpu < platform.core_count; cpu++) {
        if (platform_find_cpu(platform.hart_id[cpu]) != cpu) {
            boot_fail("device tree: cpus: two nodes have reg %lu", platform.hart_id[cpu]);
        }
    }
    read_timebase(fdt, cpus, boot);
}

cpu_t platform_cpu_of_phandle(const struct fdt *fdt, uint32_t phandle)
{
    uint64_t hart, none;
    fdt_node_t node = phandle == 0 ? FDT_NONE : fdt_find_phandle(fdt, phandle);
    if (node == FDT_NONE || !fdt_reg(fdt, node, 0, &hart, &none)) {
        return MAX_CORES;
    }
    return platform_find_cpu(hart);
}
