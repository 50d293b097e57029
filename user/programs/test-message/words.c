/* SPDX-License-Identifier: MIT */
/* Words beyond registers, the pages that they lie in, and tags. */
#include <stddef.h>
#include <string.h>

#include "user/programs/test-message/peer.h"

#define FILLER(i) (0x5a5a000000000000UL + (i))

/* One call with `words` words, which come back inverted; nothing else of the page changes. */
static bool comes_back(handle_t port, uint32_t words, uint64_t deadline)
{
    struct message_page *page = message_page();
    struct message message = {.tag = MESSAGE_TAG(MESSAGE_PEER_INVERT, words)};
    bool right = true;

    for (uint32_t i = 0; i < MAX_MESSAGE_WORDS; i++) {
        page->word[i] = FILLER(i) + words;
    }
    memcpy(message.word, page->word, sizeof(message.word));
    right =
        port_call_until(port, &message, deadline) == OK && message.tag == MESSAGE_TAG(OK, words);
    for (uint32_t i = 0; i < MAX_MESSAGE_WORDS; i++) {
        uint64_t sent = FILLER(i) + words;
        uint64_t word = i < MESSAGE_REGISTER_WORDS && i < words ? message.word[i] : page->word[i];
        bool is_page = i >= MESSAGE_REGISTER_WORDS;

        right = right && (i < words ? word == ~sent : !is_page || word == sent);
    }
    return right;
}

TEST(user_message, every_length_comes_back_as_it_was_sent)
{
    handle_t port = peer_port();

    ASSERT(message_page() != NULL);
    for (uint32_t words = 0; words <= MAX_MESSAGE_WORDS; words++) {
        ASSERT(comes_back(port, words, DEADLINE_NONE));
        ASSERT(comes_back(port, MAX_MESSAGE_WORDS - words, test_deadline_ms(60000)));
    }
}

TEST(user_message, a_concurrent_service_gets_every_length)
{
    static const char *const argv[] = {"message-peer", "test-message.concurrent", "3"};
    struct program program;
    handle_t port;

    ASSERT_EQUAL(test_peer(argv[1], 3, argv, &program, &port), OK);
    for (uint32_t words = 0; words <= MAX_MESSAGE_WORDS; words++) {
        ASSERT(comes_back(port, words, DEADLINE_NONE));
    }
    EXPECT_EQUAL(program_kill(program.id), OK);
    (void)program_wait(&program);
    EXPECT_EQUAL(handle_close(port), OK);
}

TEST(user_message, a_short_request_may_have_a_long_reply)
{
    struct message_page *page = message_page();

    for (uint32_t turn = 0; turn <= 2 * MAX_MESSAGE_WORDS; turn++) {
        uint32_t words = turn / 2;
        struct message message = {.tag = MESSAGE_TAG(MESSAGE_PEER_FILL, 1), .word = {words}};
        uint64_t deadline = turn % 2 == 0 ? DEADLINE_NONE : test_deadline_ms(60000);

        memset(page->word, 1, sizeof(page->word));
        ASSERT_EQUAL(port_call_until(peer_port(), &message, deadline), OK);
        ASSERT_EQUAL(message_words(message.tag), words);
        for (uint32_t i = MESSAGE_REGISTER_WORDS; i < MAX_MESSAGE_WORDS; i++) {
            ASSERT_EQUAL(page->word[i], i < words ? 3 * i : 0x0101010101010101UL);
        }
    }
}

TEST(user_message, a_tag_that_says_too_much_is_refused)
{
    static const uint64_t tags[] = {
        MESSAGE_TAG(1, 65),
        MESSAGE_TAG(1, 127),
        MESSAGE_TAG(1, 128),
        MESSAGE_TAG(1, 0x10000),
        MESSAGE_TAG(1, 0x80000000UL),
        MESSAGE_TAG_LONG(1, 0, 5, 0),
        MESSAGE_TAG_LONG(1, 0, 15, 0),
        MESSAGE_TAG_LONG(1, 0, 0, 5),
    };

    ASSERT(message_page() != NULL);
    for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        struct message message = {.tag = tags[i]};

        EXPECT_EQUAL(port_call(peer_port(), &message), ERR_INVALID);
        EXPECT_EQUAL(peer_ask(MESSAGE_PEER_TAG, tags[i], 0, 0), ERR_INVALID);
    }
}

