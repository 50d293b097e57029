/* SPDX-License-Identifier: MIT */
/* Pagers: in the same domain, for another one, lying, closed. */
#include <string.h>

#include "services/lookup/protocol.h"
#include "user/lib/test.h"

#define READ_WRITE (PROTECT_READ | PROTECT_WRITE)
#define PAGED ((volatile uint64_t *)0x3800000000UL)

enum answer {
    ANSWER_RIGHT,
    ANSWER_MAPPED, /* the pager has mapped it by itself */
    ANSWER_READ_ONLY,
    ANSWER_NO,
    ANSWER_BAD_HANDLE,
    ANSWER_BAD_RANGE,
    ANSWER_LATER, /* "try again", and at last what is right */
};

#define LATER 5 /* answers without memory */

/* touch.S: loads with every register in use; how many are different afterwards. */
uint64_t touch_with_all_registers(const volatile uint64_t *address);

static struct {
    enum answer answer;
    handle_t memory;
    uint64_t calls;
    uint64_t address;
    uint64_t access;
    uint64_t pc;
    uint64_t badge;
} pager;

static void serve(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    pager.calls++;
    pager.address = message->word[0];
    pager.access = message->word[1];
    pager.pc = message->word[2];
    pager.badge = badge;
    message->tag = MESSAGE_TAG(pager.answer == ANSWER_NO ? 1 : OK, 4);
    message->word[0] = pager.answer == ANSWER_BAD_HANDLE ? ~0UL : pager.memory;
    message->word[1] = pager.answer == ANSWER_BAD_RANGE ? 1UL << 40 : PAGE_BYTES;
    message->word[2] = pager.answer == ANSWER_READ_ONLY ? PROTECT_READ : READ_WRITE;
    message->word[3] = 0;
    if (pager.answer == ANSWER_MAPPED) {
        memory_map((void *)(pager.address / PAGE_BYTES * PAGE_BYTES), PAGE_BYTES, READ_WRITE);
    }
    if (pager.answer == ANSWER_MAPPED ||
        (pager.answer == ANSWER_LATER && pager.calls % (LATER + 1) != 0)) {
        message->word[0] = HANDLE_NONE;
    }
}

/* Starts the program that touches PAGED once this pager is set. */
static void start_client(handle_t port, struct program *program)
{
    const char *const argv[] = {"fault", "page-late"};

    ASSERT_EQUAL(program_start(argv[0], 2, argv, program), OK);
    ASSERT_EQUAL(domain_set_pager(program->domain, port), OK);
}

/* Lets it go on. */
static handle_t let_client_go(void)
{
    handle_t go = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);

    EXPECT_EQUAL(lookup_register("test-memory.go", go), OK);
    return go;
}

static handle_t start_pager(enum answer answer)
{
    handle_t port = HANDLE_NONE;

    memset(&pager, 0, sizeof(pager));
    pager.answer = answer;
    pager.memory = (handle_t)memory_create(4 * PAGE_BYTES, MEMORY_ANONYMOUS);
    EXPECT_EQUAL(service_create(serve, NULL, &port), OK);
    return port;
}

static void end_pager(handle_t port)
{
    EXPECT_EQUAL(domain_set_pager(program_own_domain(), HANDLE_NONE), OK);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(handle_close(pager.memory), OK);
}

TEST(user_pager, what_it_gives_is_mapped_and_the_touch_goes_on)
{
    handle_t port = start_pager(ANSWER_RIGHT);
    handle_t badged = (handle_t)handle_duplicate(port, RIGHT_CALL, 99);
    uint64_t *object =
        (uint64_t *)memory_map_object(NULL, 4 * PAGE_BYTES, READ_WRITE, pager.memory, 0, 0);

    ASSERT((int64_t)object > 0);
    object[PAGE_BYTES / 8 + 2] = 1234;
    ASSERT_EQUAL(domain_set_pager(program_own_domain(), badged), OK);
    EXPECT_EQUAL(PAGED[2], 1234);
    EXPECT_EQUAL(pager.calls, 1);
    EXPECT_EQUAL(pager.address, (uintptr_t)&PAGED[2]);
    EXPECT_EQUAL(pager.access, PROTECT_READ);
    EXPECT_EQUAL(pager.badge, 99);
    EXPECT(pager.pc != 0);
    PAGED[2] = 5;
    EXPECT_EQUAL(object[PAGE_BYTES / 8 + 2], 5);
    EXPECT_EQUAL(pager.calls, 1);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)PAGED, PAGE_BYTES), OK);
    EXPECT_EQUAL(memory_unmap(object, 4 * PAGE_BYTES), OK);
    EXPECT_EQUAL(handle_close(badged), OK);
    end_pager(port);
}

TEST(user_pager, it_may_map_by_itself)
{
    handle_t port = start_pager(ANSWER_MAPPED);

    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    PAGED[0] = 8;
    EXPECT_EQUAL(PAGED[0], 8);
    EXPECT_EQUAL(pager.calls, 1);
    EXPECT_EQUAL(pager.access, PROTECT_WRITE);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)PAGED, PAGE_BYTES), OK);
    end_pager(port);
}

