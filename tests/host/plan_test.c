/* SPDX-License-Identifier: MIT */
/* Tests the choice of tests by pattern, which decides what a run proves. */

#include "tests/plan.h"

TEST(plan, pattern_stars_match_any_text)
{
    EXPECT_TRUE(test_pattern_matches("*", ""));
    EXPECT_TRUE(test_pattern_matches("port*", "port.close_wakes"));
    EXPECT_TRUE(test_pattern_matches("*close*", "port.close_wakes"));
    EXPECT_TRUE(test_pattern_matches("*ab", "aab"));
    EXPECT_TRUE(test_pattern_matches("a*b*c", "a1b2b3c"));
    EXPECT_FALSE(test_pattern_matches("a*b*c", "a1b2b3"));
    EXPECT_FALSE(test_pattern_matches("port*", "sport"));
}

TEST(plan, pattern_without_star_matches_whole_names_only)
{
    EXPECT_TRUE(test_pattern_matches("port.close", "port.close"));
    EXPECT_FALSE(test_pattern_matches("port.close", "port.close_wakes"));
    EXPECT_TRUE(test_pattern_matches("p?rt.close", "port.close"));
    EXPECT_FALSE(test_pattern_matches("port?", "port"));
    EXPECT_FALSE(test_pattern_matches("p[a-z]rt", "port")); /* tools/patterns.py refuses it */
    EXPECT_TRUE(test_pattern_matches("p[a-z]rt", "p[a-z]rt"));
}

TEST(plan, self_tests_run_only_when_asked_for)
{
    static const struct test_case quiet = {"selftest", "fails", NULL, ""};
    EXPECT_FALSE(test_is_chosen(&quiet, NULL));
    EXPECT_FALSE(test_is_chosen(&quiet, "*"));
    EXPECT_FALSE(test_is_chosen(&quiet, "s*"));
    EXPECT_TRUE(test_is_chosen(&quiet, "selftest.fails"));
    EXPECT_TRUE(test_is_chosen(&quiet, "selftest*"));
}

TEST(plan, index_begins_at_one_and_ends_at_the_count)
{
    unsigned count = test_plan_count("plan.*");
    EXPECT_EQ(count, 4);
    EXPECT_TRUE(test_plan_at("plan.*", 1) != NULL);
    EXPECT_TRUE(test_plan_at("plan.*", count) != NULL);
    EXPECT_TRUE(test_plan_at("plan.*", count + 1) == NULL);
}
