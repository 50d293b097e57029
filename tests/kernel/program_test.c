/* SPDX-License-Identifier: MIT */
/* Programs of the boot archive, started and ended from the kernel. */
#include "sched/program.h"

#include <string.h>

#include "arch/layout.h"
#include "arch/platform.h"
#include "ipc/call.h"
#include "ipc/name.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "mm/fail.h"
#include "mm/spmalloc.h"
#include "sched/archive.h"
#include "sched/sched.h"
#include "services/echo/protocol.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

/* Without an archive the test is skipped. */
static bool have_archive(void)
{
    const char *why = "";

    if (platform.archive_bytes == 0) {
        test_skip("needs the boot archive");
        return false;
    }
    EXPECT_OK(archive_init(direct_map(platform.archive_base), platform.archive_bytes, &why));
    return true;
}

/* Starts a program; `arguments` are its strings, each with its zero. */
static status_t start(const char *name, const char *arguments, size_t bytes, uint64_t limit,
                      struct domain **domain)
{
    struct program_start start = {.name = name,
                                  .arguments = arguments,
                                  .argument_bytes = bytes,
                                  .memory_limit = limit,
                                  .may_register = "test.*"};
    const char *why = "";
    struct port *lookup;
    status_t status = archive_find(name, &start.image, &start.image_bytes);

    EXPECT_OK(status);
    if (status == OK) {
        EXPECT_OK(name_find("lookup", 6, &lookup));
        start.grant = (struct program_grant){.object = &lookup->object, .rights = RIGHT_CALL};
        status = program_start(&start, domain, &why);
        object_release(&lookup->object);
    }
    return status;
}

static long join(struct domain *domain)
{
    long code = -1;

    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    object_release(&domain->object);
    return code;
}

#define START(name, arguments, domain) start(name, arguments, sizeof(arguments), 0, domain)
#define START_LIMITED(name, arguments, limit, domain)                                              \
    start(name, arguments, sizeof(arguments), limit, domain)

TEST(program, runs_and_ends_with_its_code)
{
    struct domain *domain;

    if (!have_archive()) {
        return;
    }
    ASSERT_OK(START("spin", "spin\0001", &domain));
    EXPECT_EQ(join(domain), 0);
    ASSERT_OK(START("fault", "fault\0no-such-fault", &domain));
    EXPECT_EQ(join(domain), 2);
}

TEST(program, a_fault_ends_only_its_domain_and_names_the_reason)
{
    struct domain *spinner, *domain;

    if (!have_archive()) {
        return;
    }
    ASSERT_OK(START("spin", "spin", &spinner));
    ASSERT_OK(START("fault", "fault\0kernel-read", &domain));
    EXPECT_EQ(join(domain), EXIT_KILLED + EXIT_FAULT_LOAD);
    ASSERT_OK(START("fault", "fault\0null-write", &domain));
    EXPECT_EQ(join(domain), EXIT_KILLED + EXIT_FAULT_STORE);
    ASSERT_OK(START("fault", "fault\0exec-data", &domain));
    EXPECT_EQ(join(domain), EXIT_KILLED + EXIT_FAULT_EXECUTE);
    EXPECT_FALSE(domain_is_dying(spinner));
    domain_kill(spinner, EXIT_KILLED);
    EXPECT_EQ(join(spinner), EXIT_KILLED);
}

TEST(program, a_damaged_one_is_refused_and_leaves_nothing)
{
    struct program_start start = {.name = "damaged", .arguments = "x", .argument_bytes = 2};
    struct domain *domain = NULL;
    const void *good;
    size_t bytes;

    if (!have_archive()) {
        return;
    }
    ASSERT_OK(archive_find("hello", &good, &bytes));
    char *image = spmalloc(&kernel_account, bytes);
    ASSERT_TRUE(image != NULL);
    start.image = image;
    start.image_bytes = bytes;
    for (unsigned field = 0; field < 64; field += 2) { /* the ELF header */
        const char *why = NULL;

        memcpy(image, good, bytes);
        memset(image + field, 0x5a, 2);
        if (program_start(&start, &domain, &why) == OK) {
            domain_kill(domain, 0); /* a field that does not matter, such as e_flags */
            join(domain);
        } else {
            EXPECT_TRUE(why != NULL && why[0] != '\0');
        }
    }
    spmalloc_free(image);
}

/* Until the user service has registered itself. */
static struct port *find_user_service(const char *name)
{
    struct port *port = NULL;
    nsec_t since = timer_now_ns();