/* The right to write to the object stays with the pager. */
TEST(user_pager, what_it_gives_read_only_stays_so)
{
    handle_t port = start_pager(ANSWER_READ_ONLY);

    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    EXPECT_EQUAL(PAGED[0], 0);
    EXPECT_EQUAL(memory_protect((void *)(uintptr_t)PAGED, PAGE_BYTES, READ_WRITE), ERR_NO_RIGHT);
    EXPECT_EQUAL(memory_protect((void *)(uintptr_t)PAGED, PAGE_BYTES, PROTECT_EXECUTE),
                 ERR_NO_RIGHT);
    EXPECT_EQUAL(memory_protect((void *)(uintptr_t)PAGED, PAGE_BYTES, PROTECT_NONE), OK);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)PAGED, PAGE_BYTES), OK);
    end_pager(port);
}

/* A pager that never answers would keep the service from everybody else. */
TEST(user_pager, services_in_the_kernel_do_not_wait_for_it)
{
    handle_t port = start_pager(ANSWER_RIGHT);
    struct message message = {
        .tag = MESSAGE_TAG(LOOKUP_FIND, 2),
        .word = {(uintptr_t)PAGED, 4},
    };

    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    EXPECT_EQUAL(port_request(program_lookup_port(), &message), ERR_FAULT);
    EXPECT_EQUAL(pager.calls, 0);
    end_pager(port);
}

/* A system call that touches such memory asks it, too, and fails if it does not help. */
TEST(user_pager, system_calls_ask_it)
{
    handle_t port = start_pager(ANSWER_RIGHT);
    struct memory_info info;

    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    EXPECT_EQUAL(memory_info(pager.memory, (struct memory_info *)(uintptr_t)PAGED), OK);
    EXPECT_EQUAL(pager.pc, 0);
    EXPECT_EQUAL(pager.access, PROTECT_WRITE);
    EXPECT_EQUAL(pager.calls, 1);
    EXPECT_EQUAL(PAGED[1], 4 * PAGE_BYTES);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)PAGED, PAGE_BYTES), OK);
    for (enum answer answer = ANSWER_NO; answer <= ANSWER_BAD_RANGE; answer++) {
        pager.answer = answer;
        EXPECT_EQUAL(memory_info(pager.memory, (struct memory_info *)(uintptr_t)PAGED), ERR_FAULT);
    }
    EXPECT_EQUAL(pager.calls, 1 + 3);
    EXPECT_EQUAL(memory_info(pager.memory, &info), OK);
    end_pager(port);
}

/* A reply without memory has the access tried again, as it was, as often as the pager wants. */
TEST(user_pager, it_may_ask_for_another_try)
{
    handle_t port = start_pager(ANSWER_LATER);

    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    PAGED[3] = 77;
    __asm__ volatile("" ::: "memory"); /* the touch ran the pager on this thread */
    EXPECT_EQUAL(pager.calls, LATER + 1);
    EXPECT_EQUAL(pager.access, PROTECT_WRITE);
    EXPECT_EQUAL(PAGED[3], 77);
    EXPECT_EQUAL(touch_with_all_registers(PAGED), 0);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)PAGED, PAGE_BYTES), OK);
    for (int turn = 0; turn < 100; turn++) {
        EXPECT_EQUAL(touch_with_all_registers(PAGED), 0);
        EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)PAGED, PAGE_BYTES), OK);
    }
    EXPECT_EQUAL(pager.calls, 101 * (LATER + 1));
    end_pager(port);
}

/* Here the kernel tries again, before it has changed anything: the range is in two pages. */
TEST(user_pager, system_calls_try_again_too)
{
    handle_t port = start_pager(ANSWER_LATER);
    char *middle = (char *)(uintptr_t)PAGED + PAGE_BYTES;
    struct memory_info *info = (struct memory_info *)(uintptr_t)(middle - 16);

    ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
    EXPECT_EQUAL(memory_info(pager.memory, info), OK);
    EXPECT_EQUAL(pager.calls, 2 * (LATER + 1));
    EXPECT_EQUAL(info->bytes, 4 * PAGE_BYTES);
    EXPECT_EQUAL(memory_unmap((void *)(uintptr_t)PAGED, 2 * PAGE_BYTES), OK);
    end_pager(port);
}

static int touch_for_ever(void *argument)
{
    (void)argument;
    return (int)PAGED[0];
}

static int ask_for_ever(void *argument)
{
    return (int)memory_info(*(handle_t *)argument, (struct memory_info *)(uintptr_t)PAGED);
}

static void serve_never(void *context, uint64_t badge, struct message *message)
{
    (void)context;
    (void)badge;
    __atomic_fetch_add(&pager.calls, 1, __ATOMIC_RELAXED); /* only counts */
    message->tag = MESSAGE_TAG(OK, 4);
    message->word[0] = HANDLE_NONE;
}

