/* SPDX-License-Identifier: MIT */
/*
 * How near the harts and the memory are to each other: cpu-map clusters, NUMA nodes, distances.
 *
 * Rules: as in platform_priv.h. A tree without cpu-map has one cluster, one without NUMA ids one
 * node. Distances follow the binding "numa-distance-map-v1": 10 is local.
 */
#include "arch/riscv/platform_priv.h"

#include "arch/riscv/boot_priv.h"

#define DISTANCE_LOCAL 10U
#define DISTANCE_REMOTE 20U

/* The tree's id of each dense node number; the numbers are given in order of appearance. */
static uint32_t numa_id[PLATFORM_MAX_NUMA_NODES];

static uint32_t find_numa_id(uint32_t id)
{
    uint32_t i = 0;
    while (i < platform.numa_count && numa_id[i] != id) {
        i++;
    }
    return i;
}

uint32_t platform_numa_index(const struct fdt *fdt, fdt_node_t node)
{
    uint32_t id = 0;
    if (fdt_property(fdt, node, "numa-node-id", NULL) != NULL &&
        !fdt_u32(fdt, node, "numa-node-id", &id)) {
        boot_fail("device tree: %s: numa-node-id is malformed", fdt_name(fdt, node));
    }
    uint32_t index = find_numa_id(id);
    if (index == PLATFORM_MAX_NUMA_NODES) {
        boot_fail("device tree: %s: more than %d NUMA nodes", fdt_name(fdt, node),
                  PLATFORM_MAX_NUMA_NODES);
    }
    if (index == platform.numa_count) {
        numa_id[index] = id;
        platform.numa_count++;
    }
    return index;
}

static void read_distances(const struct fdt *fdt)
{
    static const char property[] = "distance-matrix";
    fdt_node_t node = fdt_find_compatible(fdt, FDT_NONE, "numa-distance-map-v1");
    if (node == FDT_NONE) {
        return;
    }
    uint32_t cells = fdt_cell_count(fdt, node, property);
    if (cells == 0 || cells % 3 != 0) {
        boot_fail("device tree: %s: %s is missing or malformed", fdt_name(fdt, node), property);
    }
    for (uint32_t i = 0; i < cells; i += 3) {
        uint64_t from = 0, to = 0, distance = 0;
        if (!fdt_cells(fdt, node, property, i, 1, &from) ||
            !fdt_cells(fdt, node, property, i + 1, 1, &to) ||
            !fdt_cells(fdt, node, property, i + 2, 1, &distance) || distance < DISTANCE_LOCAL) {
            boot_fail("device tree: %s: %s has a bad entry %u", fdt_name(fdt, node), property,
                      i / 3);
        }
        uint32_t a = find_numa_id((uint32_t)from), b = find_numa_id((uint32_t)to);
        if (a < platform.numa_count && b < platform.numa_count) {
            platform.numa_distance[a][b] = (uint32_t)distance;
            platform.numa_distance[b][a] = (uint32_t)distance;
        }
    }
}

/* Gives the harts below `node` (a cpu-map part) the cluster number; innermost cluster wins. */
static void mark_cluster(const struct fdt *fdt, fdt_node_t node, uint32_t cluster)
{
    uint32_t phandle;
    if (fdt_u32(fdt, node, "cpu", &phandle)) {
        cpu_t cpu = platform_cpu_of_phandle(fdt, phandle);
        if (cpu < MAX_CORES) {
            platform.cluster[cpu] = cluster;
        }
    }
}

static bool name_starts(const char *name, const char *with)
{
    while (*with != '\0' && *name == *with) {
        name++;
        with++;
    }
    return *with == '\0';
}

/* In tree order, each "cluster" node opens a new number and each "cpu" below it belongs to it. */
static void read_clusters(const struct fdt *fdt)
{
    fdt_node_t map = fdt_find_path(fdt, "/cpus/cpu-map");
    uint32_t clusters = 0;
    if (map == FDT_NONE) {
        return;
    }
    fdt_node_t end = fdt_next_sibling(fdt, map);
    if (end == FDT_NONE) {
        end = fdt_next_sibling(fdt, fdt_parent(fdt, map));
    }
    for (fdt_node_t node = fdt_next_node(fdt, map); node != FDT_NONE && node != end;
         node = fdt_next_node(fdt, node)) {
        if (name_starts(fdt_name(fdt, node), "cluster")) {
            clusters++;
        } else if (clusters > 0) {
            mark_cluster(fdt, node, clusters - 1);
        }
    }
}

void platform_read_topology(const struct fdt *fdt)
{
    for (uint32_t i = 0; i < PLATFORM_MAX_NUMA_NODES; i++) {
        for (uint32_t j = 0; j < PLATFORM_MAX_NUMA_NODES; j++) {
            platform.numa_distance[i][j] = i == j ? DISTANCE_LOCAL : DISTANCE_REMOTE;
        }
    }
    read_distances(fdt);
    read_clusters(fdt);
}
