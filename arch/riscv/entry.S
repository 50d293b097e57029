/* SPDX-License-Identifier: MIT */
/*
 * The first instructions of every hart: from physical addresses to C in the high half.
 *
 * Rules: entered by the firmware in S-mode, MMU off, interrupts off, on any hart. `la` gives
 * physical addresses until satp is written and virtual ones after, because the code is
 * pc-relative. There is no identity mapping: the first fetch after writing satp faults, and
 * the trap vector, set to the virtual address of the next instruction, continues there.
 */
#include "arch/layout.h"
#include "arch/riscv/boot_priv.h"
#include "kernel/abi/limits.h"

#define SATP_SV39 (8 << 60)
#define SSTATUS_FS_VS 0x6600
#define SBI_HSM 0x48534d
#define SBI_HSM_START 0
#define SBI_HSM_STOP 1

    .section .text.entry, "ax", @progbits

/*
 * void _start(hart_id_t hart, paddr_t tree)
 * In: a0 hart id, a1 device tree. Does not return. Stack: the boot stack.
 * Writes .bss and boot_taken only: with bootcpu= a second hart comes here after the first, and
 * boot_hand_over frees boot_taken for it. Whoever finds boot_taken set is late.
 */
    .globl _start
    .type _start, @function
_start:
    csrw    sie, zero
    csrci   sstatus, 2
    li      t0, SSTATUS_FS_VS           /* floating point off until a user asks for it */
    csrc    sstatus, t0
    la      t0, boot_taken
    li      t1, 1
    amoswap.w.aqrl t1, t1, (t0)         /* one hart only; pairs with itself on the others */
    bnez    t1, late_start
    mv      s2, a0
    mv      s3, a1

    la      t0, __bss_start
    la      t1, __bss_end
1:  sd      zero, 0(t0)
    addi    t0, t0, 8
    bltu    t0, t1, 1b

    li      t2, KERNEL_OFFSET
    la      t0, 2f
    add     t0, t0, t2
    csrw    stvec, t0
    la      t0, boot_root
    srli    t0, t0, 12
    li      t1, SATP_SV39
    or      t0, t0, t1
    sfence.vma
    csrw    satp, t0
    .balign 4
2:  la      t0, early_trap_entry
    csrw    stvec, t0
    csrw    sscratch, zero
    la      sp, __boot_stack_top
    la      tp, cores
    li      s0, 0                       /* ends the chain of frame pointers */
    mv      a0, s2
    mv      a1, s3
    call    boot_main
    mv      a0, s2
    mv      a1, s3
    call    kernel_main
3:  wfi
    j       3b
    .size _start, . - _start

/*
 * A hart that was started as a secondary one and came to _start all the same: OpenSBI 1.1 marks a hart
 * as to be started before it writes where (sbi_hsm_hart_start), so one that just looks goes to the
 * old place, with the old a1. Its record was written before the firmware was asked: find it by a0.
 */
late_start:
    la      t0, smp_starts
    li      t1, SMP_START_BYTES * MAX_CORES
    add     t1, t0, t1
1:  ld      t2, SMP_START_VALID(t0)
    beqz    t2, 2f
    fence   r, r                        /* pairs with the release of the mark in smp.c */
    ld      t2, SMP_START_HART(t0)
    beq     t2, a0, 3f
2:  addi    t0, t0, SMP_START_BYTES
    bltu    t0, t1, 1b
    j       late_start
3:  mv      a1, t0
    j       secondary_start

/*
 * void secondary_start(hart_id_t hart, paddr_t start)
 * In: a1 physical address of this hart's struct smp_start. Does not return.
 */
    .globl secondary_start
    .type secondary_start, @function
    .balign 4
secondary_start:
    csrw    sie, zero
    csrci   sstatus, 2
    li      t0, SSTATUS_FS_VS
    csrc    sstatus, t0
    ld      t3, SMP_START_SATP(a1)
    ld      sp, SMP_START_STACK(a1)
    ld      tp, SMP_START_CORE(a1)
    ld      s1, SMP_START_ENTRY(a1)
    li      t2, KERNEL_OFFSET
    la      t0, 1f
    add     t0, t0, t2
    csrw    stvec, t0
    sfence.vma
    csrw    satp, t3
    .balign 4
1:  la      t0, early_trap_entry
    csrw    stvec, t0
    csrw    sscratch, zero
    li      s0, 0
    jalr    s1
2:  wfi
    j       2b
    .size secondary_start, . - secondary_start

/*
 * void early_trap_entry(void)
 * The trap vector until trap_init_core(): nothing is expected, so nothing is saved.
 */
    .globl early_trap_entry
    .type early_trap_entry, @function
    .balign 4
early_trap_entry:
    csrr    a0, scause
    csrr    a1, sepc
    csrr    a2, stval
    tail    boot_trap
    .size early_trap_entry, . - early_trap_entry

/*
 * long boot_hand_over(hart_id_t hart, paddr_t start, paddr_t tree)
 * In: a0 hart, a1 start, a2 tree. Out: a0 error. Clobbers a0, a1, a6, a7, t0, t1.
 * Interrupts off.
 */
    .globl boot_hand_over
    .type boot_hand_over, @function
boot_hand_over:
    la      t0, boot_taken
    fence   rw, rw                      /* all of ours before the successor; pairs with its amoswap */
    sw      zero, 0(t0)
    fence   rw, rw
    li      a7, SBI_HSM
    li      a6, SBI_HSM_START
    ecall
    bnez    a0, 2f
    li      a7, SBI_HSM
    li      a6, SBI_HSM_STOP
    ecall
1:  wfi                                 /* the firmware refused to stop us: stay away */
    j       1b
2:  la      t0, boot_taken
    li      t1, 1
    sw      t1, 0(t0)
    ret
    .size boot_hand_over, . - boot_hand_over

/*
 * The boot page table: the direct map of the first 128 GiB, read-write, and the gigabyte of the
 * kernel image with all rights; mmu_init() replaces it. Constant, so that a hart that hands
 * over can still fetch while its successor starts.
 */
    .section .rodata.page, "a", @progbits
    .balign 4096
boot_root:
    .zero   256 * 8
    .set    gigabyte, 0
    .rept   128
    .quad   (gigabyte << 28) | 0xe7     /* D A G W R V */
    .set    gigabyte, gigabyte + 1
    .endr
    .zero   (510 - 384) * 8
    .quad   (2 << 28) | 0xef            /* D A G X W R V */
    .quad   0

/* Set by the first hart at _start; not in .bss, which that hart clears. */
    .data
    .balign 4
boot_taken:
    .word 0
