/* SPDX-License-Identifier: MIT */
/*
 * Validation of a device tree blob: everything the readers rely on is proven here once.
 */
#include "kernel/base/fdt_priv.h"

#include <string.h>

#define FDT_MAGIC 0xd00dfeedU
#define FDT_VERSION 17U /* the first and only one with size_dt_struct, and the current one */
#define FDT_LAST_COMPATIBLE 17U
#define FDT_RESERVE_ENTRY_BYTES 16U

enum header_offset {
    HEADER_MAGIC = 0,
    HEADER_TOTAL_SIZE = 4,
    HEADER_STRUCT_OFFSET = 8,
    HEADER_STRINGS_OFFSET = 12,
    HEADER_RESERVE_OFFSET = 16,
    HEADER_VERSION = 20,
    HEADER_LAST_COMPATIBLE = 24,
    HEADER_BOOT_CPU = 28,
    HEADER_STRINGS_SIZE = 32,
    HEADER_STRUCT_SIZE = 36,
};

uint32_t fdt_blob_bytes(const void *header)
{
    uint32_t bytes = fdt_big32((const uint8_t *)header + HEADER_TOTAL_SIZE);

    return fdt_big32(header) == FDT_MAGIC && bytes >= FDT_HEADER_BYTES ? bytes : 0;
}

static bool is_inside(const struct fdt *fdt, uint32_t offset, uint32_t bytes)
{
    return offset >= FDT_HEADER_BYTES && offset <= fdt->bytes && bytes <= fdt->bytes - offset;
}

/* Reads the header fields into *fdt. Returns what is wrong, or NULL. */
static const char *check_header(struct fdt *fdt, size_t max_bytes)
{
    const uint8_t *header = fdt->blob;
    uint32_t structure;
    uint32_t strings;

    if (max_bytes < FDT_HEADER_BYTES) {
        return "there is no room for a header";
    }
    if (fdt_big32(header + HEADER_MAGIC) != FDT_MAGIC) {
        return "magic is not d00dfeed";
    }
    fdt->bytes = fdt_big32(header + HEADER_TOTAL_SIZE);
    if (fdt->bytes < FDT_HEADER_BYTES || fdt->bytes > max_bytes) {
        return "totalsize is not within the blob";
    }
    if (fdt_big32(header + HEADER_VERSION) < FDT_VERSION) {
        return "version is older than 17";
    }
    if (fdt_big32(header + HEADER_LAST_COMPATIBLE) > FDT_LAST_COMPATIBLE) {
        return "last_comp_version is newer than 17";
    }
    structure = fdt_big32(header + HEADER_STRUCT_OFFSET);
    fdt->structure_bytes = fdt_big32(header + HEADER_STRUCT_SIZE);
    if (structure % 4 != 0 || fdt->structure_bytes % 4 != 0 ||
        !is_inside(fdt, structure, fdt->structure_bytes)) {
        return "off_dt_struct or size_dt_struct is not within the blob";
    }
    strings = fdt_big32(header + HEADER_STRINGS_OFFSET);
    fdt->strings_bytes = fdt_big32(header + HEADER_STRINGS_SIZE);
    if (!is_inside(fdt, strings, fdt->strings_bytes)) {
        return "off_dt_strings or size_dt_strings is not within the blob";
    }
    fdt->structure = header + structure;
    fdt->strings = (const char *)header + strings;
    fdt->boot_cpu = fdt_big32(header + HEADER_BOOT_CPU);
    return NULL;
}

/* Counts the reservation entries up to the empty one that ends them. */
static const char *check_reserve(struct fdt *fdt)
{
    uint32_t offset = fdt_big32(fdt->blob + HEADER_RESERVE_OFFSET);

    if (offset % 8 != 0 || !is_inside(fdt, offset, FDT_RESERVE_ENTRY_BYTES)) {
        return "off_mem_rsvmap is not within the blob";
    }
    fdt->reserve = fdt->blob + offset;
    fdt->reserve_count = 0;
    for (; is_inside(fdt, offset, FDT_RESERVE_ENTRY_BYTES); offset += FDT_RESERVE_ENTRY_BYTES) {
        uint64_t address = fdt_big64(fdt->blob + offset);
        uint64_t bytes = fdt_big64(fdt->blob + offset + 8);

        if (address == 0 && bytes == 0) {
            return NULL;
        }
        if (address + bytes < address) {
            return "an entry of the memory reservation block overflows";
        }
        fdt->reserve_count++;
    }
    return "the memory reservation block has no end";
}

