/* SPDX-License-Identifier: MIT */
/* The echo service called in both its places, and exclusive services called by many. */
#include "services/echo/protocol.h"
#include "user/programs/test-call/peer.h"

#define MANY_CALLS 10000
#define CALLERS 4
#define CALLS_EACH 500

static handle_t kernel_echo(void)
{
    handle_t port = HANDLE_NONE;

    EXPECT_EQUAL(lookup_find("echo", &port), OK);
    return port;
}

static handle_t user_echo(void)
{
    static const char *const argv[] = {"echo-server"};
    struct program program;
    handle_t port = HANDLE_NONE;

    EXPECT_EQUAL(test_peer("echo.user", 1, argv, &program, &port), OK);
    if (program.domain != HANDLE_NONE) {
        handle_close(program.domain);
    }
    return port;
}

static void all_word_counts(handle_t port)
{
    for (uint32_t words = 0; words <= MESSAGE_REGISTER_WORDS; words++) {
        struct message message = {
            .tag = MESSAGE_TAG(ECHO_WORDS, words),
            .word = {0x1111, ~0UL, 1UL << 63, 0x0123456789abcdefUL},
        };
        struct message sent = message;

        ASSERT_EQUAL(port_call(port, &message), OK);
        EXPECT_EQUAL(message.tag, MESSAGE_TAG(OK, words));
        for (uint32_t i = 0; i < words; i++) {
            EXPECT_EQUAL(message.word[i], sent.word[i]);
        }
    }
}

static void many_calls(handle_t port)
{
    struct message message = {.tag = MESSAGE_TAG(ECHO_COUNT, 0)};

    ASSERT_EQUAL(port_request(port, &message), OK);
    uint64_t before = message.word[0];

    for (uint64_t i = 0; i < MANY_CALLS; i++) {
        message = (struct message){.tag = MESSAGE_TAG(ECHO_WORDS, 2), .word = {i, ~i}};
        ASSERT_EQUAL(port_request(port, &message), OK);
        ASSERT(message.word[0] == i && message.word[1] == ~i);
    }
    message = (struct message){.tag = MESSAGE_TAG(ECHO_COUNT, 0)};
    ASSERT_EQUAL(port_request(port, &message), OK);
    EXPECT(message.word[0] - before >= MANY_CALLS + 1);
}

static void unknown_label(handle_t port)
{
    struct message message = {.tag = MESSAGE_TAG(99, 1)};

    EXPECT_EQUAL(port_call(port, &message), OK);
    EXPECT_EQUAL(message_status(&message), ERR_UNKNOWN_CALL);
}

TEST(user_call, kernel_echo_returns_every_word_count)
{
    all_word_counts(kernel_echo());
}

TEST(user_call, user_echo_returns_every_word_count)
{
    all_word_counts(user_echo());
}

TEST(user_call, kernel_echo_ten_thousand_calls)
{
    many_calls(kernel_echo());
}

TEST(user_call, user_echo_ten_thousand_calls)
{
    many_calls(user_echo());
}

TEST(user_call, unknown_label_is_refused)
{
    unknown_label(kernel_echo());
    unknown_label(user_echo());
}

/* Written only inside the service, without a lock or an atomic: exclusion is what is tested. */
static uint64_t inside;
static uint64_t overlaps;
static uint64_t served;

static void count_exclusively(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    overlaps += inside;
    inside = 1;
    uint64_t number = served;

    if (number % 8 == 0) {
        thread_yield();
    }
    served = number + 1;
    inside = 0;
    message->word[1] = number;
    service_reply(message, OK, 2);
}

static int call_often(void *argument)
{
    handle_t port = (handle_t)(uintptr_t)argument;
    int failures = 0;

    for (uint64_t i = 0; i < CALLS_EACH; i++) {
        struct message message = {.tag = MESSAGE_TAG(1, 1), .word = {i}};

        failures += port_request(port, &message) != OK || message.word[0] != i;
    }
    return failures > 255 ? 255 : failures;
}

TEST(user_call, one_caller_at_a_time_runs_an_exclusive_service)
{
    struct thread threads[CALLERS];
    handle_t port;

    ASSERT_EQUAL(service_create(count_exclusively, NULL, &port), OK);
    for (unsigned i = 0; i < CALLERS; i++) {
        ASSERT_EQUAL(thread_start(&threads[i], call_often, (void *)port), OK);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
    }
    EXPECT_EQUAL(overlaps, 0);
    EXPECT_EQUAL(served, CALLERS * CALLS_EACH);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_call, callers_share_the_echo_in_both_places)
{
    struct thread threads[CALLERS];

    for (unsigned i = 0; i < CALLERS; i++) {
        handle_t port = i % 2 == 0 ? kernel_echo() : user_echo();

        ASSERT_EQUAL(thread_start(&threads[i], call_often, (void *)port), OK);
    }
    for (unsigned i = 0; i < CALLERS; i++) {
        EXPECT_EQUAL(thread_join(&threads[i]), 0);
    }
}
