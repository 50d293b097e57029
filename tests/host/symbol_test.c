/* SPDX-License-Identifier: MIT */
/* Tests the look-up of text addresses in a symbol table. */

#include "kernel/base/symbol.h"
#include "tests/test.h"

static const struct symbol symbols[] = {{0x10, 0}, {0x20, 4}, {0x80, 8}};

static const struct symbol_table table = {
    .base = 0x1000, .size_bytes = 0x100, .count = 3, .symbols = symbols, .names = "one\0two\0six"};

/* Nothing is linked in on the host. */
const struct symbol_table symbol_kernel_table;

TEST(symbol, first_byte_of_a_function_has_offset_zero)
{
    uint64_t offset = 99;
    const char *name = symbol_find_in(&table, 0x1020, &offset);
    ASSERT_TRUE(name != NULL);
    EXPECT_TEXT(name, "two");
    EXPECT_EQ(offset, 0);
}

TEST(symbol, inner_address_belongs_to_the_function_before_it)
{
    uint64_t offset = 0;
    const char *name = symbol_find_in(&table, 0x107f, &offset);
    ASSERT_TRUE(name != NULL);
    EXPECT_TEXT(name, "two");
    EXPECT_EQ(offset, 0x5f);
    EXPECT_TEXT(symbol_find_in(&table, 0x10ff, &offset), "six");
    EXPECT_EQ(offset, 0x7f);
}

TEST(symbol, addresses_outside_the_text_have_no_name)
{
    uint64_t offset = 77;
    EXPECT_TRUE(symbol_find_in(&table, 0xfff, &offset) == NULL);
    EXPECT_TRUE(symbol_find_in(&table, 0x100f, &offset) == NULL);
    EXPECT_TRUE(symbol_find_in(&table, 0x1100, &offset) == NULL);
    EXPECT_TRUE(symbol_find_in(&table, 0, &offset) == NULL);
    EXPECT_TRUE(symbol_find_in(&table, UINT64_MAX, &offset) == NULL);
    EXPECT_EQ(offset, 77);
}

TEST(symbol, empty_table_has_no_names)
{
    uint64_t offset = 0;
    EXPECT_TRUE(symbol_find(0x1000, &offset) == NULL);
}
