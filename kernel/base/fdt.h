/* SPDX-License-Identifier: MIT */
/*
 * Reader of a flattened device tree (Devicetree Specification 0.4, chapter 5).
 *
 * Rules: fdt_open checks the whole blob once (bounds, balance, depth, terminated names); the
 * readers rely on that and then cannot leave the blob. Nothing is copied or allocated: the
 * blob must stay mapped and unchanged. A node is the offset of its token in the structure
 * block. Searches walk the blob: boot only. Malformed properties are answered with false,
 * NULL or FDT_NONE, never with a panic.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

typedef uint32_t fdt_node_t;

#define FDT_NONE UINT32_MAX
#define FDT_MAX_DEPTH 16
#define FDT_HEADER_BYTES 40

struct fdt {
    const uint8_t *blob;
    uint32_t bytes; /* of the whole blob */
    const uint8_t *structure;
    uint32_t structure_bytes;
    const char *strings;
    uint32_t strings_bytes;
    const uint8_t *reserve;
    uint32_t reserve_count;
    uint32_t boot_cpu; /* boot_cpuid_phys */
};

/*
 * Size of the blob by its header alone, or 0 when the 40 header bytes are not those of a
 * device tree. For finding out how much to map.
 */
uint32_t fdt_blob_bytes(const void *header);

/*
 * Checks a blob of at most `max_bytes` (8-byte aligned) and fills `fdt`.
 * ERR_BAD_FORMAT with *why (a constant sentence part that names the field) when it is wrong.
 */
WARN_UNUSED status_t fdt_open(struct fdt *fdt, const void *blob, size_t max_bytes,
                              const char **why);

/* Walking. Each gives FDT_NONE when there is none; a node of FDT_NONE gives FDT_NONE. */
fdt_node_t fdt_root(const struct fdt *fdt);
fdt_node_t fdt_first_child(const struct fdt *fdt, fdt_node_t node);
fdt_node_t fdt_next_sibling(const struct fdt *fdt, fdt_node_t node);
fdt_node_t fdt_parent(const struct fdt *fdt, fdt_node_t node);
fdt_node_t fdt_next_node(const struct fdt *fdt, fdt_node_t node); /* whole tree, in order */

/* Finding. A path component without `@` matches a node with any unit address. */
fdt_node_t fdt_find_child(const struct fdt *fdt, fdt_node_t node, const char *name);
fdt_node_t fdt_find_path(const struct fdt *fdt, const char *path);
fdt_node_t fdt_find_phandle(const struct fdt *fdt, uint32_t phandle);

/* The first node after `after` (FDT_NONE: from the root) whose `compatible` lists the string. */
fdt_node_t fdt_find_compatible(const struct fdt *fdt, fdt_node_t after, const char *compatible);

/* The node's name with its unit address; "" for the root. */
const char *fdt_name(const struct fdt *fdt, fdt_node_t node);

/* True when the node's name, cut at `@` unless `name` has one, is `name`. */
bool fdt_name_is(const struct fdt *fdt, fdt_node_t node, const char *name);

/* A property's value (4-byte aligned) and its length (may be NULL); NULL when absent. */
const void *fdt_property(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t *bytes);

/* The property as exactly one 32-bit or one 64-bit number; false leaves *value as it was. */
bool fdt_u32(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t *value);
bool fdt_u64(const struct fdt *fdt, fdt_node_t node, const char *name, uint64_t *value);

/*
 * `cells` (1 or 2) 32-bit cells of the property from cell index `first` as one number. False
 * when the property is absent or too short.
 */
bool fdt_cells(const struct fdt *fdt, fdt_node_t node, const char *name, uint32_t first,
               uint32_t cells, uint64_t *value);

/* Number of 32-bit cells of the property, 0 when absent. */
uint32_t fdt_cell_count(const struct fdt *fdt, fdt_node_t node, const char *name);

/* The property as a zero-terminated string without inner zeros, or NULL. */
const char *fdt_string(const struct fdt *fdt, fdt_node_t node, const char *name);

/* True when the property is a list of strings and `string` is one of them. */
bool fdt_string_list_contains(const struct fdt *fdt, fdt_node_t node, const char *name,
                              const char *string);

/* `status` is absent, "okay" or "ok". */
bool fdt_is_enabled(const struct fdt *fdt, fdt_node_t node);

/* The node's phandle, 0 when it has none. */
uint32_t fdt_phandle(const struct fdt *fdt, fdt_node_t node);

/*
 * Entry `index` of `reg`, read with the parent's #address-cells and #size-cells (1 or 2, size
 * also 0; defaults 2 and 1). False when there is no such entry, when the cells are strange or
 * when address + bytes overflows.
 */
bool fdt_reg(const struct fdt *fdt, fdt_node_t node, uint32_t index, uint64_t *address,
             uint64_t *bytes);

/* Entry `index` of the memory reservation block; false past the end. */
bool fdt_reserve(const struct fdt *fdt, uint32_t index, uint64_t *address, uint64_t *bytes);
