/* SPDX-License-Identifier: MIT */
/*
 * Tortures of the allocators: what one core allocates others free, in every order, while owners
 * sleep or are busy in user mode, domains come and go, and drains are forced.
 *
 * Traders make and end parcels. Three ways lead from one to another: `shelf`, places where a parcel
 * lies until somebody puts another there; `inbox`, where a core's trader finds bunches made for it;
 * and the trader's own bunch, ended in the order it was made, in reverse, or shuffled.
 */
#include <string.h>

#include "arch/layout.h"
#include "arch/timer.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "mm/drain.h"
#include "mm/frame.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/torture_domain.h"
#include "tests/kernel/torture_parcel.h"

#define MILLISECOND_NS 1000000UL
#define SHELF_PLACES 512U
#define BUNCH_MAX 96U
#define TRADERS_A_CORE 2U
#define OTHER_MEMBERS 5U
#define REST_MAX_NS (40 * MILLISECOND_NS)
#define HOLD_MAX_NS (120 * MILLISECOND_NS)

static struct parcel *shelf[SHELF_PLACES];
static struct parcel *inbox[MAX_CORES];
static nsec_t asleep_until[MAX_CORES]; /* its traders leave the core alone; relaxed: advice */

/* Puts a parcel (or nothing) on a place and ends what lay there. */
static void trade_place(struct torture_member *member, unsigned place, struct parcel *parcel)
{
    /* acq_rel: contents travel with the pointer; pairs with itself on another core */
    struct parcel *old = atomic_swap_acq_rel(&shelf[place], parcel);

    if (old != NULL) {
        parcel_end(member, old);
    }
}

static void trade_shelf(struct torture_member *member)
{
    for (unsigned i = 0; i < BUNCH_MAX; i++) {
        unsigned place = crew_random(&member->random) % SHELF_PLACES;

        trade_place(member, place, parcel_make(member));
    }
}

static unsigned make_bunch(struct torture_member *member, struct parcel **bunch)
{
    unsigned wanted = 1 + crew_random(&member->random) % BUNCH_MAX;
    unsigned count = 0;

    for (unsigned i = 0; i < wanted; i++) {
        struct parcel *parcel = parcel_make(member);

        if (parcel != NULL) {
            bunch[count++] = parcel;
        }
    }
    return count;
}

/* First to last, last to first, or shuffled. */
static void trade_own(struct torture_member *member)
{
    struct parcel *bunch[BUNCH_MAX];
    unsigned count = make_bunch(member, bunch);
    unsigned order = crew_random(&member->random) % 3;

    for (unsigned i = 0; i < count; i++) {
        unsigned take = order == 0 ? i : count - 1 - i;

        if (order == 2) {
            unsigned other = crew_random(&member->random) % (count - i);
            struct parcel *parcel = bunch[other];

            bunch[other] = bunch[take];
            bunch[take] = parcel;
        }
        parcel_end(member, bunch[take]);
    }
}

/* A bunch for the traders of another core. */
static void trade_send(struct torture_member *member)
{
    struct parcel *bunch[BUNCH_MAX];
    unsigned count = make_bunch(member, bunch);
    struct parcel **box = &inbox[crew_random(&member->random) % sched_online_count()];

    for (unsigned i = 0; i < count; i++) {
        /* relaxed: only compared */
        struct parcel *head = atomic_load_relaxed(box);

        do {
            bunch[i]->next = head;
            /* release: contents and link travel; pairs with the swap in empty_inbox */
        } while (!atomic_cas_release(box, &head, bunch[i]));
    }
}

static void empty_inbox(struct torture_member *member, cpu_t cpu)
{
    /* acquire: pairs with the compare-and-swap in trade_send */
    struct parcel *parcel = atomic_swap_acquire(&inbox[cpu], (struct parcel *)NULL);

    while (parcel != NULL) {
        struct parcel *next = parcel->next;

        parcel_end(member, parcel);
        parcel = next;
    }
}

static void trade(struct torture_member *member)
{
    static void (*const ways[])(struct torture_member *) = {trade_shelf, trade_own, trade_send};

    while (torture_goes_on()) {
        nsec_t until = atomic_load_relaxed(&asleep_until[member->cpu]);

        ways[crew_random(&member->random) % ARRAY_SIZE(ways)](member);
        empty_inbox(member, member->cpu);
        if (until > timer_now_ns()) {
            (void)sched_sleep_until(until);
        }
    }
}

