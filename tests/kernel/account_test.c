/* SPDX-License-Identifier: MIT */
/* Accounts of domains: what is charged, what a quota stops, and that all comes back at the end. */
#include "mm/account.h"

#include "arch/layout.h"
#include "ipc/mailbox.h"
#include "ipc/name.h"
#include "ipc/port_priv.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "mm/drain.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define NAME "test.account"

/* Objects that die with the domain or with the caller's reference; OK when all could be made. */
static status_t fill(struct domain *domain, struct port **port)
{
    static const uint64_t arguments[4];
    struct port_attributes attributes = {.mode = PORT_MODE_MAILBOX};
    struct message message = {.tag = 0};
    struct thread *thread;
    handle_t handle;
    status_t status = port_create(domain, &attributes, port);

    for (unsigned i = 0; status == OK && i < 20; i++) {
        status = mailbox_send(*port, 0, &message);
    }
    if (status == OK) {
        status = name_register(NAME, sizeof(NAME) - 1, *port);
    }
    for (unsigned i = 0; status == OK && i < 100; i++) {
        status = handle_open(&domain->handles, &(*port)->object, RIGHT_SEND, i, &handle);
    }
    if (status == OK) {
        status = thread_create_user(domain, "never", 0x10000, 0x20000, 0, arguments, &thread);
        if (status == OK) {
            object_release(&thread->object);
        }
    }
    return status;
}

static void end(struct domain *domain)
{
    long code;

    domain_kill(domain, 0);
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    EXPECT_EQ(account_pages(domain->account), 0);
    object_release(&domain->object);
}

/* Every quota from none to enough: each creating call fails in turn, and nothing is left. */
TEST(account, a_quota_makes_every_creating_call_fail_cleanly)
{
    status_t status = ERR_NO_MEMORY;
    unsigned failures = 0;

    for (uint64_t pages = 1; status != OK && pages < 100; pages++) {
        struct domain *domain = NULL;
        struct port *port = NULL;

        status = domain_create("quota", pages * PAGE_BYTES, &domain);
        if (status == OK) {
            status = fill(domain, &port);
            EXPECT_TRUE(account_pages(domain->account) <= pages);
            if (port != NULL) {
                object_release(&port->object);
            }
            end(domain);
        }
        EXPECT_TRUE(status == OK || status == ERR_NO_MEMORY);
        failures += status != OK;
    }
    EXPECT_OK(status);
    EXPECT_TRUE(failures > 5);
}

TEST(account, what_others_still_hold_of_a_dead_domain_stays_charged_until_they_let_go)
{
    struct domain *domain = NULL;
    struct port *port = NULL;
    long code;

    ASSERT_OK(domain_create("held", 0, &domain));
    ASSERT_OK(fill(domain, &port));
    domain_kill(domain, 0);
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    EXPECT_EQ(account_pages(domain->account), 1); /* the port's slab */
    object_release(&port->object);
    EXPECT_SOON((drain_all(), account_pages(domain->account) == 0));
    object_release(&domain->object);
}

TEST(account, a_name_that_another_domain_takes_over_is_not_charged_to_the_first_one)
{
    struct port_attributes attributes = {.mode = PORT_MODE_MAILBOX};
    struct port *successor = ports_make_mailbox();
    struct domain *domain = NULL;
    struct port *port = NULL;

    ASSERT_OK(domain_create("names", 0, &domain));
    ASSERT_OK(port_create(domain, &attributes, &port));
    EXPECT_OK(name_register(NAME, sizeof(NAME) - 1, port));
    atomic_or_relaxed(&port->word, WORD_RUN); /* somebody runs in it, so it is closed but stays */
    port_close(port, ERR_STALE);
    EXPECT_OK(name_register(NAME, sizeof(NAME) - 1, successor));
    port_retire(port);
    object_release(&port->object);
    end(domain);
    EXPECT_OK(name_unregister(NAME, sizeof(NAME) - 1, &kernel_domain));
    ports_close(successor);
}

TEST(account, the_stack_of_a_kernel_service_is_charged)
{
    struct port_attributes attributes = {.mode = PORT_MODE_KERNEL_SERVICE};
    struct domain *domain = NULL;
    struct port *port = NULL;

    ASSERT_OK(domain_create("service", 0, &domain));
    uint64_t before = account_pages(domain->account);
    ASSERT_OK(port_create(domain, &attributes, &port));
    EXPECT_TRUE(account_pages(domain->account) >= before + KSTACK_MAPPED_PAGES);
    object_release(&port->object);
    end(domain);
}

struct traffic {
    struct port *port;
    uint32_t running;
};

/* Sends to and receives from a mailbox of a domain that dies meanwhile. */
static void send_and_receive(void *member)
{
    struct traffic *traffic = ((struct crew_member *)member)->shared;
    status_t status = OK;

    /* relaxed: a number to wait for */
    atomic_add_relaxed(&traffic->running, 1);
    while (status != ERR_PEER_DIED) {
        struct message message = {.tag = 0};
        struct delivery delivery;

        status = mailbox_send(traffic->port, 0, &message);
        if (status == OK || status == ERR_WOULD_BLOCK) {
            status = mailbox_receive(traffic->port, DEADLINE_NOW, &delivery);
        }
    }
}

static void kill_when_running(void *argument)
{
    struct traffic *traffic = argument;
    nsec_t until;

    /* relaxed: as above */
    while (atomic_load_relaxed(&traffic->running) < 4) {
        sched_yield();
    }
    until = timer_now_ns() + 300000;
    while (timer_now_ns() < until) {
        sched_yield();
    }
    domain_kill(traffic->port->domain, 0);
}

TEST(account, is_empty_after_a_domain_died_while_others_freed_its_messages)
{
    for (unsigned round = 0; round < 10; round++) {
        struct port_attributes attributes = {.mode = PORT_MODE_MAILBOX};
        struct traffic traffic = {.running = 0};
        struct domain *domain = NULL;
        long code;

        ASSERT_OK(domain_create("traffic", 0, &domain));
        ASSERT_OK(port_create(domain, &attributes, &traffic.port));
        struct thread *killer = crew_start(crew_core(round), kill_when_running, &traffic);
        crew_run(4, send_and_receive, &traffic);
        EXPECT_EQ(crew_join(killer), 0);
        EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
        object_release(&traffic.port->object);
        EXPECT_SOON((drain_all(), account_pages(domain->account) == 0));
        object_release(&domain->object);
    }
}
