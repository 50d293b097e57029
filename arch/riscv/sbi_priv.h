/* SPDX-License-Identifier: MIT */
/*
 * Calls to the firmware (RISC-V SBI specification 0.2 and later).
 *
 * Rules: any context; the firmware runs on this core meanwhile and touches none of our memory.
 * The hart is named by its hart id, never by the cpu index.
 */
#pragma once

#include "kernel/base/types.h"

#define SBI_OK 0
#define SBI_ERR_ALREADY_AVAILABLE (-6)

#define SBI_BASE 0x10
#define SBI_LEGACY_PUTCHAR 0x01
#define SBI_TIME 0x54494d45
#define SBI_IPI 0x735049
#define SBI_RFENCE 0x52464e43
#define SBI_HSM 0x48534d
#define SBI_SRST 0x53525354

enum sbi_hart_state {
    SBI_HART_STARTED = 0,
    SBI_HART_STOPPED = 1,
    SBI_HART_START_PENDING = 2,
    SBI_HART_STOP_PENDING = 3,
};

struct sbi_result {
    long error;
    long value;
};

struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
                           uint64_t a2, uint64_t a3, uint64_t a4);

/*
 * Checks the version and that the extensions are there; NULL, or the name of what is missing.
 * `need_timer`: the TIME extension too.
 */
const char *sbi_missing(bool need_timer);

void sbi_putchar(char byte);
void sbi_set_timer(uint64_t ticks);

long sbi_hart_start(hart_id_t hart, paddr_t start, uint64_t opaque);
long sbi_hart_status(hart_id_t hart);

/* One IPI to each hart base + i with bit i set in `mask`. */
long sbi_send_ipi(uint64_t mask, hart_id_t base);

/* sfence.vma on every running hart; asid TLB_EVERY_SPACE: for all. */
long sbi_remote_fence(vaddr_t va, uint64_t bytes, uint16_t asid);

/* fence.i on every running hart. */
long sbi_remote_fence_i(void);

/* Turns the machine off as a failure or not. Returns only when the firmware cannot. */
void sbi_shutdown(bool failed);