/* Puts cores to rest: some sleep, and now and then one is kept busy in user mode instead. */
static void direct(struct torture_member *member)
{
    while (torture_goes_on()) {
        cpu_t cpu = crew_random(&member->random) % sched_online_count();
        nsec_t until = timer_now_ns() + REST_MAX_NS;

        atomic_store_relaxed(&asleep_until[cpu], until);
        if (torture_has_archive() && crew_random(&member->random) % 4 == 0) {
            torture_busy_core(member, REST_MAX_NS);
        } else {
            torture_rest(member, REST_MAX_NS);
        }
        torture_count(member, 0);
    }
}

static void force_drains(struct torture_member *member)
{
    while (torture_goes_on()) {
        torture_rest(member, REST_MAX_NS);
        drain_all();
        torture_count(member, 0);
    }
}

/* A block that the hog holds; it lies in the block itself. */
struct held {
    struct held *next;
    unsigned order;
};

/* Takes all the memory there is, holds it a while, and gives it back. */
static void hog(struct torture_member *member)
{
    struct held *first = NULL;

    /* Every order down to single pages was refused in the end. */
    for (int order = FRAME_MAX_ORDER; order >= 0; order--) {
        paddr_t block;

        while ((block = frame_alloc((unsigned)order)) != FRAME_NONE) {
            struct held *held = direct_map(block);

            *held = (struct held){.next = first, .order = (unsigned)order};
            first = held;
        }
    }
    torture_refuse(member);
    torture_rest(member, HOLD_MAX_NS);
    while (first != NULL) {
        struct held held = *first;

        frame_free(direct_unmap(first), held.order);
        first = held.next;
    }
}

static void run_short(struct torture_member *member)
{
    do {
        hog(member);
        torture_rest(member, HOLD_MAX_NS);
    } while (torture_goes_on());
}

/* What is left on shelf and in boxes, ended on this core; the caller is no member of a crew. */
static void clear_up(void)
{
    struct torture_member nobody = {0};

    for (unsigned place = 0; place < SHELF_PLACES; place++) {
        trade_place(&nobody, place, NULL);
    }
    for (cpu_t cpu = 0; cpu < MAX_CORES; cpu++) {
        empty_inbox(&nobody, cpu);
    }
}

static void begin(void)
{
    unsigned count = sched_online_count();

    memset(asleep_until, 0, sizeof(asleep_until));
    torture_begin_crew(count * TRADERS_A_CORE + OTHER_MEMBERS);
    for (unsigned i = 0; i < count * TRADERS_A_CORE; i++) {
        torture_add_member(i % count, "trader", trade);
    }
    torture_add_member(0, "director", direct);
    torture_add_member(count - 1, "drainer", force_drains);
    if (torture_has_archive()) {
        torture_add_member(count / 2, "domain starter", torture_domains_member);
        torture_add_member(0, "domain starter", torture_domains_member);
    }
}

TORTURE(mem, "allocations freed on other cores, sleeping and busy owners, domains, drains")
{
    begin();
    (void)torture_run_crew();
    clear_up();
}

TORTURE(mem_short, "what mem does, while all memory is taken again and again")
{
    begin();
    torture_add_member(0, "hog", run_short);
    EXPECT_TRUE(torture_run_crew() > 0);
    clear_up();
}

/* They fail on purpose, to show that it is seen. */
static void leak(struct torture_member *member)
{
    struct parcel *parcel = parcel_make(member);

    EXPECT_TRUE(parcel != NULL);
    while (torture_goes_on()) {
        torture_rest(member, REST_MAX_NS);
        torture_count(member, 0);
    }
}

TORTURE(selftest_leak, "loses a parcel")
{
    torture_begin_crew(1);
    torture_add_member(0, "leaker", leak);
    (void)torture_run_crew();
}

static void spoil(struct torture_member *member)
{
    struct parcel *parcel = parcel_make(member);

    parcel->memory[0] ^= 1;
    parcel_end(member, parcel);
}

TORTURE(selftest_spoil, "writes into a parcel")
{
    torture_begin_crew(1);
    torture_add_member(0, "spoiler", spoil);
    (void)torture_run_crew();
}

static void hang(struct torture_member *member)
{
    torture_count(member, 0);
    (void)sched_sleep_until(DEADLINE_NONE);
}

TORTURE(selftest_hang, "does not end")
{
    torture_begin_crew(1);
    torture_add_member(0, "hanger", hang);
    (void)torture_run_crew();
}
