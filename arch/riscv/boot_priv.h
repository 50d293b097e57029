/* SPDX-License-Identifier: MIT */
/*
 * Between entry.S and the C code that runs before kernel_main().
 *
 * Rules: the boot page table is in use (entry.S): all memory below 128 GiB is at the direct
 * map, writable; no other core runs.
 */
#pragma once

#ifndef __ASSEMBLER__
#include "kernel/base/types.h"

/* Called by entry.S; returns unless another hart was asked for. */
void boot_main(hart_id_t hart, paddr_t tree);

/* The early trap vector's C part. */
NORETURN void boot_trap(uint64_t cause, uint64_t pc, uint64_t value);

/*
 * entry.S: starts `hart` at `start` with `tree` as its argument and stops the calling hart.
 * Returns the firmware's error code when the hart cannot be started. Touches no memory after
 * the start, since the new hart clears .bss, and with it this stack.
 */
long boot_hand_over(hart_id_t hart, paddr_t start, paddr_t tree);

/* Prints "baton: " and the text on the serial line, polled, whatever the state of boot. */
void boot_note(const char *text, ...) PRINTF_LIKE(1, 2);

/* boot_note(), then the end with exit code 2: this machine cannot be used. */
NORETURN void boot_fail(const char *text, ...) PRINTF_LIKE(1, 2);

void _start(void);
void secondary_start(void);
void early_trap_entry(void);
#endif

/* struct smp_start (smp_priv.h): offsets used by secondary_start. */
#define SMP_START_SATP 0
#define SMP_START_STACK 8
#define SMP_START_CORE 16
#define SMP_START_ENTRY 24
#define SMP_START_HART 32
#define SMP_START_VALID 40
#define SMP_START_BYTES 48
