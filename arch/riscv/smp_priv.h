/* SPDX-License-Identifier: MIT */
/*
 * What a starting hart finds at the physical address in a1.
 *
 * Rules: written by smp_start_others() before the firmware call that starts the hart (the call
 * orders it); read by secondary_start in entry.S with the MMU off.
 */
#pragma once

#include "arch/riscv/boot_priv.h"
#include "kernel/abi/limits.h"
#include "kernel/base/types.h"

struct smp_start {
    uint64_t satp;
    vaddr_t stack;
    vaddr_t core;
    vaddr_t entry;
    hart_id_t hart_id;
    uint64_t valid; /* 1 once the rest is there; for late_start */
};

extern struct smp_start smp_starts[MAX_CORES];

_Static_assert(offsetof(struct smp_start, satp) == SMP_START_SATP, "entry.S");
_Static_assert(offsetof(struct smp_start, stack) == SMP_START_STACK, "entry.S");
_Static_assert(offsetof(struct smp_start, core) == SMP_START_CORE, "entry.S");
_Static_assert(offsetof(struct smp_start, entry) == SMP_START_ENTRY, "entry.S");
_Static_assert(offsetof(struct smp_start, hart_id) == SMP_START_HART, "entry.S");
_Static_assert(offsetof(struct smp_start, valid) == SMP_START_VALID, "entry.S");
_Static_assert(sizeof(struct smp_start) == SMP_START_BYTES, "entry.S");
