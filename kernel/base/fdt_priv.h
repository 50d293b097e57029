/* SPDX-License-Identifier: MIT */
/*
 * What the parts of the device tree reader share: tokens of the structure block.
 *
 * Rules: only for kernel/base/fdt*.c. After fdt_open an offset that came from a token walk is
 * always inside the structure block; before, only fdt_open itself may walk.
 */
#pragma once

#include "kernel/base/fdt.h"

enum fdt_token {
    FDT_BEGIN_NODE = 1,
    FDT_END_NODE = 2,
    FDT_PROPERTY = 3,
    FDT_NOP = 4,
    FDT_END = 9,
};

/* A big-endian number; device trees are big-endian whatever the machine is. */
static inline uint32_t fdt_big32(const void *at)
{
    const uint8_t *byte = at;

    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static inline uint64_t fdt_big64(const void *at)
{
    return (uint64_t)fdt_big32(at) << 32 | fdt_big32((const uint8_t *)at + 4);
}

static inline uint32_t fdt_token_at(const struct fdt *fdt, uint32_t offset)
{
    return fdt_big32(fdt->structure + offset);
}

/* Offset of the token after the one at `offset`. The blob has been checked. */
uint32_t fdt_skip_token(const struct fdt *fdt, uint32_t offset);
