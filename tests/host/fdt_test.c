/* SPDX-License-Identifier: MIT */
/* Tests the device tree reader with blobs that a small builder makes here. */

#include <stdlib.h>
#include <string.h>

#include "kernel/base/fdt.h"
#include "tests/test.h"

/* A blob under construction: header, reservation block at 40, structure at 72, strings. */
#define RESERVE_AT 40U
#define STRUCTURE_AT 72U
#define STRINGS_AT 1536U
#define BLOB_BYTES 2048U

static uint8_t blob[BLOB_BYTES] __attribute__((aligned(8)));
static uint32_t structure_bytes;
static uint32_t strings_bytes;

static void put_u32(uint32_t at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        blob[at + i] = (uint8_t)(value >> (24 - 8 * i));
    }
}

static void put_token(uint32_t value)
{
    put_u32(STRUCTURE_AT + structure_bytes, value);
    structure_bytes += 4;
}

static void put_bytes(const void *bytes, size_t count)
{
    memcpy(blob + STRUCTURE_AT + structure_bytes, bytes, count);
    structure_bytes += (uint32_t)(count + 3) / 4 * 4;
}

static void begin(const char *name)
{
    put_token(1);
    put_bytes(name, strlen(name) + 1);
}

static void end(void)
{
    put_token(2);
}

static void property(const char *name, const void *value, size_t bytes)
{
    put_token(3);
    put_token((uint32_t)bytes);
    put_token(strings_bytes);
    put_bytes(value, bytes);
    memcpy(blob + STRINGS_AT + strings_bytes, name, strlen(name) + 1);
    strings_bytes += (uint32_t)strlen(name) + 1;
}

static void text(const char *name, const char *value)
{
    property(name, value, strlen(value) + 1);
}

static void cell(const char *name, uint32_t value)
{
    const uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                              (uint8_t)value};

    property(name, bytes, sizeof bytes);
}

static void finish(void)
{
    static const uint32_t header[10] = {
        0xd00dfeed, BLOB_BYTES, STRUCTURE_AT, STRINGS_AT, RESERVE_AT, 17, 16, 3, 0, 0};

    put_token(9);
    for (unsigned i = 0; i < 10; i++) {
        put_u32(4 * i, header[i]);
    }
    put_u32(32, strings_bytes);
    put_u32(36, structure_bytes);
    put_u32(RESERVE_AT + 4, 0x80000000);
    put_u32(RESERVE_AT + 12, 0x40000);
}

static void start(void)
{
    memset(blob, 0, sizeof blob);
    structure_bytes = 0;
    strings_bytes = 0;
}

static void build(void)
{
    static const uint8_t reg[] = {0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0,
                                  0, 0, 0, 1, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0};

    start();
    begin("");
    cell("#address-cells", 2);
    cell("#size-cells", 2);
    property("compatible", "riscv-virtio\0other", 19);
    put_token(4); /* a NOP between properties */
    text("model", "test");
    begin("cpus");
    cell("#address-cells", 1);
    cell("#size-cells", 0);
    begin("cpu@0");
    cell("reg", 7);
    text("status", "okay");
    begin("interrupt-controller");
    cell("phandle", 5);
    end();
    end();
    put_token(4);
    begin("cpu@1");
    cell("reg", 9);
    text("status", "disabled");
    end();
    end();
    begin("uart@10000000");
    property("compatible", "ns16550a\0ns16550", 17);
    property("reg", reg, sizeof reg);
    property("clock", reg + 16, 8);
    end();
    end();
    finish();
}

static struct fdt open_good(void)
{
    struct fdt fdt = {0};
    const char *why = "";

    if (fdt_open(&fdt, blob, sizeof blob, &why) != OK) {
        test_fail(__FILE__, __LINE__, why, false, 0, 0);
    }
    return fdt;
}