/* Where a check of the structure block has got to. */
struct structure_check {
    uint32_t offset;
    uint32_t depth;
    bool had_root;
    bool had_child; /* the innermost open node has had a child: no property may follow */
};

/* Takes in the name after a BEGIN_NODE token. */
static const char *check_begin(const struct fdt *fdt, struct structure_check *check)
{
    uint32_t left = fdt->structure_bytes - check->offset;
    size_t length = strnlen((const char *)fdt->structure + check->offset, left);

    if (length == left) {
        return "a node's name has no end";
    }
    if (check->depth == 0 && check->had_root) {
        return "there is more than one root node";
    }
    if (check->depth == FDT_MAX_DEPTH) {
        return "nodes are nested too deeply";
    }
    check->had_root = true;
    check->had_child = false;
    check->depth++;
    check->offset += (uint32_t)ALIGN_UP(length + 1, 4);
    return NULL;
}

/* Takes in length, name and value after a PROPERTY token. */
static const char *check_property(const struct fdt *fdt, struct structure_check *check)
{
    uint32_t left = fdt->structure_bytes - check->offset;
    uint32_t bytes;
    uint32_t name;

    if (check->depth == 0 || check->had_child) {
        return "a property is outside a node or after a child node";
    }
    if (left < 8) {
        return "a property has no header";
    }
    bytes = fdt_token_at(fdt, check->offset);
    name = fdt_token_at(fdt, check->offset + 4);
    if (bytes > left - 8) {
        return "a property's length is not within the structure block";
    }
    if (name >= fdt->strings_bytes ||
        strnlen(fdt->strings + name, fdt->strings_bytes - name) == fdt->strings_bytes - name) {
        return "a property's name is not within the strings block";
    }
    /* Cannot pass the end: the block's size and this offset are multiples of 4. */
    check->offset += 8 + (uint32_t)ALIGN_UP(bytes, 4);
    return NULL;
}

static const char *check_structure(const struct fdt *fdt)
{
    struct structure_check check = {0};
    const char *wrong = NULL;

    while (wrong == NULL && check.offset < fdt->structure_bytes) {
        uint32_t token = fdt_token_at(fdt, check.offset);

        check.offset += 4;
        if (token == FDT_BEGIN_NODE) {
            wrong = check_begin(fdt, &check);
        } else if (token == FDT_PROPERTY) {
            wrong = check_property(fdt, &check);
        } else if (token == FDT_END_NODE) {
            if (check.depth == 0) {
                return "a node ends that did not begin";
            }
            check.depth--;
            check.had_child = true;
        } else if (token == FDT_END) {
            return check.depth == 0 && check.had_root ? NULL : "the tree ends inside a node";
        } else if (token != FDT_NOP) {
            return "the structure block has an unknown token";
        }
    }
    return wrong != NULL ? wrong : "the structure block has no end";
}

status_t fdt_open(struct fdt *fdt, const void *blob, size_t max_bytes, const char **why)
{
    struct fdt result = {.blob = blob};
    const char *wrong = NULL;

    if (!IS_ALIGNED((uintptr_t)blob, 8)) {
        wrong = "the blob is not 8-byte aligned";
    }
    if (wrong == NULL) {
        wrong = check_header(&result, max_bytes);
    }
    if (wrong == NULL) {
        wrong = check_reserve(&result);
    }
    if (wrong == NULL) {
        wrong = check_structure(&result);
    }
    if (wrong != NULL) {
        *why = wrong;
        return ERR_BAD_FORMAT;
    }
    *fdt = result;
    return OK;
}

bool fdt_reserve(const struct fdt *fdt, uint32_t index, uint64_t *address, uint64_t *bytes)
{
    const uint8_t *entry;

    if (index >= fdt->reserve_count) {
        return false;
    }
    entry = fdt->reserve + (size_t)index * FDT_RESERVE_ENTRY_BYTES;
    *address = fdt_big64(entry);
    *bytes = fdt_big64(entry + 8);
    return true;
}
