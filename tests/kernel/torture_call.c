/* SPDX-License-Identifier: MIT */
/*
 * Torture of calls: programs and threads of the kernel call each other's services, deep and with deadlines, while
 * callers, servers and those between them are killed, and ports are closed and made again.
 */
#include <string.h>

#include "arch/timer.h"
#include "ipc/call.h"
#include "ipc/name.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"
#include "tests/kernel/torture_domain.h"
#include "tests/kernel/torture_ledger.h"
#include "tests/kernel/torture_where.h"
#include "user/programs/call-user/protocol.h"

#define LIFE_NS 25000000UL
#define CALLERS_A_CORE 2U
#define KILLER_PRIORITY (REALTIME_PRIORITIES - 1)
#define SERVERS (TORTURE_USER_SERVERS + TORTURE_KERNEL_SERVERS)
/* With so many kills there must be one of each kind. */
#define KILLS_FOR_ALL 5000U

/* What was killed, and where it was then. Counted by many: atomic. */
enum victim { VICTIM_CALLER, VICTIM_SERVER, VICTIM_MIDDLE, VICTIM_KERNEL, VICTIM_COUNT };

static const char *const victim_names[VICTIM_COUNT] = {"caller", "server", "middle",
                                                       "kernel caller"};
static uint64_t hits[VICTIM_COUNT][WHERE_COUNT];

static void note_hit(enum victim victim, const struct thread *thread)
{
    /* relaxed: a count */
    (void)atomic_add_relaxed(&hits[victim][where_is(thread)], 1);
}

/* The thread inside a port of the domain, with a reference, or NULL. */
static struct thread *thread_inside(struct domain *domain)
{
    struct thread *thread = NULL;
    uint64_t state = spin_lock_save(&domain->lock);

    for (struct list *link = list_first(&domain->ports); link != NULL && thread == NULL;
         link = list_next(&domain->ports, link)) {
        struct port *port = container_of(link, struct port, domain_link);
        /* relaxed: a guess; interrupts are off, so it stays a thread's block */
        struct thread *holder =
            atomic_load_relaxed(port->slots != NULL ? &port->slots[0].holder : &port->holder);

        if (holder != NULL && object_retain_try(&holder->object)) {
            thread = holder;
        }
    }
    spin_unlock_restore(&domain->lock, state);
    return thread;
}

static struct thread *first_thread(struct domain *domain)
{
    struct thread *thread = NULL;
    uint64_t state = spin_lock_save(&domain->lock);
    struct list *link = list_first(&domain->threads);

    if (link != NULL) {
        thread = container_of(link, struct thread, domain_link);
        if (!object_retain_try(&thread->object)) {
            thread = NULL;
        }
    }
    spin_unlock_restore(&domain->lock, state);
    return thread;
}

/* Does the innermost run of the thread belong to the domain? A guess while it runs. */
static bool is_innermost(const struct thread *thread, const struct domain *domain)
{
    uint64_t state = irq_save();
    const struct activation *activation = thread->activation;
    bool is = atomic_load_relaxed(&thread->state) == THREAD_RUNNING || activation->domain == domain;

    irq_restore(state);
    return is;
}

/* The killer rests at the core where its victim is at home, and preempts what runs there when its time has come:
 * so the victim is found wherever it is at that moment. Above all others only until the victim is killed. */
static void lie_in_wait(struct torture_member *member, cpu_t cpu)
{
    EXPECT_OK(sched_migrate(cpu));
    EXPECT_OK(thread_set_priority(thread_current(), KILLER_PRIORITY));
    torture_rest(member, LIFE_NS);
}

static void stand_down(void)
{
    EXPECT_OK(thread_set_priority(thread_current(), PRIORITY_SHARING));
}

/* Where the program's thread is at home now; it may move. */
static cpu_t home_of(struct domain *domain)
{
    struct thread *thread = first_thread(domain);
    cpu_t cpu = core_index();

    if (thread != NULL) {
        cpu = atomic_load_relaxed(&thread->cpu); /* relaxed: a hint */
        object_release(&thread->object);
    }
    return cpu;
}

/* Where the kill of the domain hits. */
static void look_at_victim(struct domain *domain, bool server)
{
    struct thread *thread = server ? thread_inside(domain) : first_thread(domain);

    if (thread != NULL) {
        enum victim victim = !server                        ? VICTIM_CALLER
                             : is_innermost(thread, domain) ? VICTIM_SERVER
                                                            : VICTIM_MIDDLE;
        note_hit(victim, thread);
        object_release(&thread->object);
    }
}