    while (name_find(name, strlen(name), &port) != OK && crew_wait_on(since)) {
    }
    EXPECT_TRUE(port != NULL);
    return port;
}

TEST(program, the_kernel_may_call_a_service_in_a_domain_and_sees_its_death)
{
    struct domain *domain;

    if (!have_archive()) {
        return;
    }
    ASSERT_OK(START("echo-server", "echo-server\0test.echo", &domain));
    struct port *port = find_user_service("test.echo");
    ASSERT_TRUE(port != NULL);
    for (uint64_t i = 0; i < 50; i++) {
        uint64_t word = i * 3;

        EXPECT_OK(sched_migrate((cpu_t)i % sched_online_count()));
        EXPECT_OK(ports_call(port, ECHO_WORDS, &word, DEADLINE_NONE));
        EXPECT_EQ(word, i * 3);
    }
    domain_kill(domain, EXIT_KILLED);
    uint64_t word = 1;
    EXPECT_EQ(ports_call(port, ECHO_WORDS, &word, DEADLINE_NONE), ERR_PEER_DIED);
    EXPECT_EQ(name_unregister("test.echo", 9, domain), ERR_NOT_FOUND); /* it is stale */
    object_release(&port->object);
    EXPECT_EQ(join(domain), EXIT_KILLED);
}

static uint32_t died;

static void call_until_death(void *member)
{
    struct crew_member *me = member;
    status_t status = OK;

    for (uint64_t i = 0; status == OK; i++) {
        uint64_t word = i;

        status = ports_call(me->shared, ECHO_WORDS, &word, DEADLINE_NONE);
        EXPECT_EQ(word, i);
    }
    EXPECT_EQ(status, ERR_PEER_DIED);
    atomic_add_relaxed(&died, 1); /* relaxed: a count */
}

static void kill_it(void *domain)
{
    (void)sched_sleep_until(timer_now_ns() + 3000000);
    domain_kill(domain, EXIT_KILLED);
}

TEST(program, a_server_killed_under_load_answers_or_refuses_every_caller)
{
    struct domain *domain;

    if (!have_archive()) {
        return;
    }
    for (unsigned round = 0; round < 3; round++) {
        ASSERT_OK(START("echo-server", "echo-server\0test.echo", &domain));
        struct port *port = find_user_service("test.echo");
        ASSERT_TRUE(port != NULL);
        atomic_store_relaxed(&died, 0U);
        struct thread *killer = crew_start(crew_core(round), kill_it, domain);
        crew_run(6, call_until_death, port);
        crew_join(killer);
        EXPECT_EQ(died, 6);
        EXPECT_EQ(name_unregister("test.echo", 9, domain), ERR_NOT_FOUND); /* it is stale */
        object_release(&port->object);
        EXPECT_EQ(join(domain), EXIT_KILLED);
    }
}

/* It has a quota, and the machine has more. */
TEST(program, out_of_memory_in_a_fault_ends_only_that_domain)
{
    struct domain *server;
    struct domain *greedy;
    uint64_t word = 5;

    if (!have_archive()) {
        return;
    }
    ASSERT_OK(START("echo-server", "echo-server\0test.echo", &server));
    struct port *port = find_user_service("test.echo");
    ASSERT_TRUE(port != NULL);
    ASSERT_OK(START_LIMITED("fault", "fault\0all-memory", 4UL << 20, &greedy));
    EXPECT_EQ(join(greedy), EXIT_KILLED + EXIT_REASON_NO_MEMORY);
    EXPECT_OK(ports_call(port, ECHO_WORDS, &word, DEADLINE_NONE));
    EXPECT_EQ(word, 5);
    object_release(&port->object);
    domain_kill(server, EXIT_KILLED);
    EXPECT_EQ(join(server), EXIT_KILLED);
}

/* A failure that a second way makes up for is no failure; the sweep ends with one that never came. */
TEST(program, starting_one_survives_the_failure_of_any_allocation)
{
    bool all_failed = false;

    if (!have_archive()) {
        return;
    }
    for (uint64_t n = 1; !all_failed && n < 500; n++) {
        struct domain *domain = NULL;
        status_t status;

        fail_nth_allocation(n);
        status = START("spin", "spin\0001", &domain);
        all_failed = fail_is_pending();
        fail_nth_allocation(0);
        if (status == OK) {
            EXPECT_EQ(join(domain), 0);
        } else {
            ASSERT_EQ(status, ERR_NO_MEMORY);
            ASSERT_TRUE(domain == NULL);
        }
        EXPECT_TRUE(!all_failed || (status == OK && n > 20));
    }
    EXPECT_TRUE(all_failed);
}