/* Whose page the thread's pages are: none. */
static int call_without_page(void *argument)
{
    struct message message = {.tag = MESSAGE_TAG(MESSAGE_PEER_INVERT, 5)};
    handle_t port = *(handle_t *)argument;

    EXPECT_EQUAL(port_call(port, &message), ERR_INVALID);
    message.tag = MESSAGE_TAG_LONG(MESSAGE_PEER_INVERT, 0, 1, 0);
    EXPECT_EQUAL(port_call(port, &message), ERR_INVALID);
    message.tag = MESSAGE_TAG_LONG(MESSAGE_PEER_INVERT, 0, 0, 1);
    EXPECT_EQUAL(port_call(port, &message), ERR_INVALID);
    message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_FILL, 1), .word = {5}};
    EXPECT_EQUAL(port_request(port, &message), ERR_TOO_LONG);
    EXPECT_EQUAL(message_words(message.tag), 0);
    message = (struct message){.tag = MESSAGE_TAG(MESSAGE_PEER_FILL, 1), .word = {4}};
    EXPECT_EQUAL(port_request(port, &message), OK);
    EXPECT_EQUAL(message.word[3], 9);
    return 0;
}

TEST(user_message, who_has_no_page_neither_sends_nor_gets_more_than_four_words)
{
    handle_t port = peer_port();
    struct thread thread;

    ASSERT_EQUAL(thread_start(&thread, call_without_page, &port), OK);
    EXPECT_EQUAL(thread_join(&thread), 0);
}

static void answer(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    service_reply(message, OK, 0);
}

SERVICE_ENTRY(answer_entry, answer)

TEST(user_message, a_service_without_a_page_gets_no_more_than_four_words)
{
    static _Alignas(16) char stack[4096];
    int64_t port = port_create(PORT_EXCLUSIVE, (const void *)(uintptr_t)answer_entry,
                               stack + sizeof(stack), stack + 64, 0);
    struct message message = {.tag = MESSAGE_TAG(1, 5)};
    handle_t echo;

    ASSERT(port >= 0 && message_page() != NULL);
    EXPECT_EQUAL(port_call((handle_t)port, &message), ERR_TOO_LONG);
    message.tag = MESSAGE_TAG_LONG(1, 0, 1, 0);
    message_put_handle(0, (handle_t)port, RIGHT_CALL);
    EXPECT_EQUAL(port_call((handle_t)port, &message), ERR_TOO_LONG);
    message.tag = MESSAGE_TAG(1, 4);
    EXPECT_EQUAL(port_call((handle_t)port, &message), OK);
    ASSERT_EQUAL(lookup_find("echo", &echo), OK);
    message.tag = MESSAGE_TAG(1, 5);
    EXPECT_EQUAL(port_call(echo, &message), ERR_TOO_LONG);
    EXPECT_EQUAL(handle_close(echo), OK);
    EXPECT_EQUAL(port_close((handle_t)port), OK);
}

/* The kernel writes to the page that it was given, not to what is mapped there now. */
TEST(user_message, a_page_that_was_unmapped_still_carries)
{
    struct message_page *own = message_page();
    struct message_page *page;
    struct message message = {.tag = MESSAGE_TAG(MESSAGE_PEER_INVERT, 20)};
    uint64_t *other;

    ASSERT_EQUAL(message_page_alloc(&page), OK);
    ASSERT_EQUAL(message_page_set(page), OK);
    ASSERT_EQUAL(memory_unmap(page, PAGE_BYTES), OK);
    other = (uint64_t *)memory_map(page, PAGE_BYTES, READ_WRITE);
    ASSERT_EQUAL((uintptr_t)other, (uintptr_t)page);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQUAL(port_call(peer_port(), &message), OK);
        message.tag = MESSAGE_TAG(MESSAGE_PEER_INVERT, 20);
    }
    EXPECT_EQUAL(other[10], 0);
    EXPECT_EQUAL(message_page_set(own), OK);
    EXPECT_EQUAL(memory_unmap(other, PAGE_BYTES), OK);
    EXPECT(comes_back(peer_port(), 64, DEADLINE_NONE));
}

