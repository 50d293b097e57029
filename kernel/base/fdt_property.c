/* SPDX-License-Identifier: MIT */
/*
 * Properties of a checked device tree. Their contents are not checked by fdt_open, so each
 * reader checks length and form.
 */
#include <string.h>

#include "kernel/base/fdt_priv.h"

#define CELL_BYTES 4U

/* #address-cells and #size-cells of a parent that does not say (specification 2.3.5). */
#define DEFAULT_ADDRESS_CELLS 2U
#define DEFAULT_SIZE_CELLS 1U

const void *fdt_property(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t *bytes)
{
    uint32_t offset = node;
    uint32_t token;

    if (node == FDT_NONE) {
        return NULL;
    }
    for (;;) {
        offset = fdt_skip_token(fdt, offset);
        token = fdt_token_at(fdt, offset);
        if (token == FDT_PROPERTY &&
            strcmp(fdt->strings + fdt_token_at(fdt, offset + 8), name) == 0) {
            break;
        }
        if (token != FDT_PROPERTY && token != FDT_NOP) {
            return NULL; /* a child begins or the node ends: properties come first */
        }
    }
    if (bytes != NULL) {
        *bytes = fdt_token_at(fdt, offset + 4);
    }
    return fdt->structure + offset + 12;
}

bool fdt_u32(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t *value)
{
    uint32_t bytes;
    const void *data = fdt_property(fdt, node, name, &bytes);

    if (data == NULL || bytes != CELL_BYTES) {
        return false;
    }
    *value = fdt_big32(data);
    return true;
}

bool fdt_u64(const struct fdt *fdt, fdt_node_t node, const char *name, uint64_t *value)
{
    uint32_t bytes;
    const void *data = fdt_property(fdt, node, name, &bytes);

    if (data == NULL || bytes != 2 * CELL_BYTES) {
        return false;
    }
    *value = fdt_big64(data);
    return true;
}

uint32_t fdt_cell_count(const struct fdt *fdt, fdt_node_t node, const char *name)
{
    uint32_t bytes;

    return fdt_property(fdt, node, name, &bytes) == NULL ? 0 : bytes / CELL_BYTES;
}

bool fdt_cells(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t first,
               uint32_t cells, uint64_t *value)
{
    const uint8_t *data = fdt_property(fdt, node, name, NULL);
    uint32_t count = fdt_cell_count(fdt, node, name);

    if (cells < 1 || cells > 2 || count < cells || first > count - cells) {
        return false;
    }
    data += (size_t)first * CELL_BYTES;
    *value = cells == 2 ? fdt_big64(data) : fdt_big32(data);
    return true;
}

const char *fdt_string(const struct fdt *fdt, fdt_node_t node, const char *name)
{
    uint32_t bytes;
    const char *data = fdt_property(fdt, node, name, &bytes);

    return data != NULL && strnlen(data, bytes) + 1 == bytes ? data : NULL;
}

bool fdt_string_list_contains(const struct fdt *fdt, fdt_node_t node, const char *name,
                              const char *string)
{
    uint32_t bytes;
    const char *data = fdt_property(fdt, node, name, &bytes);

    if (data == NULL || bytes == 0 || data[bytes - 1] != '\0') {
        return false;
    }
    for (const char *end = data + bytes; data < end; data += strlen(data) + 1) {
        if (strcmp(data, string) == 0) {
            return true;
        }
    }
    return false;
}

bool fdt_is_enabled(const struct fdt *fdt, fdt_node_t node)
{
    const char *status;

    if (node == FDT_NONE) {
        return false;
    }
    if (fdt_property(fdt, node, "status", NULL) == NULL) {
        return true;
    }
    status = fdt_string(fdt, node, "status");
    return status != NULL && (strcmp(status, "okay") == 0 || strcmp(status, "ok") == 0);
}

uint32_t fdt_phandle(const struct fdt *fdt, fdt_node_t node)
{
    uint32_t phandle = 0;

    (void)fdt_u32(fdt, node, "phandle", &phandle); /* absent: stays 0 */
    return phandle;
}

bool fdt_reg(const struct fdt *fdt, fdt_node_t node, uint32_t index, uint64_t *address,
             uint64_t *bytes)
{
    fdt_node_t parent = fdt_parent(fdt, node);
    uint32_t address_cells = DEFAULT_ADDRESS_CELLS;
    uint32_t size_cells = DEFAULT_SIZE_CELLS;
    uint64_t first;
    uint64_t start;
    uint64_t length = 0;

    (void)fdt_u32(fdt, parent, "#address-cells", &address_cells);
    (void)fdt_u32(fdt, parent, "#size-cells", &size_cells);
    if (address_cells < 1 || address_cells > 2 || size_cells > 2) {
        return false;
    }
    first = (uint64_t)index * (address_cells + size_cells);
    if (first >= UINT32_MAX) {
        return false;
    }
    if (!fdt_cells(fdt, node, "reg", (uint32_t)first, address_cells, &start)) {
        return false;
    }
    if (size_cells != 0 &&
        !fdt_cells(fdt, node, "reg", (uint32_t)first + address_cells, size_cells, &length)) {
        return false;
    }
    if (start + length < start) {
        return false;
    }
    *address = start;
    *bytes = length;
    return true;
}
