/* SPDX-License-Identifier: MIT */
/* Long messages to a service in the kernel: tests/kernel/message_service.c. */
#include <stddef.h>
#include <string.h>

#include "user/programs/test-message/peer.h"

static handle_t find(void)
{
    handle_t port = HANDLE_NONE;

    EXPECT_EQUAL(lookup_find("test.long", &port), OK);
    return port;
}

TEST(user_message, a_service_in_the_kernel_gets_every_length)
{
    struct message_page *page = message_page();
    handle_t port = find();

    for (uint32_t words = 0; words <= MAX_MESSAGE_WORDS; words++) {
        struct message message = {.tag = MESSAGE_TAG(0, words), .word = {1, 2, 3, 4}};

        for (uint64_t i = 0; i < MAX_MESSAGE_WORDS; i++) {
            page->word[i] = i;
        }
        ASSERT_EQUAL(port_request(port, &message), OK);
        EXPECT_EQUAL(message_words(message.tag), words);
        EXPECT_EQUAL(message.word[3], words > 3 ? ~4UL : 4);
        for (uint64_t i = MESSAGE_REGISTER_WORDS; i < MAX_MESSAGE_WORDS; i++) {
            ASSERT_EQUAL(page->word[i], i < words ? ~i : i);
        }
    }
    EXPECT_EQUAL(handle_close(port), OK);
}

TEST(user_message, a_service_in_the_kernel_gets_and_gives_handles)
{
    handle_t memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
    struct message message = {.tag = MESSAGE_TAG_LONG(0, 5, 4, 0)};
    handle_t port = find();

    ASSERT(message_page() != NULL);
    for (uint32_t i = 0; i < MAX_MESSAGE_HANDLES; i++) {
        message_put_handle(i, memory, RIGHT_MAP_READ | RIGHT_MAP_WRITE);
    }
    EXPECT_EQUAL(port_request(port, &message), OK);
    EXPECT_EQUAL(message_handles(message.tag), 4);
    for (uint32_t i = 0; i < MAX_MESSAGE_HANDLES; i++) {
        const struct message_handle *came = &message_page()->handle[i];

        EXPECT(came->handle != memory);
        EXPECT_EQUAL(came->rights, RIGHT_MAP_READ);
        EXPECT_EQUAL(handle_close(came->handle), OK);
    }
    EXPECT_EQUAL(handle_close(memory), OK);
    EXPECT_EQUAL(handle_close(port), OK);
}

TEST(user_message, a_service_in_the_kernel_gets_and_gives_segments)
{
    static char there[100], back[100];
    struct message message = {.tag = MESSAGE_TAG_LONG(0, 0, 0, 2)};
    handle_t port = find();

    ASSERT(message_page() != NULL);
    memset(there, 'a', sizeof(there));
    memset(back, 0, sizeof(back));
    message_put_segment(0, there, 60);
    message_put_segment(1, there, 10);
    message_set_window(0, back, 60);
    message_set_window(1, back + 80, 20);
    EXPECT_EQUAL(port_request(port, &message), OK);
    EXPECT_EQUAL(message_segments(message.tag), 2);
    EXPECT_EQUAL(message_page()->received[0].bytes, 60);
    EXPECT_EQUAL(message_page()->received[1].address, (uintptr_t)back + 80);
    EXPECT(back[0] == 'b' && back[59] == 'b' && back[60] == 0 && back[89] == 'b' && back[90] == 0);
    message_set_window(0, back, 59);
    message.tag = MESSAGE_TAG_LONG(0, 0, 0, 1);
    EXPECT_EQUAL(port_request(port, &message), ERR_TOO_LONG);
    EXPECT_EQUAL(handle_close(port), OK);
}

static int call_short(void *argument)
{
    struct message message = {.tag = MESSAGE_TAG(0, 4), .word = {1, 2, 3, 4}};

    EXPECT_EQUAL(port_request(*(handle_t *)argument, &message), OK);
    EXPECT_EQUAL(message.word[3], ~4UL);
    message.tag = MESSAGE_TAG(0, 5);
    EXPECT_EQUAL(port_request(*(handle_t *)argument, &message), ERR_INVALID);
    return 0;
}

TEST(user_message, who_has_no_page_may_call_a_service_that_knows_long_messages)
{
    handle_t port = find();
    struct thread thread;

    ASSERT_EQUAL(thread_start(&thread, call_short, &port), OK);
    EXPECT_EQUAL(thread_join(&thread), 0);
    EXPECT_EQUAL(handle_close(port), OK);
}
