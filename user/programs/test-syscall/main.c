/* SPDX-License-Identifier: MIT */
/* Each system call with wrong handles, wrong types, missing rights and wrong numbers. */
#include "user/lib/test.h"

static handle_t mailbox(void)
{
    return (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
}

/* The bits to turn over in a good handle to get a bad one: slot, generation, the reserved bit. */
static const uint64_t bad_bits[] = {
    0xff00, 0x8000, 1UL << 20, 1UL << 40, 1UL << 62, 1UL << 63, ~0UL,
};

#define BAD_HANDLES (sizeof(bad_bits) / sizeof(bad_bits[0]))

TEST(user_syscall, unknown_numbers_are_refused)
{
    static const uint64_t numbers[] = {SYS_COUNT, SYS_COUNT + 1, 255, 1UL << 32, ~0UL, 1UL << 63};

    for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        register uint64_t a0 __asm__("a0") = 0;
        register uint64_t a7 __asm__("a7") = numbers[i];

        __asm__ volatile("ecall"
                         : "+r"(a0), "+r"(a7)
                         :
                         : "a1", "a2", "a3", "a4", "a5", "a6", "t0", "t1", "t2", "t3", "t4", "t5",
                           "t6", "memory");
        EXPECT_EQUAL(a0, ERR_UNKNOWN_CALL);
    }
}

TEST(user_syscall, null_is_ok)
{
    EXPECT_EQUAL(system_null(), OK);
}

TEST(user_syscall, bad_handles_are_refused_by_every_call)
{
    struct message message = {.tag = 0};
    uint64_t badge;

    for (unsigned i = 0; i <= BAD_HANDLES; i++) {
        handle_t bad = i == BAD_HANDLES ? HANDLE_NONE : program_lookup_port() ^ bad_bits[i];

        EXPECT_EQUAL(port_call(bad, &message), ERR_BAD_HANDLE);
        EXPECT_EQUAL(port_send(bad, &message), ERR_BAD_HANDLE);
        EXPECT_EQUAL(port_receive(bad, &message, &badge, DEADLINE_NOW), ERR_BAD_HANDLE);
        struct delivery delivery = {.token = 0};
        EXPECT_EQUAL(mailbox_receive(bad, &delivery, DEADLINE_NOW), ERR_BAD_HANDLE);
        EXPECT_EQUAL(mailbox_reply_receive(bad, &delivery, DEADLINE_NONE), ERR_BAD_HANDLE);
        EXPECT_EQUAL(port_close(bad), ERR_BAD_HANDLE);
        EXPECT_EQUAL(handle_close(bad), ERR_BAD_HANDLE);
        EXPECT_EQUAL(handle_duplicate(bad, RIGHTS_ALL, 0), ERR_BAD_HANDLE);
        EXPECT_EQUAL(handle_revoke(bad), ERR_BAD_HANDLE);
        EXPECT_EQUAL(handle_join(bad, DEADLINE_NOW), ERR_BAD_HANDLE);
        EXPECT_EQUAL(thread_kill(bad), ERR_BAD_HANDLE);
        EXPECT_EQUAL(thread_set_priority(bad, 0), ERR_BAD_HANDLE);
    }
}

TEST(user_syscall, closed_handle_is_bad)
{
    handle_t port = mailbox();
    struct message message = {.tag = 0};

    EXPECT_EQUAL(handle_close(port), OK);
    EXPECT_EQUAL(handle_close(port), ERR_BAD_HANDLE);
    EXPECT_EQUAL(port_send(port, &message), ERR_BAD_HANDLE);
    EXPECT_EQUAL(handle_duplicate(port, RIGHTS_ALL, 0), ERR_BAD_HANDLE);
}

TEST(user_syscall, closed_handle_never_names_its_successor)
{
    for (int i = 0; i < 1000; i++) {
        handle_t first = mailbox();

        ASSERT_EQUAL(handle_close(first), OK);
        handle_t second = mailbox();

        ASSERT(first != second);
        ASSERT_EQUAL(handle_close(first), ERR_BAD_HANDLE);
        ASSERT_EQUAL(handle_close(second), OK);
    }
}

