/* SPDX-License-Identifier: MIT */
/* Tests the boot argument parser. */

#include "arch/riscv/bootarg_priv.h"
#include "tests/test.h"

TEST(bootarg, finds_words_and_values)
{
    char value[16] = "untouched";
    EXPECT_TRUE(bootarg_find_in("quiet test=port.* smp", "test", value, sizeof(value)));
    EXPECT_TEXT(value, "port.*");
    EXPECT_TRUE(bootarg_find_in("quiet test=port.* smp", "quiet", value, sizeof(value)));
    EXPECT_TEXT(value, "");
    EXPECT_TRUE(bootarg_find_in("smp", "smp", NULL, 0));
}

TEST(bootarg, a_longer_or_shorter_word_is_another_one)
{
    char value[16] = "untouched";
    EXPECT_FALSE(bootarg_find_in("tests=1 tes=2 atest=3", "test", value, sizeof(value)));
    EXPECT_TEXT(value, "untouched");
    EXPECT_FALSE(bootarg_find_in("", "test", value, sizeof(value)));
}

TEST(bootarg, the_last_one_wins)
{
    char value[16];
    EXPECT_TRUE(bootarg_find_in("a=1 a=2  a=3 ", "a", value, sizeof(value)));
    EXPECT_TEXT(value, "3");
}

TEST(bootarg, a_long_value_is_cut)
{
    char value[4];
    EXPECT_TRUE(bootarg_find_in("a=123456", "a", value, sizeof(value)));
    EXPECT_TEXT(value, "123");
}

TEST(bootarg, numbers_are_decimal_and_whole)
{
    uint64_t number = 7;
    EXPECT_TRUE(bootarg_parse_number("0", &number));
    EXPECT_EQ(number, 0);
    EXPECT_TRUE(bootarg_parse_number("63", &number));
    EXPECT_EQ(number, 63);
    EXPECT_FALSE(bootarg_parse_number("", &number));
    EXPECT_FALSE(bootarg_parse_number("-1", &number));
    EXPECT_FALSE(bootarg_parse_number("1x", &number));
    EXPECT_FALSE(bootarg_parse_number("99999999999999999999", &number));
    EXPECT_EQ(number, 63);
}
