/* SPDX-License-Identifier: MIT */
/* Lists that are visited in portions: interrupts come in between, nothing is missed or met twice. */
#include "kernel/sync/long_list.h"

#include "arch/core.h"
#include "arch/irq.h"
#include "arch/smp.h"
#include "ipc/port.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "services/monitor/monitor_priv.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"

#define ENTRIES (3 * LONG_LIST_LOCKED)
#define STAYING 200U

struct count {
    uint32_t visits;
    uint64_t taken;         /* interrupts of this core when the first entry was visited */
    uint32_t visits_masked; /* before the interrupt of the first visit came in */
};

/* The first visit makes an interrupt pending on its own core; interrupts are off here. */
static bool count_visit(struct count *count)
{
    const struct core *core = core_current();

    if (count->visits++ == 0) {
        count->taken = core->interrupts;
        ipi_send(core->cpu);
    }
    count->visits_masked += core->interrupts == count->taken;
    return true;
}

static bool count_link(struct long_list_link *link, void *argument)
{
    (void)link;
    return count_visit(argument);
}

static bool count_domain(struct domain *domain, void *argument)
{
    (void)domain;
    return count_visit(argument);
}

static bool count_thread(struct thread *thread, void *argument)
{
    (void)thread;
    return count_visit(argument);
}

static struct long_list some = LONG_LIST_INIT(some, "list of a test");

struct entry {
    struct long_list_link link;
    uint32_t met;
    bool stays;
};

TEST(long_list, a_visit_lets_interrupts_in_after_64_links)
{
    static struct long_list_link links[ENTRIES];
    struct count count = {0};

    for (unsigned i = 0; i < ENTRIES; i++) {
        long_list_link_init(&links[i]);
        long_list_add(&some, &links[i]);
    }
    long_list_visit(&some, count_link, &count);
    EXPECT_EQ(count.visits, ENTRIES);
    EXPECT_EQ(count.visits_masked, LONG_LIST_LOCKED);
    for (unsigned i = 0; i < ENTRIES; i++) {
        long_list_remove(&some, &links[i]);
    }
    long_list_visit(&some, count_link, &count);
    EXPECT_EQ(count.visits, ENTRIES);
}

static bool meet(struct long_list_link *link, void *argument)
{
    (void)argument;
    container_of(link, struct entry, link)->met++;
    return true;
}

/* Its own entries come and go while the others visit. */
static void come_and_go(struct entry *entries, uint32_t seed)
{
    for (unsigned i = 0; i < 3000; i++) {
        struct entry *entry = &entries[crew_random(&seed) % STAYING];

        if (entry->stays) {
            continue;
        }
        if (list_is_linked(&entry->link.link)) {
            long_list_remove(&some, &entry->link);
        } else {
            long_list_add(&some, &entry->link);
        }
    }
}

/* Member 0 visits and counts, 1 visits too, 2 makes entries come and go. */
static void visit_or_change(void *member)
{
    const struct crew_member *me = member;
    struct count count = {0};

    if (me->index == 2) {
        come_and_go(me->shared, 7);
        return;
    }
    for (unsigned i = 0; i < 100; i++) {
        long_list_visit(&some, me->index == 0 ? meet : count_link, &count);
    }
}

TEST(long_list, entries_that_stay_are_met_once_a_visit_while_others_come_and_go)
{
    static struct entry entries[STAYING];

    for (unsigned i = 0; i < STAYING; i++) {
        entries[i] = (struct entry){.stays = i % 2 == 0};
        long_list_link_init(&entries[i].link);
        long_list_add(&some, &entries[i].link);
    }
    crew_run(3, visit_or_change, entries);
    for (unsigned i = 0; i < STAYING; i++) {
        if (entries[i].stays) {
            EXPECT_EQ(entries[i].met, 100);
        }
        long_list_remove(&some, &entries[i].link);
    }
}

static void sleep_until_killed(void *unused)
{
    (void)unused;
    EXPECT_EQ(sched_sleep_until(DEADLINE_NONE), ERR_CANCELLED);
}

TEST(long_list, all_threads_and_all_domains_are_visited_in_portions)
{
    enum { MANY = 80 };
    static struct thread *threads[MANY];
    static struct domain *domains[MANY];
    struct count of_threads = {0};
    struct count of_domains = {0};
    long code;

    for (unsigned i = 0; i < MANY; i++) {
        threads[i] = crew_start(crew_core(i), sleep_until_killed, NULL);
        ASSERT_OK(domain_create("many", 0, &domains[i]));
    }
    thread_visit_all(count_thread, &of_threads);
    domain_visit_all(count_domain, &of_domains);
    EXPECT_TRUE(of_threads.visits > MANY && of_domains.visits > MANY);
    EXPECT_EQ(of_threads.visits_masked, LONG_LIST_LOCKED);
    EXPECT_EQ(of_domains.visits_masked, LONG_LIST_LOCKED);
    for (unsigned i = 0; i < MANY; i++) {
        thread_kill(threads[i]);
        crew_join(threads[i]);
        domain_kill(domains[i], 0);
        EXPECT_OK(domain_join(domains[i], DEADLINE_NONE, &code));
        object_release(&domains[i]->object);
    }
}

TEST(long_list, the_monitor_knows_how_many_ports_a_domain_has)
{
    struct monitor_domain before = {0};
    struct monitor_domain row = {0};
    struct port *ports[3];

    ASSERT_OK(monitor_fill_domain(0, &before));
    for (unsigned i = 0; i < 3; i++) {
        ports[i] = ports_make_mailbox();
    }
    ASSERT_OK(monitor_fill_domain(0, &row));
    EXPECT_EQ(row.ports, before.ports + 3);
    for (unsigned i = 0; i < 3; i++) {
        ports_close(ports[i]);
    }
    ASSERT_OK(monitor_fill_domain(0, &row));
    EXPECT_EQ(row.ports, before.ports);
}
