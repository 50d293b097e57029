/* SPDX-License-Identifier: MIT */
/*
 * The frame-pointer walk. In each frame the return address is at fp - 8 and the caller's fp at
 * fp - 16 (RISC-V calling convention, as GCC and clang lay frames out).
 *
 * Rules: as in arch/backtrace.h. A stack is known by its slot: the pointer rounded down to
 * KSTACK_SLOT_BYTES, which holds for the stack area and for the boot stack.
 */
#include "arch/backtrace.h"

#include "arch/layout.h"
#include "arch/mmu.h"
#include "arch/riscv/mmu_priv.h"
#include "arch/trap.h"

#define REG_RA 1
#define REG_FP 8

static bool in_text(vaddr_t pc)
{
    return pc >= (vaddr_t)__text_start && pc < (vaddr_t)__text_end;
}

static bool same_slot(vaddr_t a, vaddr_t b)
{
    return a / KSTACK_SLOT_BYTES == b / KSTACK_SLOT_BYTES;
}

static bool is_stack_page(vaddr_t va)
{
    bool boot = va >= (vaddr_t)__boot_stack_bottom && va < (vaddr_t)__boot_stack_top;
    bool area = va >= KSTACK_BASE && va < KSTACK_BASE + KSTACK_AREA_BYTES;
    if (!mmu_is_final()) {
        return boot;
    }
    return (boot || area) && mmu_lookup(mmu_kernel_root(), va, NULL) != 0;
}

/* The two words below fp can be read. */
static bool is_frame(vaddr_t fp)
{
    return IS_ALIGNED(fp, 8) && is_stack_page(fp - 16) && is_stack_page(fp - 1);
}

static vaddr_t word_at(vaddr_t va)
{
    return *(const vaddr_t *)(uintptr_t)va;
}

/* Adds the callers of the frame at fp to out[count..max). */
static unsigned walk(vaddr_t fp, vaddr_t *out, unsigned count, unsigned max)
{
    while (count < max && is_frame(fp)) {
        vaddr_t pc = word_at(fp - 8);
        vaddr_t next = word_at(fp - 16);
        if (!in_text(pc)) {
            break;
        }
        out[count++] = pc;
        if (next <= fp || !same_slot(next - 1, fp - 1)) {
            break; /* frames go up within one stack, so the walk ends */
        }
        fp = next;
    }
    return count;
}

unsigned backtrace_collect(vaddr_t fp, vaddr_t pc, vaddr_t *out, unsigned max)
{
    if (max == 0) {
        return 0;
    }
    out[0] = pc;
    return walk(fp, out, 1, max);
}

unsigned backtrace_collect_trap(const struct trap_frame *frame, vaddr_t *out, unsigned max)
{
    vaddr_t fp = frame->x[REG_FP];
    unsigned count = 0;
    if (max < 2) {
        return backtrace_collect(fp, frame->sepc, out, max);
    }
    out[count++] = frame->sepc;
    /* A leaf function saves only the caller's fp, at fp - 8; its return address is still in ra.
     * A jump to nowhere has no frame at all: ra says from where. */
    bool leaf = is_frame(fp) && !in_text(word_at(fp - 8)) && same_slot(word_at(fp - 8) - 1, fp - 1);
    if ((leaf || !in_text(frame->sepc)) && in_text(frame->x[REG_RA])) {
        out[count++] = frame->x[REG_RA];
    }
    return walk(leaf ? word_at(fp - 8) : fp, out, count, max);
}

unsigned backtrace_collect_here(vaddr_t *out, unsigned max)
{
    vaddr_t fp = (vaddr_t)__builtin_frame_address(0);
    if (max == 0 || !is_frame(fp)) {
        return 0;
    }
    return walk(fp, out, 0, max);
}

vaddr_t backtrace_interrupted_pc(void)
{
    vaddr_t pc;
    __asm__ volatile("csrr %0, sepc" : "=r"(pc));
    return pc;
}
