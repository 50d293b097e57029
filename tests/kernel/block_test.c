/* SPDX-License-Identifier: MIT */
/* Block and wake: no wake-up is lost. */
#include "kernel/abi/syscall.h"
#include "kernel/base/atomic.h"
#include "sched/sched.h"
#include "tests/kernel/crew.h"

/* Uses up a wake-up that an earlier wait may have left. */
static void drop_token(void)
{
    while (sched_block_until(timer_now_ns() + 1000000) == OK) {
    }
}

TEST(block, a_wake_up_before_the_block_is_not_lost)
{
    drop_token();
    sched_wake_thread(thread_current());
    sched_block(); /* returns at once, or the suite hangs here */
    sched_wake_thread(thread_current());
    EXPECT_OK(sched_block_until(DEADLINE_NONE));
}

TEST(block, wake_ups_before_a_block_count_once)
{
    drop_token();
    sched_wake_thread(thread_current());
    sched_wake_thread(thread_current());
    EXPECT_OK(sched_block_until(DEADLINE_NONE));
    EXPECT_EQ(sched_block_until(timer_now_ns() + 1000000), ERR_TIMED_OUT);
}

/* A baton of the test's own: the number of whose turn it is. */
struct ring {
    uint32_t turn;
    uint32_t members;
    uint32_t rounds;
    uint32_t started; /* counts up to members; then threads[] is complete */
    struct thread *threads[8];
};

static void wait_for_turn(struct ring *ring, uint32_t turn)
{
    /* acquire: what the last one did; pairs with the release in pass_turn */
    while (atomic_load_acquire(&ring->turn) != turn) {
        sched_block();
    }
}

static void pass_turn(struct ring *ring, uint32_t next)
{
    /* release: publish, then wake; pairs with the acquire in wait_for_turn */
    atomic_store_release(&ring->turn, next);
    sched_wake_thread(ring->threads[next % ring->members]);
}

static void run_in_ring(void *member)
{
    struct crew_member *me = member;
    struct ring *ring = me->shared;

    ring->threads[me->index] = thread_current();
    /* release: our entry is there; pairs with the acquire of all others */
    atomic_add_release(&ring->started, 1);
    /* acquire: everybody's entry; pairs with the release above */
    while (atomic_load_acquire(&ring->started) != ring->members) {
        sched_yield();
    }
    for (uint32_t round = 0; round < ring->rounds; round++) {
        uint32_t turn = round * ring->members + me->index;

        wait_for_turn(ring, turn);
        /* The very last turn wakes nobody: the others may have ended. */
        if (turn + 1 < ring->rounds * ring->members) {
            pass_turn(ring, turn + 1);
        }
    }
}

TEST(block, a_ring_of_threads_on_all_cores_passes_a_token)
{
    static struct ring ring;

    ring = (struct ring){.members = 8, .rounds = 100};
    crew_run(ring.members, run_in_ring, &ring);
    EXPECT_EQ(ring.turn, ring.members * ring.rounds - 1);
}

static uint32_t wakes_seen;

static void count_wakes(void *argument)
{
    uint32_t *wanted = argument;

    for (uint32_t i = 1; i <= 200; i++) {
        /* acquire: pairs with the release in the test */
        while (atomic_load_acquire(wanted) < i) {
            sched_block();
        }
        atomic_store_relaxed(&wakes_seen, i); /* relaxed: only the number matters */
    }
}

TEST(block, a_sleeping_core_wakes_for_a_thread_of_its_own)
{
    uint32_t wanted = 0;

    atomic_store_relaxed(&wakes_seen, 0U);
    struct thread *thread = crew_start(crew_core(1), count_wakes, &wanted);
    for (uint32_t i = 1; i <= 200; i++) {
        EXPECT_SOON(i == 200 || thread->state == THREAD_BLOCKED);
        /* release: pairs with the acquire in count_wakes */
        atomic_store_release(&wanted, i);
        sched_wake_thread(thread);
        EXPECT_SOON(atomic_load_relaxed(&wakes_seen) == i);
    }
    crew_join(thread);
}

static void be_woken_while_moving(void *member)
{
    struct crew_member *me = member;
    struct ring *ring = me->shared;

    if (me->index == 0) {
        for (uint32_t i = 1; i <= 200; i++) {
            /* acquire: pairs with the releases below */
            while (atomic_load_acquire(&ring->turn) < i) {
                sched_block();
            }
            EXPECT_OK(sched_migrate(i % sched_online_count()));
            atomic_store_relaxed(&ring->started, i); /* relaxed: only the number matters */
        }
        return;
    }
    for (uint32_t i = 1; i <= 200; i++) {
        /* release: publish, then wake; pairs with the acquire above */
        atomic_store_release(&ring->turn, i);
        sched_wake_thread(ring->threads[0]);
        /* From here the next wake-up comes at any moment of the other's move. */
        while (atomic_load_relaxed(&ring->started) + 1 < i) {
            sched_yield();
        }
    }
}

TEST(block, a_wake_up_during_a_move_is_not_lost)
{
    static struct ring ring;
    struct crew_member members[2] = {{0, &ring}, {1, &ring}};

    ring = (struct ring){.members = 2};
    ring.threads[0] = crew_start(crew_core(1), be_woken_while_moving, &members[0]);
    struct thread *waker = crew_start(crew_core(2), be_woken_while_moving, &members[1]);
    crew_join(waker);
    EXPECT_EQ(crew_join(ring.threads[0]), 0);
    EXPECT_EQ(ring.started, 200);
}
