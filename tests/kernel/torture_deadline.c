/* SPDX-License-Identifier: MIT */
/*
 * Torture of deadlines: programs call services of other programs that end at about the caller's deadline, so that
 * the answer races with the split (user/programs/race-user). The clients see to it that each call ends in one way,
 * and the servers count the runs; here the clients' tallies are added up.
 */
#include <string.h>

#include "arch/timer.h"
#include "ipc/name.h"
#include "kernel/abi/exit.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"
#include "tests/kernel/torture_domain.h"
#include "user/programs/race-user/protocol.h"

#define CLIENTS_A_SERVER 2U
#define LOOK_NS 200000000UL
/* Of so many races each way out must be taken. */
#define RACES_FOR_ALL 1000U

/* Of each client, as it said last; written in its calls, read by others: atomic. */
static struct tally {
    uint64_t answered;
    uint64_t left_in_service;
    uint64_t left_before;
} tallies[RACE_CLIENTS];

/* Relaxed, all: one writer each, and readers want a number. */
static uint64_t races_of(const struct tally *tally)
{
    return atomic_load_relaxed(&tally->answered) + atomic_load_relaxed(&tally->left_in_service) +
           atomic_load_relaxed(&tally->left_before);
}

static void take_note(struct request *request)
{
    const uint64_t *word = request->message->word;

    if (word[0] >= RACE_CLIENTS) {
        request_reply(request, ERR_INVALID, 0);
        return;
    }
    atomic_store_relaxed(&tallies[word[0]].answered, word[1]);
    atomic_store_relaxed(&tallies[word[0]].left_in_service, word[2]);
    atomic_store_relaxed(&tallies[word[0]].left_before, word[3]);
    request_reply(request, torture_goes_on() ? OK : ERR_CANCELLED, 0);
}

static struct domain *start_racer(const char *role, unsigned client, unsigned server, uint32_t seed)
{
    char arguments[64];
    struct domain *domain = NULL;
    int length = format_string(arguments, sizeof(arguments), "race-user%c%s%c%u%c%u%c%u", 0, role,
                               0, client, 0, server, 0, seed);

    BUG_ON(torture_start("race-user", 0, arguments, length + 1, &domain) != OK);
    return domain;
}

/* One client for all the time; this thread sees that it goes on. */
static void watch_client(struct torture_member *member)
{
    struct domain *domain = start_racer("client", member->index, member->index / CLIENTS_A_SERVER,
                                        crew_random(&member->random));
    const struct tally *tally = &tallies[member->index];
    uint64_t seen = 0;
    long code = -1;

    while (domain_join(domain, timer_now_ns() + LOOK_NS, &code) == ERR_TIMED_OUT) {
        uint64_t races = races_of(tally);

        for (; seen < races; seen++) {
            torture_count(member, 0);
        }
    }
    EXPECT_EQ(code, 0);
    torture_count(member, 0);
    torture_expect_end(domain, true);
}

static void print_tallies(unsigned clients)
{
    struct tally sum = {0};
    uint64_t races = 0;

    for (unsigned i = 0; i < clients; i++) {
        races += races_of(&tallies[i]);
        sum.answered += tallies[i].answered;
        sum.left_in_service += tallies[i].left_in_service;
        sum.left_before += tallies[i].left_before;
    }
    print(
        "torture deadline: %lu races, %lu answered, %lu timed out in the service, %lu before it\n",
        races, sum.answered, sum.left_in_service, sum.left_before);
    if (races >= RACES_FOR_ALL) {
        EXPECT_TRUE(sum.answered != 0);
        EXPECT_TRUE(sum.left_in_service != 0);
        EXPECT_TRUE(sum.left_before != 0);
    }
}

TORTURE(deadline, "calls of programs race with their deadlines: the answer or a time-out")
{
    unsigned online = sched_online_count();
    unsigned clients = online * 2 < RACE_CLIENTS ? online * 2 : RACE_CLIENTS;
    struct domain *servers[RACE_CLIENTS / CLIENTS_A_SERVER];
    struct port *notes = ports_make_service(take_note, NULL);

    BUG_ON(!torture_has_archive());
    memset(tallies, 0, sizeof(tallies));
    EXPECT_OK(name_register(RACE_NOTES_NAME, strlen(RACE_NOTES_NAME), notes));
    torture_begin_crew(clients);
    for (unsigned i = 0; i < clients / CLIENTS_A_SERVER; i++) {
        servers[i] = start_racer("server", 0, i, 0);
    }
    for (unsigned i = 0; i < clients; i++) {
        torture_add_member(i % online, "client", watch_client);
    }
    (void)torture_run_crew();
    for (unsigned i = 0; i < clients / CLIENTS_A_SERVER; i++) {
        domain_kill(servers[i], EXIT_KILLED);
        torture_expect_end(servers[i], true);
    }
    print_tallies(clients);
    ports_close(notes);
}
