/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own page table: image, direct map, stack area, devices, frame window.
 *
 * Rules: built once on the boot core; afterwards only leaves in the stack and device areas are
 * added. The direct map has no executable page, none of the kernel's text and rodata is
 * writable through it, and memory that the tree marks no-map is not in it. Table pages come from
 * a pool in the image until the frame allocator is up.
 */
#include "arch/mmu.h"

#include "arch/layout.h"
#include "arch/platform.h"
#include "arch/riscv/devices_priv.h"
#include "arch/riscv/mmu_priv.h"
#include "arch/smp.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"

/* The frame window's: one for each gigabyte, and for each bank two where large leaves do not fit. */
#define POOL_TABLES (2 + 2 * PLATFORM_MAX_BANKS)

#define READ_ONLY PROTECT_READ
#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)
#define READ_EXECUTE (PROTECT_READ | PROTECT_EXECUTE)

pte_t mmu_root[MMU_TABLE_ENTRIES] __attribute__((aligned(4096), section(".bss.page")));

static pte_t pool[POOL_TABLES][MMU_TABLE_ENTRIES]
    __attribute__((aligned(4096), section(".bss.page")));
static unsigned pool_used;
static paddr_t (*table_source)(void);
static bool is_final;
static vaddr_t device_next = DEVICE_BASE;

/* The pool is .bss, so its pages are zero. */
static paddr_t pool_alloc(void)
{
    return pool_used == POOL_TABLES ? 0 : kernel_image_paddr(pool[pool_used++]);
}

static paddr_t table_alloc(void)
{
    return table_source != NULL ? table_source() : pool_alloc();
}

void mmu_set_table_source(paddr_t (*alloc_table)(void))
{
    table_source = alloc_table;
}

pte_t *mmu_kernel_root(void)
{
    return mmu_root;
}

uint64_t mmu_kernel_satp(void)
{
    return mmu_satp(kernel_image_paddr(mmu_root), 0);
}

void mmu_copy_kernel_half(pte_t *user_root)
{
    for (unsigned i = MMU_TABLE_ENTRIES / 2; i < MMU_TABLE_ENTRIES; i++) {
        user_root[i] = mmu_root[i];
    }
}

bool mmu_is_final(void)
{
    return is_final;
}

void mmu_map_kernel_range(vaddr_t va, paddr_t pa, uint64_t bytes, unsigned protection)
{
    while (bytes > 0) {
        unsigned level = MMU_ROOT_LEVEL;
        while (!IS_ALIGNED(va | pa, MMU_LEVEL_BYTES(level)) || bytes < MMU_LEVEL_BYTES(level)) {
            BUG_ON(level == 0);
            level--;
        }
        pte_t *entry = mmu_walk(mmu_root, va, level, table_alloc);
        BUG_ON(entry == NULL || *entry != 0);
        *entry = pte_make_kernel(pa, protection);
        va += MMU_LEVEL_BYTES(level);
        pa += MMU_LEVEL_BYTES(level);
        bytes -= MMU_LEVEL_BYTES(level);
    }
}

static void map_image(const char *start, const char *end, unsigned protection)
{
    uint64_t bytes = (uint64_t)(end - start);
    mmu_map_kernel_range((vaddr_t)start, kernel_image_paddr(start), bytes, protection);
}

/* Lowers *end to `limit` when that lies inside (at, *end). */
static void cut(paddr_t at, paddr_t *end, paddr_t limit)
{
    if (at < limit && limit < *end) {
        *end = limit;
    }
}

/*
 * Rights of the direct map at `at`, 0 for none; *end is lowered to where they may change.
 */
static unsigned direct_protection(paddr_t at, paddr_t *end)
{
    unsigned protection = READ_WRITE;
    paddr_t text = KERNEL_PHYSICAL_BASE;
    paddr_t data = kernel_image_paddr(__data_start);
    cut(at, end, text);
    cut(at, end, data);
    if (at >= text && at < data) {
        protection = READ_ONLY;
    }
    for (uint32_t i = 0; i < platform.reserved_count; i++) {
        const struct platform_range *range = &platform.reserved[i];
        if (!range->no_map) {
            continue;
        }
        cut(at, end, range->base);
        cut(at, end, range->base + range->bytes);
        if (at >= range->base && at < range->base + range->bytes) {
            protection = 0;
        }
    }
    return protection;
}