/* One program from its start to its end. */
static void live(struct torture_member *member, bool server)
{
    char arguments[64];
    struct domain *domain;
    int length =
        format_string(arguments, sizeof(arguments), "call-user%c%s%c%u%c%u%c%u", 0,
                      server ? "server" : "caller", 0, ledger_begin_life(member->index), 0,
                      member->index % TORTURE_USER_SERVERS, 0, crew_random(&member->random));

    if (torture_start("call-user", 0, arguments, length + 1, &domain) != OK) {
        EXPECT_TRUE(false);
        torture_rest(member, LIFE_NS);
        return;
    }
    lie_in_wait(member, home_of(domain));
    look_at_victim(domain, server);
    domain_kill(domain, EXIT_KILLED);
    stand_down();
    torture_expect_end(domain, !server);
    torture_count(member, 0);
}

static void live_callers(struct torture_member *member)
{
    while (torture_goes_on()) {
        live(member, false);
    }
}

static void live_servers(struct torture_member *member)
{
    while (torture_goes_on()) {
        live(member, true);
    }
}

/* A thread of the kernel, or a service in the kernel, that makes requests. */
struct maker {
    uint32_t life;
    uint32_t requests;
    uint32_t random;
};

static status_t find_server(uint32_t server, struct port **port)
{
    char name[TORTURE_NAME_BYTES];
    bool user = server < TORTURE_USER_SERVERS;
    int length = format_string(name, sizeof(name), "torture/%c%u", user ? 's' : 'k',
                               user ? server : server - TORTURE_USER_SERVERS);

    return name_find(name, (size_t)length, port);
}

/* False: its life has no numbers left. */
static bool make_request(struct maker *maker, uint64_t depth)
{
    struct port *port;

    if (find_server(crew_random(&maker->random) % SERVERS, &port) != OK) {
        return sched_sleep_until(timer_now_ns() + 200000) == OK;
    }
    /* relaxed: only the number counts; a closed port may be run beside its successor */
    uint32_t count = atomic_add_relaxed(&maker->requests, 1);
    if (count < LEDGER_REQUESTS) {
        uint64_t request = request_number(maker->life, count);
        uint64_t patience = random_patience(&maker->random);
        struct message message = {.tag = MESSAGE_TAG(SERVER_WORK, 3),
                                  .word = {request, depth, crew_random(&maker->random)}};
        nsec_t deadline = patience == UINT64_MAX ? DEADLINE_NONE
                          : patience == 0        ? DEADLINE_NOW
                                                 : timer_now_ns() + patience;
        status_t status = call_port(port, 0, &message, deadline);

        if (status == OK && message_label(message.tag) != (uint32_t)OK) {
            status = (int32_t)message_label(message.tag);
        }
        ledger_note_outcome(request, status, message.word[0]);
    }
    object_release(&port->object);
    return count < LEDGER_REQUESTS;
}

static void call_often(void *argument)
{
    struct maker *maker = argument;

    while (make_request(maker, random_depth(&maker->random)) && !thread_must_stop()) {
    }
}

/* A thread of the kernel from its start to its end. */
static void live_kernel_callers(struct torture_member *member)
{
    while (torture_goes_on()) {
        struct maker maker = {.life = ledger_begin_life(member->index),
                              .random = crew_random(&member->random)};
        cpu_t cpu = crew_core(crew_random(&member->random));
        struct thread *thread = crew_start(cpu, call_often, &maker);

        lie_in_wait(member, cpu);
        note_hit(VICTIM_KERNEL, thread);
        thread_kill(thread);
        stand_down();
        (void)crew_join(thread);
        torture_count(member, 0);
    }
}

static void serve(struct request *request)
{
    struct message *message = request->message;
    struct maker *maker = (struct maker *)request->cookie;
    uint64_t number = message->word[0];
    uint64_t depth = message->word[1];
    uint32_t random = (uint32_t)message->word[2];
    status_t status = ledger_note_run(number);

    if (next_random(&random) % 16 == 0) {
        (void)sched_sleep_until(timer_now_ns() + next_random(&random) % 300000);
    }
    if (depth > 0) {
        (void)make_request(maker, depth - 1);
    }
    message->word[0] = number ^ SERVER_SEAL;
    request_reply(request, status, 1);
}

