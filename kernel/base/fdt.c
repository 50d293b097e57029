/* SPDX-License-Identifier: MIT */
/*
 * Walking a checked device tree: nodes, paths and searches.
 */
#include "kernel/base/fdt.h"

#include <string.h>

#include "kernel/base/fdt_priv.h"

uint32_t fdt_skip_token(const struct fdt *fdt, uint32_t offset)
{
    uint32_t token = fdt_token_at(fdt, offset);

    if (token == FDT_BEGIN_NODE) {
        size_t length = strlen((const char *)fdt->structure + offset + 4);

        return offset + 4 + (uint32_t)ALIGN_UP(length + 1, 4);
    }
    if (token == FDT_PROPERTY) {
        return offset + 12 + (uint32_t)ALIGN_UP(fdt_token_at(fdt, offset + 4), 4);
    }
    return offset + 4;
}

fdt_node_t fdt_root(const struct fdt *fdt)
{
    uint32_t offset = 0;

    while (fdt_token_at(fdt, offset) != FDT_BEGIN_NODE) {
        offset += 4; /* only NOP can precede the root */
    }
    return offset;
}

fdt_node_t fdt_next_node(const struct fdt *fdt, fdt_node_t node)
{
    uint32_t offset = node;

    if (node == FDT_NONE) {
        return FDT_NONE;
    }
    do {
        offset = fdt_skip_token(fdt, offset);
        if (fdt_token_at(fdt, offset) == FDT_END) {
            return FDT_NONE;
        }
    } while (fdt_token_at(fdt, offset) != FDT_BEGIN_NODE);
    return offset;
}

fdt_node_t fdt_first_child(const struct fdt *fdt, fdt_node_t node)
{
    uint32_t offset = node;
    uint32_t token;

    if (node == FDT_NONE) {
        return FDT_NONE;
    }
    do {
        offset = fdt_skip_token(fdt, offset);
        token = fdt_token_at(fdt, offset);
    } while (token == FDT_PROPERTY || token == FDT_NOP);
    return token == FDT_BEGIN_NODE ? offset : FDT_NONE;
}

fdt_node_t fdt_next_sibling(const struct fdt *fdt, fdt_node_t node)
{
    uint32_t offset = node;
    uint32_t depth = 0;

    if (node == FDT_NONE) {
        return FDT_NONE;
    }
    for (;;) {
        uint32_t token = fdt_token_at(fdt, offset);

        if (token == FDT_BEGIN_NODE) {
            if (depth == 0 && offset != node) {
                return offset;
            }
            depth++;
        } else if (token == FDT_END_NODE) {
            if (depth == 0) {
                return FDT_NONE; /* the parent ends */
            }
            depth--;
        } else if (token == FDT_END) {
            return FDT_NONE;
        }
        offset = fdt_skip_token(fdt, offset);
    }
}

fdt_node_t fdt_parent(const struct fdt *fdt, fdt_node_t node)
{
    fdt_node_t open[FDT_MAX_DEPTH];
    uint32_t depth = 0;

    if (node == FDT_NONE) {
        return FDT_NONE;
    }
    for (uint32_t offset = 0; offset < node; offset = fdt_skip_token(fdt, offset)) {
        uint32_t token = fdt_token_at(fdt, offset);

        if (token == FDT_BEGIN_NODE) {
            open[depth++] = offset;
        } else if (token == FDT_END_NODE) {
            depth--;
        }
    }
    return depth == 0 ? FDT_NONE : open[depth - 1];
}

const char *fdt_name(const struct fdt *fdt, fdt_node_t node)
{
    return node == FDT_NONE ? "" : (const char *)fdt->structure + node + 4;
}

/* Compares with the first `length` bytes of `name`. */
static bool name_matches(const struct fdt *fdt, fdt_node_t node, const char *name, size_t length)
{
    const char *full = fdt_name(fdt, node);

    if (strncmp(full, name, length) != 0) {
        return false;
    }
    return full[length] == '\0' || (full[length] == '@' && memchr(name, '@', length) == NULL);
}

bool fdt_name_is(const struct fdt *fdt, fdt_node_t node, const char *name)
{
    return node != FDT_NONE && name_matches(fdt, node, name, strlen(name));
}

static fdt_node_t find_child(const struct fdt *fdt, fdt_node_t node, const char *name,
                             size_t length)
{
    fdt_node_t child = fdt_first_child(fdt, node);

    while (child != FDT_NONE && !name_matches(fdt, child, name, length)) {
        child = fdt_next_sibling(fdt, child);
    }
    return child;
}

fdt_node_t fdt_find_child(const struct fdt *fdt, fdt_node_t node, const char *name)
{
    return find_child(fdt, node, name, strlen(name));
}

fdt_node_t fdt_find_path(const struct fdt *fdt, const char *path)
{
    fdt_node_t node = fdt_root(fdt);

    while (*path != '\0' && node != FDT_NONE) {
        size_t length = strcspn(path, "/");

        if (length > 0) {
            node = find_child(fdt, node, path, length);
        }
        path += length;
        if (*path == '/') {
            path++;
        }
    }
    return node;
}

fdt_node_t fdt_find_phandle(const struct fdt *fdt, uint32_t phandle)
{
    fdt_node_t node = phandle == 0 ? FDT_NONE : fdt_root(fdt);

    while (node != FDT_NONE && fdt_phandle(fdt, node) != phandle) {
        node = fdt_next_node(fdt, node);
    }
    return node;
}

fdt_node_t fdt_find_compatible(const struct fdt *fdt, fdt_node_t after, const char *compatible)
{
    fdt_node_t node = after == FDT_NONE ? fdt_root(fdt) : fdt_next_node(fdt, after);

    while (node != FDT_NONE && !fdt_string_list_contains(fdt, node, "compatible", compatible)) {
        node = fdt_next_node(fdt, node);
    }
    return node;
}