TEST(fdt, walks_children_and_siblings)
{
    struct fdt fdt;
    fdt_node_t cpus;
    fdt_node_t first;

    build();
    fdt = open_good();
    EXPECT_TEXT(fdt_name(&fdt, fdt_root(&fdt)), "");
    EXPECT_EQ(fdt.boot_cpu, 3);
    cpus = fdt_first_child(&fdt, fdt_root(&fdt));
    EXPECT_TEXT(fdt_name(&fdt, cpus), "cpus");
    first = fdt_first_child(&fdt, cpus);
    EXPECT_TEXT(fdt_name(&fdt, first), "cpu@0");
    EXPECT_TEXT(fdt_name(&fdt, fdt_next_sibling(&fdt, first)), "cpu@1");
    EXPECT_EQ(fdt_next_sibling(&fdt, fdt_next_sibling(&fdt, first)), FDT_NONE);
    EXPECT_TEXT(fdt_name(&fdt, fdt_next_sibling(&fdt, cpus)), "uart@10000000");
    EXPECT_EQ(fdt_next_sibling(&fdt, fdt_root(&fdt)), FDT_NONE);
    EXPECT_EQ(fdt_parent(&fdt, first), cpus);
    EXPECT_EQ(fdt_parent(&fdt, fdt_root(&fdt)), FDT_NONE);
    EXPECT_EQ(fdt_first_child(&fdt, FDT_NONE), FDT_NONE);
}

TEST(fdt, finds_by_path_compatible_and_phandle)
{
    struct fdt fdt;
    fdt_node_t node;

    build();
    fdt = open_good();
    EXPECT_EQ(fdt_find_path(&fdt, "/"), fdt_root(&fdt));
    node = fdt_find_path(&fdt, "/cpus/cpu@1");
    EXPECT_TEXT(fdt_name(&fdt, node), "cpu@1");
    EXPECT_TRUE(fdt_name_is(&fdt, node, "cpu"));
    EXPECT_TRUE(fdt_name_is(&fdt, node, "cpu@1"));
    EXPECT_FALSE(fdt_name_is(&fdt, node, "cp"));
    EXPECT_FALSE(fdt_name_is(&fdt, node, "cpu@"));
    EXPECT_TEXT(fdt_name(&fdt, fdt_find_path(&fdt, "/uart")), "uart@10000000");
    EXPECT_EQ(fdt_find_path(&fdt, "/cpus/cpu@2"), FDT_NONE);
    EXPECT_EQ(fdt_find_path(&fdt, "/cpu"), FDT_NONE);
    node = fdt_find_compatible(&fdt, FDT_NONE, "ns16550");
    EXPECT_TEXT(fdt_name(&fdt, node), "uart@10000000");
    EXPECT_EQ(fdt_find_compatible(&fdt, node, "ns16550"), FDT_NONE);
    EXPECT_EQ(fdt_find_compatible(&fdt, FDT_NONE, "other"), fdt_root(&fdt));
    EXPECT_EQ(fdt_find_compatible(&fdt, FDT_NONE, "riscv"), FDT_NONE);
    node = fdt_find_phandle(&fdt, 5);
    EXPECT_TEXT(fdt_name(&fdt, node), "interrupt-controller");
    EXPECT_EQ(fdt_find_phandle(&fdt, 6), FDT_NONE);
    EXPECT_EQ(fdt_find_phandle(&fdt, 0), FDT_NONE);
}