/* Whether the code or a system call of it tries again and again, it can be ended. */
TEST(user_pager, a_client_that_tries_for_ever_can_be_killed)
{
    int (*const tries[])(void *) = {touch_for_ever, ask_for_ever};

    for (unsigned i = 0; i < 2; i++) {
        handle_t memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS);
        handle_t port = HANDLE_NONE;
        struct thread thread;

        memset(&pager, 0, sizeof(pager));
        ASSERT_EQUAL(service_create(serve_never, NULL, &port), OK);
        ASSERT_EQUAL(domain_set_pager(program_own_domain(), port), OK);
        ASSERT_EQUAL(thread_start(&thread, tries[i], &memory), OK);
        while (__atomic_load_n(&pager.calls, __ATOMIC_RELAXED) < 1000) {
            thread_yield();
        }
        EXPECT_EQUAL(thread_kill(thread.handle), OK);
        EXPECT_EQUAL(thread_join(&thread), EXIT_KILLED);
        /* What it left behind may be asking at this moment, but not again. */
        thread_sleep(test_deadline_ms(20));
        uint64_t calls = __atomic_load_n(&pager.calls, __ATOMIC_RELAXED);
        thread_sleep(test_deadline_ms(2));
        EXPECT_EQUAL(__atomic_load_n(&pager.calls, __ATOMIC_RELAXED), calls);
        EXPECT_EQUAL(domain_set_pager(program_own_domain(), HANDLE_NONE), OK);
        EXPECT_EQUAL(port_close(port), OK);
        EXPECT_EQUAL(handle_close(memory), OK);
    }
}

/* Another domain's faults; it never gets memory that helps, so it ends as without a pager. */
TEST(user_pager, a_liar_or_a_dead_one_ends_the_domain_that_relied_on_it)
{
    for (enum answer answer = ANSWER_NO; answer <= ANSWER_LATER; answer++) {
        handle_t port = start_pager(answer);
        struct program program;

        start_client(port, &program);
        if (answer == ANSWER_LATER) {
            EXPECT_EQUAL(port_close(port), OK);
        }
        handle_t go = let_client_go();

        EXPECT_EQUAL(program_wait(&program), EXIT_KILLED + EXIT_FAULT_STORE);
        EXPECT_EQUAL(pager.calls, answer == ANSWER_LATER ? 0 : 1);
        EXPECT_EQUAL(port_close(go), OK);
        if (answer < ANSWER_LATER) {
            EXPECT_EQUAL(port_close(port), OK);
        }
        EXPECT_EQUAL(handle_close(pager.memory), OK);
    }
}

/* The other domain goes on with what this one gave it. */
TEST(user_pager, another_domain_gets_its_memory_from_here)
{
    handle_t port = start_pager(ANSWER_RIGHT);
    struct program program;

    start_client(port, &program);
    handle_t go = let_client_go();

    EXPECT_EQUAL(program_wait(&program), 0);
    EXPECT_EQUAL(port_close(go), OK);
    EXPECT_EQUAL(pager.calls, 1);
    uint64_t *object =
        (uint64_t *)memory_map_object(NULL, PAGE_BYTES, READ_WRITE, pager.memory, PAGE_BYTES, 0);

    ASSERT((int64_t)object > 0);
    EXPECT_EQUAL(object[0], 4711); /* what it stored */
    EXPECT_EQUAL(memory_unmap(object, PAGE_BYTES), OK);
    EXPECT_EQUAL(port_close(port), OK);
    EXPECT_EQUAL(handle_close(pager.memory), OK);
}

static void expect_end(const char *mode, int64_t code)
{
    const char *const argv[] = {"fault", mode};
    struct program program;

    ASSERT_EQUAL(program_start(argv[0], 2, argv, &program), OK);
    EXPECT_EQUAL(program_wait(&program), code);
}

/* They stop before the kernel's stack does. */
TEST(user_pager, pagers_that_need_pagers_come_to_an_end)
{
    expect_end("pager-depth", EXIT_KILLED + EXIT_FAULT_LOAD);
    expect_end("pager-depth-by-call-ok", 0);
}

TEST(user_pager, one_that_needs_itself_ends_its_domain)
{
    expect_end("pager-own-fault", EXIT_KILLED + EXIT_FAULT_LOAD);
}

TEST(user_pager, wrong_handles_are_refused)
{
    handle_t mailbox = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
    handle_t weak = (handle_t)handle_duplicate(mailbox, RIGHT_SEND, 0);
    handle_t domain = program_own_domain();

    EXPECT_EQUAL(domain_set_pager(domain, mailbox), ERR_WRONG_TYPE);
    EXPECT_EQUAL(domain_set_pager(domain, weak), ERR_NO_RIGHT);
    EXPECT_EQUAL(domain_set_pager(domain, domain), ERR_WRONG_TYPE);
    EXPECT_EQUAL(domain_set_pager(domain, ~0UL), ERR_BAD_HANDLE);
    EXPECT_EQUAL(domain_set_pager(mailbox, HANDLE_NONE), ERR_WRONG_TYPE);
    EXPECT_EQUAL(domain_set_pager(HANDLE_NONE, HANDLE_NONE), ERR_BAD_HANDLE);
    EXPECT_EQUAL(handle_close(weak), OK);
    EXPECT_EQUAL(port_close(mailbox), OK);
}
