/* SPDX-License-Identifier: MIT */
/*
 * Validator of a statically linked ELF64 RISC-V executable.
 *
 * Rules: every field of the header and of the program headers is checked before it is used; a
 * wrong one is answered with a text that names it. Nothing is copied or allocated. What comes
 * out is safe to load: user addresses only, no page in two segments, no page both writable
 * and executable, file ranges inside the image.
 * Source: System V ABI, ELF-64 object file format; RISC-V ELF psABI (e_flags, EM_RISCV).
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

#define ELF_MAX_SEGMENTS 8

struct elf_segment {
    vaddr_t vaddr;         /* as in the file, not rounded to pages */
    uint64_t memory_bytes; /* > 0 */
    uint64_t file_offset;
    uint64_t file_bytes; /* the rest of memory_bytes is zero */
    uint32_t protection; /* PROTECT_* of kernel/abi/syscall.h */
};

struct elf_image {
    vaddr_t entry;
    unsigned segment_count;                       /* 1 .. ELF_MAX_SEGMENTS */
    struct elf_segment segment[ELF_MAX_SEGMENTS]; /* in rising order of vaddr */
};

/*
 * Checks the file of `bytes` at `base` (any alignment) and describes it in *image.
 * ERR_BAD_FORMAT with *why, a constant text that names the field; *image is then untouched.
 */
WARN_UNUSED status_t elf_check(const void *base, size_t bytes, struct elf_image *image,
                               const char **why);