TEST(fdt, reads_numbers_strings_and_status)
{
    struct fdt fdt;
    fdt_node_t uart;
    uint32_t word = 99;
    uint64_t wide = 0;

    build();
    fdt = open_good();
    uart = fdt_find_path(&fdt, "/uart");
    EXPECT_FALSE(fdt_u32(&fdt, uart, "clock", &word));
    EXPECT_EQ(word, 99);
    EXPECT_TRUE(fdt_u64(&fdt, uart, "clock", &wide));
    EXPECT_EQ(wide, 0x100000000);
    EXPECT_TRUE(fdt_u32(&fdt, fdt_find_path(&fdt, "/cpus/cpu@0"), "reg", &word));
    EXPECT_EQ(word, 7);
    EXPECT_TRUE(fdt_string(&fdt, uart, "compatible") == NULL);
    EXPECT_TEXT(fdt_string(&fdt, fdt_root(&fdt), "model"), "test");
    EXPECT_TRUE(fdt_string(&fdt, uart, "model") == NULL);
    EXPECT_TRUE(fdt_is_enabled(&fdt, uart));
    EXPECT_TRUE(fdt_is_enabled(&fdt, fdt_find_path(&fdt, "/cpus/cpu@0")));
    EXPECT_FALSE(fdt_is_enabled(&fdt, fdt_find_path(&fdt, "/cpus/cpu@1")));
    EXPECT_FALSE(fdt_is_enabled(&fdt, FDT_NONE));
    EXPECT_EQ(fdt_cell_count(&fdt, uart, "reg"), 8);
    EXPECT_TRUE(fdt_cells(&fdt, uart, "reg", 6, 2, &wide));
    EXPECT_EQ(wide, 0x200);
    EXPECT_FALSE(fdt_cells(&fdt, uart, "reg", 7, 2, &wide));
    EXPECT_FALSE(fdt_cells(&fdt, uart, "reg", UINT32_MAX, 1, &wide));
    EXPECT_FALSE(fdt_cells(&fdt, uart, "reg", 0, 3, &wide));
}

TEST(fdt, reads_reg_with_the_parents_cells)
{
    struct fdt fdt;
    fdt_node_t uart;
    uint64_t address = 0;
    uint64_t bytes = 0;

    build();
    fdt = open_good();
    uart = fdt_find_path(&fdt, "/uart");
    EXPECT_TRUE(fdt_reg(&fdt, uart, 0, &address, &bytes));
    EXPECT_EQ(address, 0x10000000);
    EXPECT_EQ(bytes, 0x100);
    EXPECT_TRUE(fdt_reg(&fdt, uart, 1, &address, &bytes));
    EXPECT_EQ(address, 0x100000000);
    EXPECT_FALSE(fdt_reg(&fdt, uart, 2, &address, &bytes));
    EXPECT_FALSE(fdt_reg(&fdt, uart, UINT32_MAX, &address, &bytes));
    EXPECT_TRUE(fdt_reg(&fdt, fdt_find_path(&fdt, "/cpus/cpu@1"), 0, &address, &bytes));
    EXPECT_EQ(address, 9);
    EXPECT_EQ(bytes, 0);
}

TEST(fdt, reads_the_reservation_block)
{
    struct fdt fdt;
    uint64_t address = 0;
    uint64_t bytes = 0;

    build();
    fdt = open_good();
    EXPECT_EQ(fdt.reserve_count, 1);
    EXPECT_TRUE(fdt_reserve(&fdt, 0, &address, &bytes));
    EXPECT_EQ(address, 0x80000000);
    EXPECT_EQ(bytes, 0x40000);
    EXPECT_FALSE(fdt_reserve(&fdt, 1, &address, &bytes));
}

/* Checks an exact copy of the first bytes, and uses every reader on it when it is good. */
static status_t check_copy(size_t bytes, const char **why)
{
    uint8_t *copy = aligned_alloc(8, bytes == 0 ? 8 : (bytes + 7) / 8 * 8);
    struct fdt fdt;
    status_t status;

    memcpy(copy, blob, bytes);
    status = fdt_open(&fdt, copy, bytes, why);
    if (status == OK) {
        for (fdt_node_t node = fdt_root(&fdt); node != FDT_NONE; node = fdt_next_node(&fdt, node)) {
            uint64_t address;
            uint64_t size;

            (void)fdt_parent(&fdt, node);
            (void)fdt_next_sibling(&fdt, node);
            (void)fdt_phandle(&fdt, node);
            (void)fdt_string(&fdt, node, "status");
            (void)fdt_string_list_contains(&fdt, node, "compatible", "other");
            (void)fdt_reg(&fdt, node, 0, &address, &size);
        }
    }
    free(copy);
    return status;
}

