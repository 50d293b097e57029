/* SPDX-License-Identifier: MIT */
/* Tests the reading of RISC-V ISA strings. */

#include "arch/riscv/isa_priv.h"
#include "tests/test.h"

static const char qemu[] = "rv64imafdch_zicsr_zifencei_zihintpause_zba_zbb_zbc_zbs_sstc";

TEST(isa, finds_single_letters_before_the_first_name)
{
    EXPECT_TRUE(isa_has(qemu, "i"));
    EXPECT_TRUE(isa_has(qemu, "a"));
    EXPECT_TRUE(isa_has(qemu, "c"));
    EXPECT_TRUE(isa_has(qemu, "h"));
    EXPECT_FALSE(isa_has(qemu, "v"));
    EXPECT_FALSE(isa_has(qemu, "b"));
    EXPECT_FALSE(isa_has(qemu, "s"));
}

TEST(isa, finds_whole_names_only)
{
    EXPECT_TRUE(isa_has(qemu, "sstc"));
    EXPECT_TRUE(isa_has(qemu, "zicsr"));
    EXPECT_FALSE(isa_has(qemu, "sst"));
    EXPECT_FALSE(isa_has(qemu, "zbbx"));
    EXPECT_FALSE(isa_has("rv64imac_xsstc", "sstc"));
    EXPECT_TRUE(isa_has("rv64imaczicsr_sstc", "zicsr"));
}

TEST(isa, g_stands_for_the_general_set)
{
    EXPECT_TRUE(isa_has("rv64gc", "m"));
    EXPECT_TRUE(isa_has("rv64gc", "d"));
    EXPECT_TRUE(isa_has("rv64gc", "c"));
    EXPECT_FALSE(isa_has("rv64gc", "v"));
}

TEST(isa, versions_are_not_extensions)
{
    EXPECT_TRUE(isa_has("rv64i2p1m2p0a2p1c2p0_sstc1p0", "sstc"));
    EXPECT_TRUE(isa_has("rv64i2p1m2p0a2p1c2p0", "a"));
    EXPECT_FALSE(isa_has("rv64i2p1m2p0a2p1c2p0", "p"));
}

TEST(isa, case_does_not_matter)
{
    EXPECT_TRUE(isa_is_rv64("RV64IMAC"));
    EXPECT_TRUE(isa_has("RV64IMAC_Sstc", "sstc"));
    EXPECT_TRUE(isa_has("RV64IMAC", "c"));
}

TEST(isa, other_strings_have_nothing)
{
    EXPECT_FALSE(isa_is_rv64(""));
    EXPECT_FALSE(isa_is_rv64("rv64"));
    EXPECT_FALSE(isa_is_rv64("rv32imac"));
    EXPECT_FALSE(isa_is_rv64("rv64xyz"));
    EXPECT_FALSE(isa_has("rv32imac_sstc", "sstc"));
    EXPECT_FALSE(isa_has("", "i"));
}
