/* SPDX-License-Identifier: MIT */
/*
 * What torture_call.c has less time for: threads of the kernel on every core call exclusive and combining
 * services, alone and in chains, while deadlines pass, ports are closed and made again, and callers are killed.
 *
 * The ledger: each request has a number and a note, where the service counts its runs. A request that was
 * answered ran once, one that was refused never; whose caller went on while another one ran it, once at most. A
 * run that finds another number on the note is one of those. Where a killed thread was is sorted into bars, none of
 * which may stay empty.
 */
#include <string.h>

#include "arch/irq.h"
#include "arch/timer.h"
#include "ipc/call.h"
#include "kernel/abi/exit.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"
#include "kernel/base/print.h"
#include "mm/spmalloc.h"
#include "sched/domain.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"
#include "tests/kernel/ports.h"
#include "tests/kernel/torture.h"

#define MICROSECOND_NS 1000UL
#define PLACES 8U
#define COMBINING 4U /* from here on; they call nobody and never wait */
#define CALLERS_A_CORE 2U
#define KILLERS_MOST 4U
#define CLOSE_REST_NS (500 * MICROSECOND_NS)
#define VICTIM_LIFE_NS (300 * MICROSECOND_NS)
#define DEADLINE_RANGE_NS (100 * MICROSECOND_NS)
#define NAP_NS (50 * MICROSECOND_NS)
#define KILLS_FOR_BARS 300U
#define REASONS 32U

static struct spinlock places_lock = SPINLOCK_INIT("torture ports");
static struct port *places[PLACES] GUARDED_BY(places_lock);

/* Relaxed, as all counts here. */
static uint64_t runs;
static uint64_t reasons[REASONS]; /* of calls, by the negated status; 0: answered */

enum bar { BAR_KERNEL, BAR_QUEUED, BAR_BLOCKED, BARS };

static const char *const bar_names[BARS] = {"in the kernel", "queued for a port", "blocked"};
static uint64_t bars[BARS];

/* A note: the number of the request, or 0, and how often it ran. So many requests are made before a note is used
 * again that it is in use no more. */
#define NOTES (1U << 17)
#define NOTE_RUN 1UL
#define NOTE_RUNS 0xffUL

static uint64_t *notes;
static uint64_t requests;
static uint64_t unheard; /* runs whose callers have gone on: they found their notes so, ... */
static uint64_t late;    /* ... or the run found another's */

/* True if the request with this number is still on its note. */
static bool note_run(uint64_t number)
{
    uint64_t *note = &notes[number % NOTES];
    uint64_t seen = atomic_load_relaxed(note);

    while (seen / (NOTE_RUNS + 1) == number) {
        if (atomic_cas_relaxed(note, &seen, seen + NOTE_RUN)) {
            return true;
        }
    }
    return false;
}

static void ask(uint32_t *random, unsigned levels);

/* Now and then so long that the deadlines of callers pass while they are served. */
static void work(uint32_t *random)
{
    nsec_t end = timer_now_ns() + crew_random(random) % NAP_NS;

    while (crew_random(random) % 64 != 0 && timer_now_ns() < end) {
        arch_relax();
    }
}

static void serve(struct request *request)
{
    struct message *message = request->message;
    uint32_t random = (uint32_t)message->word[2];

    atomic_add_relaxed(&late, note_run(message->word[0]) ? 0UL : 1UL);
    atomic_add_relaxed(&runs, 1UL);
    if (request->cookie >= COMBINING) {
        work(&random);
    } else {
        if (message->word[1] != 0) {
            ask(&random, (unsigned)message->word[1] - 1);
        }
        if (crew_random(&random) % 16 == 0) {
            (void)sched_sleep_until(timer_now_ns() + crew_random(&random) % NAP_NS);
        }
    }
    request_reply(request, OK, 1);
}

static struct port *make_port(unsigned place)
{
    void *cookie = (void *)(uintptr_t)place;

    return place < COMBINING ? ports_make_service(serve, cookie)
                             : ports_make_combining(serve, cookie);
}

static struct port *get_port(unsigned place)
{
    uint64_t state = spin_lock_save(&places_lock);
    struct port *port = places[place];

    object_retain(&port->object);
    spin_unlock_restore(&places_lock, state);
    return port;
}

static struct port *exchange_port(unsigned place, struct port *fresh)
{
    uint64_t state = spin_lock_save(&places_lock);
    struct port *old = places[place];

    places[place] = fresh;
    spin_unlock_restore(&places_lock, state);
    return old;
}

static nsec_t draw_deadline(uint32_t *random)
{
    uint32_t draw = crew_random(random) % 8;

    if (draw == 0) {
        return DEADLINE_NOW;
    }
    return draw < 4 ? timer_now_ns() + crew_random(random) % DEADLINE_RANGE_NS : DEADLINE_NONE;
}