TEST(user_syscall, a_revoke_ends_the_copies_and_leaves_the_handle)
{
    handle_t port = mailbox();
    handle_t copy = (handle_t)handle_duplicate(port, RIGHTS_PORT, 0);
    handle_t further = (handle_t)handle_duplicate(copy, RIGHT_SEND, 0);
    struct message message = {.tag = 0};

    EXPECT_EQUAL(port_send(further, &message), OK);
    EXPECT_EQUAL(handle_close(copy), OK);
    EXPECT_EQUAL(port_send(further, &message), OK);
    EXPECT_EQUAL(handle_revoke(port), OK);
    EXPECT_EQUAL(port_send(further, &message), ERR_BAD_HANDLE);
    EXPECT_EQUAL(port_send(port, &message), OK);
    EXPECT_EQUAL(handle_revoke(port), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_syscall, handles_of_another_kind_are_refused)
{
    handle_t domain = program_own_domain();
    handle_t port = mailbox();
    struct message message = {.tag = 0};
    uint64_t badge;

    EXPECT_EQUAL(port_call(domain, &message), ERR_WRONG_TYPE);
    EXPECT_EQUAL(port_send(domain, &message), ERR_WRONG_TYPE);
    EXPECT_EQUAL(port_receive(domain, &message, &badge, DEADLINE_NOW), ERR_WRONG_TYPE);
    EXPECT_EQUAL(port_close(domain), ERR_WRONG_TYPE);
    EXPECT_EQUAL(thread_kill(domain), ERR_WRONG_TYPE);
    EXPECT_EQUAL(thread_kill(port), ERR_WRONG_TYPE);
    EXPECT_EQUAL(thread_set_priority(port, 0), ERR_WRONG_TYPE);
    EXPECT_EQUAL(thread_set_priority(domain, 0), ERR_WRONG_TYPE);
    EXPECT_EQUAL(handle_join(port, DEADLINE_NOW), ERR_WRONG_TYPE);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_syscall, port_kinds_are_not_mixed)
{
    handle_t echo;
    handle_t port = mailbox();
    struct message message = {.tag = 0};
    uint64_t badge;

    struct delivery delivery = {.token = 0};

    ASSERT_EQUAL(lookup_find("echo", &echo), OK);
    status_t mixed = mailbox_reply_receive(echo, &delivery, DEADLINE_NONE);

    EXPECT(mixed == ERR_WRONG_TYPE || mixed == ERR_NO_RIGHT);
    status_t status = port_receive(echo, &message, &badge, DEADLINE_NOW);

    EXPECT(status == ERR_WRONG_TYPE || status == ERR_NO_RIGHT);
    EXPECT_EQUAL(port_send(echo, &message), OK); /* which goes to a service as well */
    handle_close(echo);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_syscall, bad_tags_are_refused)
{
    static const uint64_t tags[] = {5, 127, 0x80, 0x100, 0x1000, 0x10000, 0x80000000UL};
    handle_t port = mailbox();
    handle_t echo;

    ASSERT_EQUAL(lookup_find("echo", &echo), OK);
    for (unsigned i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        struct message message = {.tag = tags[i]};

        if (tags[i] != MESSAGE_TAG_RESULT) { /* which a send may have */
            EXPECT_EQUAL(port_send(port, &message), ERR_INVALID);
        }
        EXPECT_EQUAL(port_call(echo, &message), ERR_INVALID);
        EXPECT_EQUAL(port_call(port, &message), ERR_INVALID);
        EXPECT_EQUAL(mailbox_reply(1, &message), ERR_INVALID);
        EXPECT_EQUAL(message.tag, tags[i]);
        struct delivery delivery = {.message = message, .token = 1};
        EXPECT_EQUAL(mailbox_reply_receive(port, &delivery, DEADLINE_NONE), ERR_INVALID);
    }
    handle_close(echo);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_syscall, missing_rights_are_refused)
{
    handle_t port = mailbox();
    handle_t weak = (handle_t)handle_duplicate(port, RIGHT_TRANSFER, 0);
    struct message message = {.tag = 0};
    uint64_t badge;

    ASSERT((int64_t)weak > 0);
    EXPECT_EQUAL(port_send(weak, &message), ERR_NO_RIGHT);
    EXPECT_EQUAL(port_receive(weak, &message, &badge, DEADLINE_NOW), ERR_NO_RIGHT);
    EXPECT_EQUAL(port_call(weak, &message), ERR_NO_RIGHT);
    struct delivery delivery = {.token = 0};
    EXPECT_EQUAL(mailbox_reply_receive(weak, &delivery, DEADLINE_NONE), ERR_NO_RIGHT);
    EXPECT_EQUAL(port_close(weak), ERR_NO_RIGHT);
    EXPECT_EQUAL(handle_duplicate(weak, RIGHT_TRANSFER, 0), ERR_NO_RIGHT);
    EXPECT_EQUAL(handle_close(weak), OK);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_syscall, thread_rights_are_needed)
{
    handle_t weak = (handle_t)handle_duplicate(program_own_domain(), RIGHT_TRANSFER, 0);

    /* The program's handle of itself may lack RIGHT_DUPLICATE; then nothing can be weakened. */
    if ((int64_t)weak < 0) {
        EXPECT_EQUAL(weak, ERR_NO_RIGHT);
        return;
    }
    EXPECT_EQUAL(handle_join(weak, DEADLINE_NOW), ERR_NO_RIGHT);
    EXPECT_EQUAL(handle_close(weak), OK);
}

TEST(user_syscall, unknown_rights_are_refused)
{
    handle_t port = mailbox();

    EXPECT_EQUAL(handle_duplicate(port, RIGHTS_ALL + 1, 0), ERR_INVALID);
    EXPECT_EQUAL(handle_duplicate(port, 1U << 31, 0), ERR_INVALID);
    EXPECT_EQUAL(port_close(port), OK);
}

TEST(user_syscall, port_kinds_and_arguments_are_checked)
{
    /* Good addresses: only the kind is wrong. */
    void *entry = (void *)0x10000;
    void *stack = (void *)0x20000;

    EXPECT_EQUAL(port_create(PORT_COMBINING + 1, entry, stack, NULL, 0), ERR_INVALID);
    EXPECT_EQUAL(port_create(~0UL, entry, stack, NULL, 0), ERR_INVALID);
    EXPECT_EQUAL(port_create(PORT_EXCLUSIVE, NULL, NULL, NULL, 0), ERR_INVALID);
}

TEST(user_syscall, registers_survive)
{
    register uint64_t sum __asm__("a0");

    /* s1..s11, read back after a system call that preserves them. */
    __asm__ volatile("li s1, 1\n\tli s2, 2\n\tli s3, 3\n\tli s4, 4\n\tli s5, 5\n\tli s6, 6\n\t"
                     "li s7, 7\n\tli s8, 8\n\tli s9, 9\n\tli s10, 10\n\tli s11, 11\n\t"
                     "li a7, %1\n\tecall\n\t"
                     "mv %0, s1\n\tslli s2, s2, 1\n\tadd %0, %0, s2\n\tslli s3, s3, 2\n\t"
                     "add %0, %0, s3\n\tslli s4, s4, 3\n\tadd %0, %0, s4\n\tslli s5, s5, 4\n\t"
                     "add %0, %0, s5\n\tslli s6, s6, 5\n\tadd %0, %0, s6\n\tslli s7, s7, 6\n\t"
                     "add %0, %0, s7\n\tslli s8, s8, 7\n\tadd %0, %0, s8\n\tslli s9, s9, 8\n\t"
                     "add %0, %0, s9\n\tslli s10, s10, 9\n\tadd %0, %0, s10\n\t"
                     "slli s11, s11, 10\n\tadd %0, %0, s11"
                     : "=&r"(sum)
                     : "i"(SYS_YIELD)
                     : "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "a1",
                       "a2", "a3", "a4", "a5", "a6", "a7", "t0", "t1", "t2", "t3", "t4", "t5", "t6",
                       "ra", "memory");
    uint64_t want = 0;

    for (uint64_t i = 1; i <= 11; i++) {
        want += i << (i - 1);
    }
    EXPECT_EQUAL(sum, want);
}