static void expect_header(uint32_t at, uint32_t value, const char *complaint)
{
    const char *why = "";

    build();
    put_u32(at, value);
    EXPECT_EQ(check_copy(sizeof blob, &why), ERR_BAD_FORMAT);
    EXPECT_TRUE(strstr(why, complaint) != NULL);
}

TEST(fdt, each_damaged_header_field_is_named)
{
    expect_header(0, 0xedfe0dd0, "magic");
    expect_header(4, 39, "totalsize");
    expect_header(4, BLOB_BYTES + 1, "totalsize");
    expect_header(8, STRUCTURE_AT + 2, "off_dt_struct");
    expect_header(8, 0xfffffff8, "off_dt_struct");
    expect_header(12, 0xffffffff, "off_dt_strings");
    expect_header(16, RESERVE_AT + 4, "off_mem_rsvmap");
    expect_header(16, 0xfffffff8, "off_mem_rsvmap");
    expect_header(20, 16, "version");
    expect_header(24, 18, "last_comp_version");
    expect_header(32, BLOB_BYTES, "size_dt_strings");
    expect_header(36, 0xfffffffc, "size_dt_struct");
    expect_header(36, 2, "size_dt_struct");
    expect_header(32, 0, "name");
}

static void expect_structure(const char *complaint)
{
    const char *why = "";

    finish();
    EXPECT_EQ(check_copy(sizeof blob, &why), ERR_BAD_FORMAT);
    EXPECT_TRUE(strstr(why, complaint) != NULL);
}

TEST(fdt, damaged_structure_is_refused)
{
    start();
    expect_structure("inside a node"); /* no root at all */
    start();
    begin("");
    expect_structure("inside a node");
    start();
    begin("");
    end();
    end();
    expect_structure("did not begin");
    start();
    begin("");
    end();
    begin("");
    end();
    expect_structure("more than one root");
    start();
    begin("");
    begin("child");
    end();
    cell("late", 1);
    end();
    expect_structure("after a child");
    start();
    begin("");
    put_token(77);
    end();
    expect_structure("unknown token");
    start();
    for (unsigned i = 0; i <= FDT_MAX_DEPTH; i++) {
        begin("n");
    }
    expect_structure("too deeply");
    start();
    begin("");
    put_token(3);
    put_token(0xfffffff0);
    put_token(0);
    end();
    expect_structure("length");
    start();
    begin("");
    put_token(3);
    put_token(64); /* inside the blob, but not inside the structure block */
    put_token(0);
    end();
    expect_structure("length");
}

TEST(fdt, misaligned_and_truncated_blobs_are_refused)
{
    struct fdt fdt;
    const char *why = "";

    build();
    EXPECT_EQ(fdt_open(&fdt, blob + 4, sizeof blob - 4, &why), ERR_BAD_FORMAT);
    for (size_t bytes = 0; bytes < sizeof blob; bytes += 8) {
        EXPECT_EQ(check_copy(bytes, &why), ERR_BAD_FORMAT);
    }
    EXPECT_EQ(fdt_blob_bytes(blob), BLOB_BYTES);
    blob[0] = 0;
    EXPECT_EQ(fdt_blob_bytes(blob), 0);
}

TEST(fdt, overflowing_reg_is_refused)
{
    static const uint8_t reg[16] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0,    0,    0,    0,    0,    0,    0,    2};
    struct fdt fdt;
    uint64_t address = 1;
    uint64_t bytes = 1;

    start();
    begin("");
    cell("#size-cells", 2);
    begin("memory");
    property("reg", reg, sizeof reg);
    end();
    end();
    finish();
    fdt = open_good();
    EXPECT_FALSE(fdt_reg(&fdt, fdt_find_path(&fdt, "/memory"), 0, &address, &bytes));
    EXPECT_EQ(address, 1);
}

TEST(fdt, random_damage_never_reads_outside)
{
    const char *why = "";

    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        build();
        for (int i = rand() % 4; i >= 0; i--) {
            blob[(unsigned)rand() % (STRUCTURE_AT + structure_bytes)] = (uint8_t)(rand() % 40);
        }
        (void)check_copy(sizeof blob, &why);
    }
}
