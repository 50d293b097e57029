/* SPDX-License-Identifier: MIT */
/* Tests the formatting engine against the host's printf, and the log's sink. */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "kernel/base/print.h"
#include "tests/test.h"

/* Both engines must agree on text and length. */
#define EXPECT_LIKE_PRINTF(...)                                                                    \
    do {                                                                                           \
        char ours[256];                                                                            \
        char theirs[256];                                                                          \
        int our_length = format_string(ours, sizeof ours, __VA_ARGS__);                            \
        EXPECT_EQ(our_length, snprintf(theirs, sizeof theirs, __VA_ARGS__));                       \
        EXPECT_TEXT(ours, theirs);                                                                 \
    } while (0)

TEST(format, integers_of_every_length)
{
    EXPECT_LIKE_PRINTF("%d %i %u", -7, INT_MIN, UINT_MAX);
    EXPECT_LIKE_PRINTF("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
    EXPECT_LIKE_PRINTF("%lld %llu %llx", LLONG_MIN, ULLONG_MAX, 0x123456789abcdefULL);
    EXPECT_LIKE_PRINTF("%zu %zx %X %d", SIZE_MAX, (size_t)0xbeef, 0xBEEFU, 0);
}

TEST(format, width_zero_and_left)
{
    EXPECT_LIKE_PRINTF("[%5d] [%-5d] [%05d] [%05d]", 42, 42, 42, -42);
    EXPECT_LIKE_PRINTF("[%16lx] [%016lx] [%-16lx]", 0xfeedUL, 0xfeedUL, 0xfeedUL);
    EXPECT_LIKE_PRINTF("[%*d] [%*d] [%.3d] [%8.3d]", 6, 1, -6, 1, 7, -7);
    EXPECT_LIKE_PRINTF("[%2d]", 12345);
}

TEST(format, strings_and_characters)
{
    EXPECT_LIKE_PRINTF("[%s] [%8s] [%-8s] [%.2s]", "abc", "abc", "abc", "abc");
    EXPECT_LIKE_PRINTF("[%.*s] [%.*s] [%c] [%3c] [%%]", 1, "abc", 0, "abc", 'x', 'y');
}

TEST(format, precision_reads_no_byte_beyond)
{
    const char unterminated[3] = {'a', 'b', 'c'};
    char text[8];

    EXPECT_EQ(format_string(text, sizeof text, "%.3s", unterminated), 3);
    EXPECT_TEXT(text, "abc");
}

TEST(format, pointers_and_null)
{
    char text[64];
    const char *volatile nothing = NULL;

    (void)format_string(text, sizeof text, "%p", (void *)(uintptr_t)0xffffffc000001000);
    EXPECT_TEXT(text, "0xffffffc000001000");
    (void)format_string(text, sizeof text, "%s", nothing);
    EXPECT_TEXT(text, "(null)");
}

TEST(format, output_is_cut_and_always_terminated)
{
    char text[4] = "xyz";

    EXPECT_EQ(format_string(text, sizeof text, "%s", "123456"), 6);
    EXPECT_TEXT(text, "123");
    EXPECT_EQ(format_string(text, 1, "%d", 99), 2);
    EXPECT_TEXT(text, "");
    EXPECT_EQ(format_string(NULL, 0, "%d", 123), 3);
}

static char log_text[PRINT_MAX_BYTES + 64];
static size_t log_bytes;
static unsigned log_calls;

static void log_sink(const char *bytes, size_t count)
{
    memcpy(log_text, bytes, count);
    log_text[count] = '\0';
    log_bytes = count;
    log_calls++;
}

TEST(print, one_call_reaches_the_sink_in_one_piece)
{
    print("lost: no sink yet\n");
    print_set_sink(log_sink);
    print("core %u: %s\n", 3U, "awake");
    EXPECT_EQ(log_calls, 1);
    EXPECT_TEXT(log_text, "core 3: awake\n");
    print_set_sink(NULL);
    print("lost again\n");
    EXPECT_EQ(log_calls, 1);
}

TEST(print, too_long_a_text_is_cut_visibly)
{
    print_set_sink(log_sink);
    print("%*d\n", PRINT_MAX_BYTES, 1);
    EXPECT_EQ(log_calls, 1);
    EXPECT_EQ(log_bytes, PRINT_MAX_BYTES);
    EXPECT_TEXT(log_text + PRINT_MAX_BYTES - 4, "...\n");
    print("%*d", PRINT_MAX_BYTES, 1);
    EXPECT_TEXT(log_text + PRINT_MAX_BYTES - 4, "   1");
}
