/* SPDX-License-Identifier: MIT */
/* The C library on top of Baton: formatting, heap, conversion, thread-local errno. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/lib/test.h"

#define BLOCKS 200
#define HEAP_THREADS 3

TEST(user_libc, formatting)
{
    char text[80];

    EXPECT_EQUAL(snprintf(text, sizeof(text), "%d %5u|%-4s|%#lx|%c", -7, 42U, "ab", 0xbeefUL, 'z'),
                 22);
    EXPECT(strcmp(text, "-7    42|ab  |0xbeef|z") == 0);
    snprintf(text, sizeof(text), "%.3f", 3.14159);
    EXPECT(strcmp(text, "3.142") == 0);
}

TEST(user_libc, numbers_are_read)
{
    char *end;

    EXPECT_EQUAL(strtol("-123x", &end, 10), -123);
    EXPECT_EQUAL(*end, 'x');
    EXPECT_EQUAL(strtol("0x7f", NULL, 0), 127);
    errno = 0;
    EXPECT_EQUAL(strtol("99999999999999999999", NULL, 10), INT64_MAX);
    EXPECT_EQUAL(errno, ERANGE);
}

/* Allocates, fills, checks and frees blocks of many sizes; returns how many were damaged. */
static int heap_round(unsigned char fill)
{
    unsigned char *block[BLOCKS];
    int damaged = 0;

    for (size_t i = 0; i < BLOCKS; i++) {
        block[i] = malloc(i * 13 + 1);
        if (block[i] == NULL) {
            return BLOCKS;
        }
        memset(block[i], fill, i * 13 + 1);
    }
    for (size_t i = 0; i < BLOCKS; i++) {
        for (size_t at = 0; at < i * 13 + 1; at++) {
            if (block[i][at] != fill) {
                damaged++;
                break;
            }
        }
        free(block[i]);
    }
    return damaged;
}

TEST(user_libc, heap_blocks_do_not_overlap)
{
    EXPECT_EQUAL(heap_round(0x5a), 0);
    EXPECT_EQUAL(heap_round(0xa5), 0);
}

TEST(user_libc, large_block)
{
    size_t bytes = 1 << 20;
    char *block = malloc(bytes);

    ASSERT(block != NULL);
    block[0] = 1;
    block[bytes - 1] = 2;
    EXPECT_EQUAL(block[0] + block[bytes - 1], 3);
    free(block);
}

TEST(user_libc, too_large_a_block_is_refused)
{
    errno = 0;
    EXPECT(malloc(1UL << 40) == NULL);
    EXPECT_EQUAL(errno, ENOMEM);
}

static int heap_thread(void *argument)
{
    int damaged = 0;

    for (int i = 0; i < 5; i++) {
        damaged += heap_round((unsigned char)(uintptr_t)argument);
    }
    return damaged > 255 ? 255 : damaged;
}

TEST(user_libc, heap_is_shared_by_threads)
{
    struct thread threads[HEAP_THREADS];

    for (uintptr_t i = 0; i < HEAP_THREADS; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], heap_thread, (void *)(i + 1)), OK);
    }
    for (unsigned i = 0; i < HEAP_THREADS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
    }
}

static _Thread_local int initialised = 77;
static _Thread_local int zeroed;

static int errno_thread(void *argument)
{
    int before = errno;

    (void)argument;
    EXPECT_EQUAL(initialised, 77);
    EXPECT_EQUAL(zeroed, 0);
    initialised = 1;
    zeroed = 2;
    errno = ERANGE;
    thread_yield();
    EXPECT_EQUAL(errno, ERANGE);
    return before;
}

TEST(user_libc, each_thread_has_its_own_errno)
{
    struct thread thread;

    errno = EINVAL;
    zeroed = 9;
    ASSERT_EQUAL(thread_start(&thread, errno_thread, NULL), OK);
    EXPECT_EQUAL(thread_join(&thread), 0);
    EXPECT_EQUAL(errno, EINVAL);
    EXPECT_EQUAL(initialised, 77);
    EXPECT_EQUAL(zeroed, 9);
}

static void errno_service(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    errno = ENOMEM;
    service_reply(message, OK, 0);
}

TEST(user_libc, a_service_has_its_own_errno)
{
    struct message message = {.tag = 0};
    handle_t port;

    ASSERT_EQUAL(service_create(errno_service, NULL, &port), OK);
    errno = EINVAL;
    EXPECT_EQUAL(port_request(port, &message), OK);
    EXPECT_EQUAL(errno, EINVAL);
    port_close(port);
}