static struct port *make_server(unsigned server, struct maker *maker)
{
    switch (server % 3) {
    case 0:
        return ports_make_service(serve, maker);
    case 1:
        return ports_make_combining(serve, maker);
    default:
        return ports_make_concurrent(serve, maker, 3);
    }
}

/* Opens a service in the kernel, and closes it, again and again. */
static void live_kernel_servers(struct torture_member *member)
{
    char name[TORTURE_NAME_BYTES];
    unsigned server = member->index % TORTURE_KERNEL_SERVERS;
    int length = format_string(name, sizeof(name), "torture/k%u", server);

    while (torture_goes_on()) {
        struct maker maker = {.life = ledger_begin_life(member->index),
                              .random = crew_random(&member->random)};
        struct port *port = make_server(server, &maker);

        EXPECT_OK(name_register(name, (size_t)length, port));
        torture_rest(member, LIFE_NS);
        port_close(port, ERR_STALE);
        /* acquire: the last run is over, and `maker` may go; pairs with the release in giving the baton */
        while (word_is_busy(atomic_load_acquire(&port->word))) {
            (void)sched_sleep_until(timer_now_ns() + 100000);
        }
        object_release(&port->object);
        torture_count(member, 0);
    }
}

static uint64_t print_hits(void)
{
    uint64_t all = 0;

    for (unsigned victim = 0; victim < VICTIM_COUNT; victim++) {
        uint64_t sum = 0;

        print("torture call: %s killed in", victim_names[victim]);
        for (unsigned where = 0; where < WHERE_COUNT; where++) {
            print(" %s %lu,", where_names[where], hits[victim][where]);
            sum += hits[victim][where];
        }
        print(" in all %lu\n", sum);
        all += sum;
    }
    return all;
}

/* Each kind of place was hit, by a kill of a caller, a server or one between. */
static void expect_no_empty_bar(void)
{
    for (unsigned where = 0; where < WHERE_COUNT; where++) {
        uint64_t sum = 0;

        for (unsigned victim = 0; victim < VICTIM_COUNT; victim++) {
            sum += hits[victim][where];
        }
        if (where != WHERE_RUNNING || sched_online_count() > 1) {
            EXPECT_TRUE(sum > 0);
        }
    }
    for (unsigned victim = 0; victim < VICTIM_COUNT; victim++) {
        uint64_t sum = 0;

        for (unsigned where = 0; where < WHERE_COUNT; where++) {
            sum += hits[victim][where];
        }
        EXPECT_TRUE(sum > 0);
    }
}

TORTURE(call, "calls, deadlines, chains, kills, closes; a ledger of all requests")
{
    unsigned online = sched_online_count();
    unsigned callers = online * CALLERS_A_CORE < 24 ? online * CALLERS_A_CORE : 24;

    BUG_ON(!torture_has_archive());
    memset(hits, 0, sizeof(hits));
    ledger_open();
    torture_begin_crew(SERVERS + 2 * callers);
    for (unsigned i = 0; i < TORTURE_USER_SERVERS; i++) {
        torture_add_member(i % online, "server", live_servers);
    }
    for (unsigned i = 0; i < TORTURE_KERNEL_SERVERS; i++) {
        torture_add_member(i % online, "kernel server", live_kernel_servers);
    }
    for (unsigned i = 0; i < callers; i++) {
        torture_add_member(i % online, "caller", live_callers);
    }
    for (unsigned i = 0; i < callers / 2; i++) {
        torture_add_member(i % online, "kernel caller", live_kernel_callers);
    }
    (void)torture_run_crew();
    ledger_print();
    if (print_hits() >= KILLS_FOR_ALL) {
        expect_no_empty_bar();
    }
    EXPECT_TRUE(ledger_count() > 0);
    ledger_close();
}

static void lie(struct torture_member *member)
{
    uint64_t request = request_number(ledger_begin_life(member->index), 0);

    EXPECT_OK(ledger_note_run(request));
    ledger_note_outcome(request, ERR_WOULD_BLOCK, 0);
    torture_count(member, 0);
}

TORTURE(selftest_ledger, "refuses a request that was run")
{
    ledger_open();
    torture_begin_crew(1);
    torture_add_member(0, "liar", lie);
    (void)torture_run_crew();
    ledger_close();
}
