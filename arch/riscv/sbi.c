/* SPDX-License-Identifier: MIT */
/*
 * The firmware call and its wrappers (SBI specification, chapters 3 to 10).
 *
 * Rules: as in the header.
 */
#include "arch/riscv/sbi_priv.h"

#include "arch/smp.h"
#include "kernel/base/types.h"

#define SBI_ALL_HARTS (~0UL)
#define SBI_VERSION_0_2 2

struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t a0, uint64_t a1,
                           uint64_t a2, uint64_t a3, uint64_t a4)
{
    register uint64_t r0 __asm__("a0") = a0;
    register uint64_t r1 __asm__("a1") = a1;
    register uint64_t r2 __asm__("a2") = a2;
    register uint64_t r3 __asm__("a3") = a3;
    register uint64_t r4 __asm__("a4") = a4;
    register uint64_t r6 __asm__("a6") = function;
    register uint64_t r7 __asm__("a7") = extension;
    __asm__ volatile("ecall"
                     : "+r"(r0), "+r"(r1)
                     : "r"(r2), "r"(r3), "r"(r4), "r"(r6), "r"(r7)
                     : "memory");
    return (struct sbi_result){(long)r0, (long)r1};
}

static bool sbi_probe(uint64_t extension)
{
    struct sbi_result result = sbi_call(SBI_BASE, 3, extension, 0, 0, 0, 0);
    return result.error == SBI_OK && result.value != 0;
}

const char *sbi_missing(bool need_timer)
{
    struct sbi_result version = sbi_call(SBI_BASE, 0, 0, 0, 0, 0, 0);
    if (version.error != SBI_OK || (version.value & 0x7fffffff) < SBI_VERSION_0_2) {
        return "version 0.2";
    }
    if (!sbi_probe(SBI_HSM)) {
        return "extension HSM";
    }
    if (!sbi_probe(SBI_IPI)) {
        return "extension IPI";
    }
    if (!sbi_probe(SBI_RFENCE)) {
        return "extension RFENCE";
    }
    if (need_timer && !sbi_probe(SBI_TIME)) {
        return "extension TIME (and the harts have no Sstc)";
    }
    return NULL;
}

void sbi_putchar(char byte)
{
    sbi_call(SBI_LEGACY_PUTCHAR, 0, (uint8_t)byte, 0, 0, 0, 0);
}

void sbi_set_timer(uint64_t ticks)
{
    sbi_call(SBI_TIME, 0, ticks, 0, 0, 0, 0);
}

long sbi_hart_start(hart_id_t hart, paddr_t start, uint64_t opaque)
{
    return sbi_call(SBI_HSM, 0, hart, start, opaque, 0, 0).error;
}

long sbi_hart_status(hart_id_t hart)
{
    struct sbi_result result = sbi_call(SBI_HSM, 2, hart, 0, 0, 0, 0);
    return result.error == SBI_OK ? result.value : result.error;
}

long sbi_send_ipi(uint64_t mask, hart_id_t base)
{
    return sbi_call(SBI_IPI, 0, mask, base, 0, 0, 0).error;
}

long sbi_remote_fence(vaddr_t va, uint64_t bytes, uint16_t asid)
{
    if (asid == TLB_EVERY_SPACE) {
        return sbi_call(SBI_RFENCE, 1, 0, SBI_ALL_HARTS, va, bytes, 0).error;
    }
    return sbi_call(SBI_RFENCE, 2, 0, SBI_ALL_HARTS, va, bytes, asid).error;
}

long sbi_remote_fence_i(void)
{
    return sbi_call(SBI_RFENCE, 0, 0, SBI_ALL_HARTS, 0, 0, 0).error;
}

void sbi_shutdown(bool failed)
{
    sbi_call(SBI_SRST, 0, 0, failed ? 1 : 0, 0, 0, 0);
    sbi_call(0x08, 0, 0, 0, 0, 0, 0); /* the legacy shutdown */
}
