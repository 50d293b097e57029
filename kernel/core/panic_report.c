/* SPDX-License-Identifier: MIT */
/*
 * Trap reports: the cause, the place, the registers, the way there.
 *
 * Rules: as in panic.h. Reads memory only through the backtrace, which checks it first.
 */
#include "kernel/core/panic.h"

#include <string.h>

#include "arch/backtrace.h"
#include "arch/core.h"
#include "arch/layout.h"
#include "arch/trap.h"
#include "kernel/abi/limits.h"
#include "kernel/base/print.h"
#include "kernel/base/symbol.h"
#include "kernel/core/panic_priv.h"

#define CAUSE_INTERRUPT (1UL << 63)

void (*panic_describe_thread)(void (*emit)(const char *text, ...) PRINTF_LIKE(1, 2));

static const char *const cause_words[] = {
    [0] = "jump to a misaligned address",
    [1] = "physical memory refused an instruction fetch",
    [2] = "illegal instruction",
    [3] = "breakpoint",
    [4] = "misaligned load",
    [5] = "physical memory refused a load",
    [6] = "misaligned store",
    [7] = "physical memory refused a store",
    [8] = "system call from user mode",
    [9] = "system call from the kernel",
    [12] = "jump to an address that is not mapped executable",
    [13] = "load from an address that is not mapped readable",
    [15] = "store to an address that is not mapped writable",
};

static const char *const register_names[32] = {
    "zero", "ra", "sp", "gp", "tp",  "t0",  "t1", "t2", "s0", "s1", "a0",
    "a1",   "a2", "a3", "a4", "a5",  "a6",  "a7", "s2", "s3", "s4", "s5",
    "s6",   "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
};

const char *report_cause(uint64_t scause)
{
    if ((scause & CAUSE_INTERRUPT) != 0) {
        return "unexpected interrupt";
    }
    if (scause >= ARRAY_SIZE(cause_words) || cause_words[scause] == NULL) {
        return "unknown exception";
    }
    return cause_words[scause];
}

/* A return address may be the first byte of the next function when the callee never returns. */
static void report_address(vaddr_t pc, bool is_return)
{
    uint64_t offset = 0;
    const char *name = symbol_find(is_return ? pc - 1 : pc, &offset);
    if (name == NULL) {
        print("    0x%016lx\n", pc);
    } else {
        print("    0x%016lx %s+0x%lx\n", pc, name, offset + (is_return ? 1 : 0));
    }
}

void report_backtrace(const vaddr_t *trace, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        report_address(trace[i], i > 0);
    }
}

void report_place(void)
{
    struct core *core = core_current();
    print("  core %u (hart %lu), ", core->cpu, core->hart_id);
    if (panic_describe_thread != NULL) {
        panic_describe_thread(print);
    } else {
        print("no thread yet");
    }
    print("\n");
}

static void report_registers(const struct trap_frame *frame)
{
    print("  pc   0x%016lx  scause 0x%lx  stval 0x%016lx  sstatus 0x%lx\n", frame->sepc,
          frame->scause, frame->stval, frame->sstatus);
    print("  mode %s, interrupts were %s\n", trap_from_user(frame) ? "user" : "kernel",
          (frame->sstatus & (1UL << 5)) != 0 ? "on" : "off");
    for (unsigned i = 1; i < 32; i++) {
        print("  %-4s 0x%016lx%s", register_names[i], frame->x[i],
              i % 4 == 0 || i == 31 ? "\n" : "");
    }
}

/* The allocators turn a pointer into the address of its page's record (mm/frame.h). A fault there,
 * or in one of them, is a pointer that leads to no memory. */
static void report_foreign_pointer(const struct trap_frame *frame)
{
    vaddr_t pointer = (vaddr_t)((int64_t)frame->stval >> FRAME_RECORD_SHIFT) << 12;
    uint64_t offset;
    const char *name = symbol_find(frame->sepc, &offset);
    bool in_window =
        frame->stval >= FRAME_WINDOW_BASE && frame->stval - FRAME_WINDOW_BASE < FRAME_WINDOW_BYTES;

    if (in_window || (name != NULL && (strncmp(name, "spmalloc_free", 13) == 0 ||
                                       strncmp(name, "nexus_", 6) == 0))) {
        print("  there is no page record at that address: a foreign pointer, into 0x%lx to 0x%lx\n",
              pointer, pointer + PAGE_BYTES - 1);
    }
}

void report_trap(const struct trap_frame *frame, const char *who)
{
    vaddr_t trace[BACKTRACE_MAX];
    print("\n*** %s: %s, at 0x%lx\n", who, report_cause(frame->scause), frame->stval);
    if (!trap_from_user(frame)) {
        report_foreign_pointer(frame);
    }
    report_place();
    report_registers(frame);
    if (!trap_from_user(frame)) {
        print("  backtrace:\n");
        report_backtrace(trace, backtrace_collect_trap(frame, trace, BACKTRACE_MAX));
    }
}
