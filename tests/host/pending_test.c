/* SPDX-License-Identifier: MIT */
/* Tests the set of ports of one core, against an array of flags. */
#include "ipc/pending.h"

#include <string.h>

#include "tests/test.h"

static struct pending set;
static bool in[PENDING_PORTS];

static void begin(void)
{
    memset(&set, 0, sizeof(set));
    memset(in, 0, sizeof(in));
}

static void put(uint32_t index)
{
    pending_set(&set, index);
    in[index] = true;
}

static void take(uint32_t index)
{
    pending_clear(&set, index);
    in[index] = false;
}

/* The first at or behind `from`, round once. */
static uint32_t expected(uint32_t from)
{
    for (uint32_t i = 0; i < PENDING_PORTS; i++) {
        if (in[(from + i) % PENDING_PORTS]) {
            return (from + i) % PENDING_PORTS;
        }
    }
    return PENDING_NONE;
}

TEST(pending, an_empty_one_has_nothing)
{
    begin();
    EXPECT_TRUE(pending_is_empty(&set));
    EXPECT_EQ(pending_next(&set, 0), PENDING_NONE);
    EXPECT_EQ(pending_next(&set, PENDING_PORTS), PENDING_NONE);
    take(5);
    EXPECT_TRUE(pending_is_empty(&set));
}

TEST(pending, each_port_is_found_from_every_side_of_the_borders_of_words)
{
    static const uint32_t at[] = {0,    1,    63,   64,   65,    4095,  4096,
                                  4097, 8191, 8192, 8255, 12288, 16319, 16383};

    for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        begin();
        put(at[i]);
        for (unsigned j = 0; j < sizeof(at) / sizeof(at[0]); j++) {
            EXPECT_EQ(pending_next(&set, at[j]), at[i]);
            EXPECT_EQ(pending_next(&set, at[j] + 1), at[i]);
            EXPECT_EQ(pending_has(&set, at[j]), i == j);
        }
        take(at[i]);
        EXPECT_TRUE(pending_is_empty(&set));
    }
}

TEST(pending, finds_all_in_turn)
{
    uint32_t cursor = 0;

    begin();
    for (uint32_t i = 7; i < PENDING_PORTS; i += 101) {
        put(i);
    }
    for (uint32_t i = 7; i < PENDING_PORTS; i += 101) {
        uint32_t found = pending_next(&set, cursor);

        EXPECT_EQ(found, i);
        cursor = found + 1;
    }
    EXPECT_EQ(pending_next(&set, cursor), 7);
}

TEST(pending, is_as_an_array_of_flags)
{
    uint32_t random = 1;

    begin();
    for (unsigned i = 0; i < 4000; i++) {
        uint32_t index;

        random = random * 1664525U + 1013904223U;
        index = random >> 8 & (PENDING_PORTS - 1);
        if (i % 5 < 2) {
            put(index);
        } else {
            uint32_t found = pending_next(&set, index);

            EXPECT_EQ(found, expected(index));
            if (found != PENDING_NONE) {
                take(found);
            }
        }
    }
}
