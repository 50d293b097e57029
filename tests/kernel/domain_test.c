/* SPDX-License-Identifier: MIT */
/* Domains without programs: made, killed, torn down. */
#include "sched/domain.h"

#include "ipc/mailbox.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

static struct domain *make(void)
{
    struct domain *domain = NULL;

    EXPECT_OK(domain_create("test", 0, &domain));
    return domain;
}

/* Waits for its end and gives up the reference. */
static long join(struct domain *domain)
{
    long code = -1;

    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    EXPECT_EQ(account_pages(domain->account), 0);
    object_release(&domain->object);
    return code;
}

TEST(domain, is_found_by_number_until_it_has_ended)
{
    struct domain *domain = make();
    struct domain *found = NULL;
    uint32_t id = domain->id;
    long code;

    ASSERT_OK(domain_find(id, &found));
    EXPECT_TRUE(found == domain);
    object_release(&found->object);
    EXPECT_EQ(domain_join(domain, DEADLINE_NOW, &code), ERR_WOULD_BLOCK);
    domain_kill(domain, 12);
    domain_kill(domain, 13); /* the first code stays */
    EXPECT_TRUE(domain_is_dying(domain));
    EXPECT_EQ(join(domain), 12);
    EXPECT_EQ(domain_find(id, &found), ERR_NOT_FOUND);
}

TEST(domain, a_dying_one_takes_nothing_new)
{
    static const uint64_t arguments[4];
    struct port_attributes attributes = {.mode = PORT_MODE_MAILBOX};
    struct domain *domain = make();
    struct thread *thread;
    struct port *port = NULL;

    ASSERT_OK(thread_create_user(domain, "late", 0x10000, 0x20000, 0, arguments, &thread));
    domain_kill(domain, 1);
    EXPECT_EQ(thread_start(thread, THREAD_ANY_CORE), ERR_PEER_DIED);
    object_release(&thread->object);
    EXPECT_EQ(port_create(domain, &attributes, &port), ERR_PEER_DIED);
    EXPECT_TRUE(port == NULL);
    long code;
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    object_release(&domain->object);
}

static void receive_until_death(void *port)
{
    struct delivery delivery;

    EXPECT_EQ(mailbox_receive(port, DEADLINE_NONE, &delivery), ERR_PEER_DIED);
}

TEST(domain, its_ports_die_with_it_and_say_so)
{
    struct port_attributes attributes = {.mode = PORT_MODE_MAILBOX};
    struct domain *domain = make();
    struct message message = {.tag = 0};
    struct port *port;

    ASSERT_OK(port_create(domain, &attributes, &port));
    struct thread *thread = crew_start(crew_core(1), receive_until_death, port);
    EXPECT_SOON(thread->state == THREAD_BLOCKED);
    domain_kill(domain, 0);
    crew_join(thread);
    EXPECT_EQ(mailbox_send(port, 0, &message), ERR_PEER_DIED);
    long code;
    EXPECT_OK(domain_join(domain, DEADLINE_NONE, &code));
    object_release(&port->object);
    object_release(&domain->object);
}

TEST(domain, its_handles_are_closed_with_it)
{
    struct port *port = ports_make_mailbox();
    struct domain *domain = make();
    handle_t handle;

    for (unsigned i = 0; i < 100; i++) {
        ASSERT_OK(handle_open(&domain->handles, &port->object, RIGHT_SEND, i, &handle));
    }
    EXPECT_EQ(port->object.references, 102);
    domain_kill(domain, 0);
    join(domain);
    EXPECT_EQ(port->object.references, 2);
    ports_close(port);
}

TEST(domain, its_memory_is_limited)
{
    struct domain *domain = NULL;
    vaddr_t mapped = 0;

    EXPECT_EQ(domain_create("tiny", PAGE_BYTES, &domain), ERR_NO_MEMORY);
    EXPECT_TRUE(domain == NULL);
    ASSERT_OK(domain_create("small", 20 * PAGE_BYTES, &domain));
    EXPECT_EQ(vspace_map_anonymous(domain->vspace, 0, 20 * PAGE_BYTES, PROTECT_WRITE, &mapped),
              ERR_NO_MEMORY);
    EXPECT_OK(vspace_map_anonymous(domain->vspace, 0, 4 * PAGE_BYTES, PROTECT_WRITE, &mapped));
    domain_kill(domain, 0);
    join(domain);
}

static void make_and_kill(void *member)
{
    (void)member;
    for (unsigned i = 0; i < 20; i++) {
        struct domain *domain = make();

        domain_kill(domain, (long)i);
        EXPECT_EQ(join(domain), i);
    }
}

TEST(domain, many_come_and_go_on_all_cores)
{
    crew_run(4, make_and_kill, NULL);
}
