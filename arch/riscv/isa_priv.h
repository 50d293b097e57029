/* SPDX-License-Identifier: MIT */
/*
 * Reading a RISC-V ISA string, such as "rv64imafdc_zicsr_sstc".
 *
 * Rules: pure; case does not matter (RISC-V unprivileged specification, chapter 27).
 */
#pragma once

#include "kernel/base/types.h"

/* True for a string that starts with "rv64" and a base letter. */
bool isa_is_rv64(const char *isa);

/* True when the string has the single-letter ("c") or multi-letter ("sstc") extension. 'g'
 * stands for i, m, a, f and d. A version suffix ("2p1") is ignored. */
bool isa_has(const char *isa, const char *extension);