/* One request, of a chain that goes on for up to `levels` more, and its entry in the ledger. */
static void ask(uint32_t *random, unsigned levels)
{
    uint64_t number = atomic_add_relaxed(&requests, 1UL) + 1;
    uint64_t *note = &notes[number % NOTES];
    unsigned place = crew_random(random) % PLACES;
    struct port *port = get_port(place);
    struct message message = {.tag = MESSAGE_TAG(1, 3),
                              .word = {number, levels, crew_random(random)}};

    EXPECT_EQ(atomic_swap_relaxed(note, number * (NOTE_RUNS + 1)), 0);
    status_t status = call_port(port, 0, &message, draw_deadline(random));
    uint64_t ran = atomic_swap_relaxed(note, 0UL) & NOTE_RUNS;
    bool may_be_run = place >= COMBINING && (status == ERR_TIMED_OUT || status == ERR_CANCELLED);

    object_release(&port->object);
    if (may_be_run) {
        EXPECT_TRUE(ran <= 1);
        atomic_add_relaxed(&unheard, ran);
    } else {
        EXPECT_EQ(ran, status == OK ? 1 : 0);
    }
    EXPECT_TRUE(status == OK || status == ERR_TIMED_OUT || status == ERR_WOULD_BLOCK ||
                status == ERR_STALE || status == ERR_DEADLOCK || status == ERR_DEPTH ||
                status == ERR_CANCELLED);
    if (-status >= 0 && -status < (status_t)REASONS) {
        atomic_add_relaxed(&reasons[-status], 1UL);
    }
}

static unsigned draw_levels(uint32_t *random)
{
    return crew_random(random) % 4 != 0 ? 0 : crew_random(random) % (MAX_CALL_DEPTH + 2U);
}

static void call(struct torture_member *member)
{
    while (torture_goes_on()) {
        ask(&member->random, draw_levels(&member->random));
        torture_count(member, 0);
    }
}

static void close_and_open(struct torture_member *member)
{
    while (torture_goes_on()) {
        unsigned place = crew_random(&member->random) % PLACES;

        torture_rest(member, CLOSE_REST_NS);
        ports_close(exchange_port(place, make_port(place)));
        torture_count(member, 0);
    }
}

static void be_a_victim(void *argument)
{
    uint32_t random = (uint32_t)(uintptr_t)argument;

    while (!thread_must_stop()) {
        ask(&random, draw_levels(&random));
    }
}

/* Where it is just before it is killed; hints, but each of them was true. */
static enum bar place_of(struct thread *thread)
{
    if (atomic_load_relaxed(&thread->waiting_for) != NULL) {
        return BAR_QUEUED;
    }
    return atomic_load_relaxed(&thread->state) == THREAD_BLOCKED ? BAR_BLOCKED : BAR_KERNEL;
}

static void kill_callers(struct torture_member *member)
{
    while (torture_goes_on()) {
        cpu_t cpu = crew_random(&member->random) % sched_online_count();
        void *seed = (void *)(uintptr_t)crew_random(&member->random);
        struct thread *victim = crew_start(cpu, be_a_victim, seed);

        torture_rest(member, VICTIM_LIFE_NS);
        atomic_add_relaxed(&bars[place_of(victim)], 1UL);
        thread_kill(victim);
        (void)crew_join(victim);
        torture_count(member, 0);
    }
}

static void print_ledger(void)
{
    uint64_t asked = 0;
    uint64_t kills = 0;

    for (unsigned i = 0; i < REASONS; i++) {
        asked += reasons[i];
        if (reasons[i] != 0) {
            print("torture call_race: %lu calls ended with %ld\n", reasons[i], -(long)i);
        }
    }
    for (unsigned i = 0; i < BARS; i++) {
        kills += bars[i];
        print("torture call_race: %lu killed %s\n", bars[i], bar_names[i]);
    }
    print("torture call_race: %lu asked, %lu answered, %lu runs, %lu of them unheard, %lu kills\n",
          asked, reasons[0], runs, unheard + late, kills);
    EXPECT_EQ(runs, reasons[0] + unheard + late);
    for (unsigned i = 0; i < BARS && kills >= KILLS_FOR_BARS; i++) {
        EXPECT_TRUE(bars[i] != 0);
    }
}

TORTURE(call_race, "answers race with deadlines, closes and kills among threads of the kernel")
{
    unsigned count = sched_online_count();
    unsigned killers = count < KILLERS_MOST ? count : KILLERS_MOST;

    runs = requests = unheard = late = 0;
    notes = spmalloc_zeroed(kernel_domain.account, NOTES * sizeof(*notes));
    BUG_ON(notes == NULL);
    memset(reasons, 0, sizeof(reasons));
    memset(bars, 0, sizeof(bars));
    for (unsigned i = 0; i < PLACES; i++) {
        (void)exchange_port(i, make_port(i));
    }
    torture_begin_crew(count * CALLERS_A_CORE + killers + 1);
    for (unsigned i = 0; i < count * CALLERS_A_CORE; i++) {
        torture_add_member(i % count, "caller", call);
    }
    for (unsigned i = 0; i < killers; i++) {
        torture_add_member(count - 1 - i, "killer", kill_callers);
    }
    torture_add_member(0, "closer", close_and_open);
    (void)torture_run_crew();
    for (unsigned i = 0; i < PLACES; i++) {
        struct port *port = exchange_port(i, NULL);

        EXPECT_EQ(atomic_load_relaxed(&port->word), 0); /* relaxed: nobody calls it any more */
        ports_close(port);
    }
    print_ledger();
    spmalloc_free(notes);
}