static void set_page_inside(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    message->word[0] = (uint64_t)message_page_set(message_page());
    service_reply(message, OK, 1);
}

TEST(user_message, a_page_must_be_one_that_stays)
{
    struct message_page *own = message_page();
    char *private = (char *)memory_map(NULL, PAGE_BYTES, READ_WRITE | MEMORY_POPULATE);
    struct message message = {.tag = MESSAGE_TAG(1, 0)};
    handle_t port;

    EXPECT_EQUAL(message_page_set((void *)((char *)own + 8)), ERR_INVALID);
    EXPECT_EQUAL(message_page_set((void *)private), ERR_INVALID);
    EXPECT_EQUAL(memory_unmap(private, PAGE_BYTES), OK);
    EXPECT_EQUAL(message_page_set((void *)private), ERR_FAULT);
    EXPECT_EQUAL(message_page_set((void *)USER_TOP), ERR_FAULT);
    EXPECT_EQUAL(message_page_set((void *)~0xfffUL), ERR_FAULT);
    EXPECT_EQUAL(memory_protect(own, PAGE_BYTES, PROTECT_READ), OK);
    EXPECT_EQUAL(message_page_set(own), ERR_FAULT);
    EXPECT_EQUAL(memory_protect(own, PAGE_BYTES, READ_WRITE), OK);
    EXPECT_EQUAL(port_create_with_page(PORT_EXCLUSIVE, (const void *)(uintptr_t)answer_entry,
                                       (void *)0x100000, NULL, 0, (void *)private),
                 ERR_FAULT);
    EXPECT_EQUAL(port_create_with_page(PORT_EXCLUSIVE, (const void *)(uintptr_t)answer_entry,
                                       (void *)0x100000, NULL, 0, (void *)((char *)own + 1)),
                 ERR_INVALID);
    ASSERT_EQUAL(service_create(set_page_inside, NULL, &port), OK);
    EXPECT_EQUAL(port_request(port, &message), OK);
    EXPECT_EQUAL(message.word[0], ERR_INVALID);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT(comes_back(peer_port(), 64, DEADLINE_NONE));
}

/* The thread that goes on is another one for the kernel. */
TEST(user_message, a_caller_that_went_on_without_its_service_keeps_its_page)
{
    struct message message = {.tag = MESSAGE_TAG(MESSAGE_PEER_NAP, 10)};
    uint64_t end = test_deadline_ms(200);

    ASSERT(message_page() != NULL);
    message.word[0] = end + 100000000UL;
    EXPECT_EQUAL(port_call_until(peer_port(), &message, end), ERR_TIMED_OUT);
    EXPECT(comes_back(peer_port(), 64, DEADLINE_NONE));
}

#define COMBINED 3000

static void answer_long(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    for (uint64_t i = MESSAGE_REGISTER_WORDS; i < 8; i++) {
        message_page()->word[i] = message->word[0] + i;
    }
    service_reply(message, OK, 8);
}

/* The exit code is how many calls went wrong. */
static int call_combining(void *argument)
{
    struct message_page *page = message_page();
    int wrong = page == NULL;

    for (uint64_t i = 0; i < COMBINED && wrong == 0; i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {i << 8}};

        wrong += port_request(*(handle_t *)argument, &message) != OK ||
                 message_words(message.tag) != 8 || page->word[7] != (i << 8) + 7;
    }
    return wrong;
}

/* Each caller gets its own reply in its own page. */
TEST(user_message, a_reply_to_one_of_many_callers_may_be_long)
{
    struct thread threads[3];
    handle_t port;

    ASSERT_EQUAL(service_create_combining(answer_long, NULL, &port), OK);
    for (unsigned i = 0; i < 3; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], call_combining, &port), OK);
    }
    EXPECT_EQUAL(call_combining(&port), 0);
    for (unsigned i = 0; i < 3; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
    }
    EXPECT_EQUAL(port_close(port), OK);
}
