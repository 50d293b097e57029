/* SPDX-License-Identifier: MIT */
/*
 * Torture of messages: programs with mailboxes, services and letters (user/programs/ipc-user), while clients and
 * servers are killed, ports closed, named and opened again, and handles taken back.
 */
#include "kernel/abi/exit.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/torture_domain.h"
#include "tests/kernel/torture_ledger.h"
#include "user/programs/call-user/protocol.h"

/* A life is up to so many rests of up to so long: the end of a domain costs some grace periods, and on a slow host shorter
 * lives would make few requests. */
#define RESTS 24U
#define REST_NS 16000000UL
#define SERVERS                                                                                    \
    7U /* one for each enum ipc_port of ipc-user/protocol.h, which is not for the kernel */
#define CLIENTS_MOST 24U
/* With so many requests there is an answer of each kind; with so many, each reason for none, too. */
#define REQUESTS_FOR_KINDS 500U
#define REQUESTS_FOR_REASONS 20000U

/* Relaxed: counts. */
static uint64_t killed;
static uint64_t ended; /* by themselves before they were killed */

/* One program from its start to its end. */
static void live(struct torture_member *member, bool server)
{
    char arguments[64];
    struct domain *domain;
    int length = format_string(arguments, sizeof(arguments), "ipc-user%c%s%c%u%c%u%c%u", 0,
                               server ? "server" : "client", 0, ledger_begin_life(member->index), 0,
                               member->index % SERVERS, 0, crew_random(&member->random));

    if (torture_start("ipc-user", 0, arguments, length + 1, &domain) != OK) {
        EXPECT_TRUE(false);
        torture_rest(member, REST_NS);
        return;
    }
    for (uint32_t rests = crew_random(&member->random) % RESTS; rests > 0; rests--) {
        torture_rest(member, REST_NS);
    }
    /* relaxed: a look that may be too early */
    bool over = atomic_load_relaxed(&domain->state) == DOMAIN_DEAD;
    atomic_add_relaxed(over ? &ended : &killed, 1UL);
    domain_kill(domain, EXIT_KILLED);
    torture_expect_end(domain, false);
    torture_count(member, 0);
}

static void live_clients(struct torture_member *member)
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

static uint64_t count_reason(status_t status)
{
    uint64_t sum = 0;

    for (unsigned kind = 0; kind < REQUEST_KINDS; kind++) {
        sum += ledger_count_of(kind, status);
    }
    return sum;
}

/* Given enough requests, each kind was answered, and there is each reason for none. */
static void expect_all_kinds(void)
{
    static const status_t reasons[] = {ERR_WOULD_BLOCK, ERR_TIMED_OUT, ERR_STALE, ERR_PEER_DIED,
                                       ERR_BAD_HANDLE};

    EXPECT_TRUE(ledger_count() > 0);
    for (unsigned i = 0; i < REQUEST_KINDS && ledger_count() >= REQUESTS_FOR_KINDS; i++) {
        EXPECT_TRUE(ledger_count_of(i, OK) > 0);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(reasons) && ledger_count() >= REQUESTS_FOR_REASONS; i++) {
        EXPECT_TRUE(count_reason(reasons[i]) > 0);
    }
}

TORTURE(ipc, "mailboxes, letters, long messages, names, kills, closes; a ledger of all requests")
{
    unsigned online = sched_online_count();
    unsigned clients = online * 2 < CLIENTS_MOST ? online * 2 : CLIENTS_MOST;

    BUG_ON(!torture_has_archive());
    killed = ended = 0;
    ledger_open();
    torture_begin_crew(SERVERS + clients);
    for (unsigned i = 0; i < SERVERS; i++) {
        torture_add_member(i % online, "server", live_servers);
    }
    for (unsigned i = 0; i < clients; i++) {
        torture_add_member(i % online, "client", live_clients);
    }
    (void)torture_run_crew();
    print("torture ipc: %lu programs killed, %lu ended before\n", killed, ended);
    ledger_print();
    expect_all_kinds();
    ledger_close();
}