static void map_bank(const struct platform_bank *bank)
{
    paddr_t stop = bank->base + bank->bytes;
    for (paddr_t at = bank->base; at < stop;) {
        paddr_t end = stop;
        unsigned protection = direct_protection(at, &end);
        if (protection != 0) {
            mmu_map_kernel_range((vaddr_t)(at + DIRECT_MAP_BASE), at, end - at, protection);
        }
        at = end;
    }
}

/* The boot table has no entries for the window; it gets those that all tables will share. */
void mmu_map_frame_window(vaddr_t va, paddr_t records, uint64_t bytes)
{
    pte_t *running;
    uint64_t satp;

    BUG_ON(is_final || va < FRAME_WINDOW_BASE ||
           va + bytes > FRAME_WINDOW_BASE + FRAME_WINDOW_BYTES);
    mmu_map_kernel_range(va, records, bytes, READ_WRITE);
    __asm__ volatile("csrr %0, satp" : "=r"(satp));
    running = direct_map(satp << 12 & PTE_ADDRESS_MASK << 2);
    for (vaddr_t at = FRAME_WINDOW_BASE; at != FRAME_WINDOW_BASE + FRAME_WINDOW_BYTES;
         at += MMU_LEVEL_BYTES(MMU_ROOT_LEVEL)) {
        unsigned i = (unsigned)(at / MMU_LEVEL_BYTES(MMU_ROOT_LEVEL)) % MMU_TABLE_ENTRIES;

        running[i] = mmu_root[i];
    }
    tlb_flush_local(va, bytes, TLB_EVERY_SPACE);
}

/* Makes the level-1 table below a root entry, so that the root never changes again. */
static void fix_root_entry(vaddr_t va)
{
    BUG_ON(mmu_walk(mmu_root, va, MMU_ROOT_LEVEL - 1, table_alloc) == NULL);
}

void mmu_init(void)
{
    map_image(__text_start, __text_end, READ_EXECUTE);
    map_image(__rodata_start, __rodata_end, READ_ONLY);
    map_image(__data_start, __boot_stack_guard, READ_WRITE);
    map_image(__boot_stack_bottom, __kernel_end, READ_WRITE);
    for (uint32_t i = 0; i < platform.bank_count; i++) {
        map_bank(&platform.banks[i]);
    }
    fix_root_entry(KSTACK_BASE);
    fix_root_entry(DEVICE_BASE);
    is_final = true;
    devices_attach(); /* prints nothing: the new addresses are not reachable yet */
    mmu_switch_first(mmu_kernel_satp());
}

volatile void *arch_map_device(paddr_t base, uint64_t bytes)
{
    if (!is_final) {
        return direct_map(base);
    }
    paddr_t first = ALIGN_DOWN(base, PAGE_BYTES);
    uint64_t size = ALIGN_UP(base + bytes, PAGE_BYTES) - first;
    if (size >= MMU_LEVEL_BYTES(1)) { /* same place in its megapage, so that megapages fit */
        device_next = ALIGN_UP(device_next, MMU_LEVEL_BYTES(1)) + first % MMU_LEVEL_BYTES(1);
    }
    vaddr_t va = device_next;
    BUG_ON(size > DEVICE_BYTES || va + size > DEVICE_BASE + DEVICE_BYTES);
    device_next = va + size;
    mmu_map_kernel_range(va, first, size, READ_WRITE);
    tlb_flush_local(va, size, TLB_EVERY_SPACE);
    return (volatile void *)(uintptr_t)(va + (base - first));
}

status_t mmu_map_kernel_page(vaddr_t va, paddr_t page, unsigned protection)
{
    BUG_ON(va < KSTACK_BASE || va >= KSTACK_BASE + KSTACK_AREA_BYTES);
    pte_t *entry = mmu_walk(mmu_root, va, 0, table_alloc);
    if (entry == NULL) {
        return ERR_NO_MEMORY;
    }
    if ((*entry & PTE_VALID) != 0) {
        return ERR_EXISTS;
    }
    *(volatile pte_t *)entry = pte_make_kernel(page, protection);
    return OK;
}
