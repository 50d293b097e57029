/* SPDX-License-Identifier: MIT */
/* Lists of the names that a program may register. */
#include "ipc/name_rule.h"

#include <string.h>

#include "kernel/abi/limits.h"
#include "tests/test.h"

static bool allows(const char *list, const char *name)
{
    return name_rule_allows(list, name, strlen(name));
}

TEST(name_rule, allows_names_and_what_begins_like_a_pattern)
{
    EXPECT_TRUE(allows("echo", "echo") && allows("a echo b", "echo") && allows("*", "x"));
    EXPECT_TRUE(!allows("echo", "echo.user") && !allows("echo.user", "echo") &&
                !allows("", "echo"));
    EXPECT_TRUE(allows("echo.*", "echo.user") && allows("echo.*", "echo."));
    EXPECT_TRUE(!allows("echo.*", "echo") && !allows("echo.*", "ech") && !allows("a* b*", "c"));
}

TEST(name_rule, covers_what_is_no_wider)
{
    EXPECT_TRUE(name_rule_covers("*", "a b* *") && name_rule_covers("", "") &&
                name_rule_covers("a", ""));
    EXPECT_TRUE(name_rule_covers("a.* b", "a.b a.c* b a.*"));
    EXPECT_TRUE(!name_rule_covers("a.* b", "a*") && !name_rule_covers("a.* b", "b*"));
    EXPECT_TRUE(!name_rule_covers("a.* b", "a.b c") && !name_rule_covers("", "a"));
}

TEST(name_rule, malformed_lists_are_refused)
{
    char longest[MAX_NAME_BYTES + 2];
    char all[MAX_REGISTER_BYTES + 1];

    EXPECT_TRUE(name_rule_is_valid("") && name_rule_is_valid("*") && name_rule_is_valid("a b.* c"));
    EXPECT_TRUE(!name_rule_is_valid(" a") && !name_rule_is_valid("a ") &&
                !name_rule_is_valid("a  b"));
    EXPECT_TRUE(!name_rule_is_valid("a*b") && !name_rule_is_valid("**") &&
                !name_rule_is_valid("a\tb"));
    memset(longest, 'x', sizeof(longest));
    longest[MAX_NAME_BYTES + 1] = '\0';
    EXPECT_TRUE(!name_rule_is_valid(longest));
    longest[MAX_NAME_BYTES] = '\0';
    EXPECT_TRUE(name_rule_is_valid(longest));
    for (unsigned i = 0; i < MAX_REGISTER_BYTES; i++) {
        all[i] = i % 2 == 0 ? 'x' : ' ';
    }
    all[MAX_REGISTER_BYTES] = '\0';
    EXPECT_TRUE(!name_rule_is_valid(all));
    all[MAX_REGISTER_BYTES - 1] = '\0';
    EXPECT_TRUE(name_rule_is_valid(all));
}
