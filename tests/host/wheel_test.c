/* SPDX-License-Identifier: MIT */
/*
 * The timing wheel against a heap of the same moments. BATON_RANDOM_ROUNDS says how many random
 * operations, BATON_RANDOM_SEED where the random numbers begin.
 */
#include "sched/wheel.h"

#include <stdlib.h>
#include <string.h>

#include "arch/timer.h"
#include "tests/test.h"

#define ARMED 100000U
#define ROUNDS 600000U
#define DIGIT(level) (1UL << WHEEL_DIGIT_BITS * (level))

static struct wheel wheel;

struct entry {
    struct timeout timeout;
    nsec_t moment;   /* when it is due: not before the wheel's clock at its arming */
    uint64_t number; /* of its arming, 0 while it is not armed */
};

/* The heap's own copy: stale once the entry has another number. */
struct due {
    nsec_t moment;
    uint64_t number;
    struct entry *entry;
};

static struct entry entries[ARMED];
static struct due heap[4 * ARMED];
static size_t heap_size;
static uint64_t armings;
static uint64_t cancels;
static uint64_t armed;

static bool is_before(const struct due *a, const struct due *b)
{
    return a->moment != b->moment ? a->moment < b->moment : a->number < b->number;
}

static void swap_due(size_t a, size_t b)
{
    struct due held = heap[a];

    heap[a] = heap[b];
    heap[b] = held;
}

static void sink(size_t at)
{
    for (size_t least = at;; at = least) {
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < heap_size; child++) {
            least = is_before(&heap[child], &heap[least]) ? child : least;
        }
        if (least == at) {
            return;
        }
        swap_due(at, least);
    }
}

/* Throws out what is stale when the array is full. */
static void sweep(void)
{
    size_t kept = 0;

    for (size_t i = 0; i < heap_size; i++) {
        if (heap[i].number == heap[i].entry->number) {
            heap[kept++] = heap[i];
        }
    }
    heap_size = kept;
    for (size_t i = kept / 2 + 1; i-- > 0;) {
        sink(i);
    }
}

static void heap_push(struct entry *entry)
{
    if (heap_size == ARRAY_SIZE(heap)) {
        sweep();
    }
    heap[heap_size] = (struct due){entry->moment, entry->number, entry};
    for (size_t at = heap_size++; at > 0 && is_before(&heap[at], &heap[(at - 1) / 2]);
         at = (at - 1) / 2) {
        swap_due(at, (at - 1) / 2);
    }
}

static struct due *heap_first(void)
{
    while (heap_size > 0 && heap[0].number != heap[0].entry->number) {
        swap_due(0, --heap_size);
        sink(0);
    }
    return heap_size == 0 ? NULL : &heap[0];
}

static void arm(struct entry *entry, nsec_t when)
{
    entry->moment = max_u64(when, wheel.clock);
    entry->number = ++armings;
    entry->timeout.when = when;
    heap_push(entry);
    armed++;
    if (when > wheel.open) { /* as timeout_arm does it */
        wheel_insert(&wheel, &entry->timeout, when);
    } else {
        wheel_insert_slow(&wheel, &entry->timeout);
    }
}

static void cancel(struct entry *entry)
{
    armed -= entry->number != 0;
    cancels++;
    entry->number = 0;
    if (wheel_remove(&wheel, &entry->timeout)) {
        wheel_update(&wheel);
    }
    EXPECT_TRUE(entry->timeout.link.next == NULL);
}

/* At most `steps` of them; what comes out is the heap's first, and due. True if there is more. */
static bool run(nsec_t now, unsigned steps, bool on_time)
{
    struct timeout *timeout;
    bool more = true;

    for (unsigned i = 0; i < steps && more; i++) {
        more = wheel_step(&wheel, now, &timeout);
        if (timeout == NULL) {
            continue;
        }
        struct entry *entry = container_of(timeout, struct entry, timeout);
        struct due *first = heap_first();

        EXPECT_TRUE(first != NULL && first->entry == entry);
        EXPECT_TRUE(entry->moment <= now && (!on_time || entry->moment == now));
        EXPECT_TRUE(timeout->link.next == NULL);
        entry->number = 0;
        armed--;
    }
    wheel_update(&wheel);
    return more;
}

static void expect_first(void)
{
    struct due *first = heap_first();

    EXPECT_TRUE(first == NULL ? wheel.first == TIMER_NEVER : wheel.first <= first->moment);
}

/* As a core does that sleeps until its timer fires; how often it was woken. */
static unsigned sleep_through(nsec_t until)
{
    unsigned wakes = 0;

    while (wheel.first <= until) {
        nsec_t now = wheel.first;

        wakes++;
        while (run(now, 32, true)) {
        }
        EXPECT_TRUE(wheel.first > now);
        expect_first();
    }
    return wakes;
}

static void begin(nsec_t now)
{
    memset(entries, 0, sizeof(entries));
    heap_size = 0;
    armings = cancels = armed = 0;
    wheel_init(&wheel);
    (void)run(now, 1, false);
    EXPECT_EQ(wheel.clock, now);
    EXPECT_EQ(wheel.first, TIMER_NEVER);
}

static void expect_empty(void)
{
    EXPECT_EQ(wheel.first, TIMER_NEVER);
    EXPECT_EQ(armed, 0);
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        EXPECT_EQ(wheel.occupied[level], 0);
    }
    for (unsigned i = 0; i < WHEEL_ALL_SLOTS; i++) {
        EXPECT_TRUE(list_is_empty(&wheel.slots[i].entries));
    }
    EXPECT_TRUE(list_is_empty(&wheel.moving.entries) && !wheel.is_moving);
}

TEST(wheel, one_alone_wakes_the_core_once_at_its_very_moment)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        for (nsec_t now = 0; now < 3 * DIGIT(3); now = now * 7 + 61) {
            nsec_t when = now + (1UL << bit);

            if (when > now && when < TIMER_NEVER) {
                begin(now);
                arm(&entries[0], when);
                EXPECT_EQ(wheel.first, when);
                EXPECT_EQ(sleep_through(when - 1), 0);
                EXPECT_EQ(armed, 1);
                EXPECT_EQ(sleep_through(TIMER_NEVER - 1), 1);
                expect_empty();
            }
        }
    }
}

TEST(wheel, moments_around_each_digit_fire_in_order_and_wake_the_core_once_each)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        const nsec_t around[] = {DIGIT(level) - 1, DIGIT(level),     DIGIT(level) + 1,
                                 3 * DIGIT(level), 7 * DIGIT(level), 15 * DIGIT(level) + 3};

        for (unsigned early = 0; early < 4; early++) {
            nsec_t now = early == 0 ? 0 : DIGIT(level) - (early < DIGIT(level) ? early : 1);
            unsigned count = 0;

            begin(now);
            for (unsigned i = ARRAY_SIZE(around); i-- > 0;) {
                if (around[i] > now) {
                    arm(&entries[count++], around[i]);
                    arm(&entries[count++], around[i]);
                }
            }
            EXPECT_EQ(sleep_through(TIMER_NEVER - 1), count / 2);
            expect_empty();
        }
    }
}

TEST(wheel, equal_moments_fire_in_the_order_of_arming_from_whatever_level_they_came)
{
    nsec_t when = 3 * DIGIT(7) + 5 * DIGIT(4) + 17;
    unsigned count = 0;

    begin(0);
    /* The clock comes nearer level by level: each time one more of the same moment. */
    for (nsec_t ahead = when; ahead > 0; ahead /= 3) {
        while (run(when - ahead, 32, false)) {
        }
        arm(&entries[count++], when);
    }
    EXPECT_EQ(sleep_through(when), 1);
    expect_empty();
}

TEST(wheel, one_armed_for_the_past_is_due_at_once_behind_those_that_are)
{
    begin(1000);
    arm(&entries[0], 1100);
    arm(&entries[1], 1100);
    (void)run(1100, 2, true); /* the slot moves, and the first fires */
    arm(&entries[2], 7);
    arm(&entries[3], 1100);
    arm(&entries[4], 0);
    EXPECT_EQ(wheel.first, 1100);
    EXPECT_EQ(sleep_through(1100), 1);
    arm(&entries[5], 3);
    EXPECT_EQ(wheel.first, 1100);
    EXPECT_EQ(sleep_through(1100), 1);
    expect_empty();
}

TEST(wheel, what_is_armed_and_cancelled_while_entries_move_keeps_the_order)
{
    begin(0);
    for (unsigned i = 0; i < 80; i++) {
        arm(&entries[i], DIGIT(5) + i % 10 * DIGIT(3));
    }
    for (unsigned i = 80; i < 110; i++) {
        EXPECT_TRUE(run(DIGIT(5), 1, true));
        EXPECT_TRUE(wheel.is_moving);
        arm(&entries[i], DIGIT(5) + i % 10 * DIGIT(3));
        cancel(&entries[i * 13 % 80]);
        EXPECT_EQ(wheel.first, DIGIT(5));
    }
    EXPECT_EQ(sleep_through(TIMER_NEVER - 1), 10); /* all moments, the first one once more */
    expect_empty();

    /* All that move are cancelled. */
    arm(&entries[0], wheel.clock + DIGIT(2));
    arm(&entries[1], wheel.clock + DIGIT(2));
    (void)run(wheel.first, 1, true);
    cancel(&entries[0]);
    cancel(&entries[1]);
    cancel(&entries[1]);
    EXPECT_EQ(sleep_through(wheel.clock), 1);
    expect_empty();
}

TEST(wheel, cancelling_the_last_of_a_slot_leaves_nothing_to_wake_for)
{
    begin(12345);
    arm(&entries[0], 12345 + DIGIT(5));
    arm(&entries[1], 12345 + DIGIT(3));
    EXPECT_EQ(wheel.first, 12345 + DIGIT(3));
    cancel(&entries[1]);
    EXPECT_EQ(wheel.first, 12345 + DIGIT(5));
    cancel(&entries[0]);
    expect_empty();
}

static uint64_t random_state;

static uint64_t next_random(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state * 0x2545f4914f6cdd1dUL;
}

/* Any magnitude below 2^bits, now and then a round number. */
static uint64_t random_span(unsigned bits)
{
    uint64_t random = next_random();
    uint64_t span = next_random() >> (64 - 1 - random % (bits - 1));

    return (random >> 32) % 8 == 0 ? span & ~(span >> 3) : span;
}

static void arm_or_cancel_at_random(nsec_t now, unsigned bits)
{
    struct entry *entry = &entries[next_random() % ARMED];

    if (entry->number != 0 && next_random() % 2 == 0) {
        cancel(entry);
    } else if (entry->number == 0) {
        uint64_t span = random_span(bits);
        bool is_past = next_random() % 32 == 0;

        arm(entry, is_past ? now - min_u64(span, now) : min_u64(now + span, TIMER_NEVER - 1));
    }
}

/* From all armed until the wheel is empty. */
static unsigned live(uint64_t rounds, unsigned bits)
{
    nsec_t now = wheel.clock;
    unsigned useless = 0;

    for (unsigned i = 0; i < ARMED; i++) {
        arm(&entries[i], now + random_span(bits));
    }
    for (uint64_t i = 0; i < rounds; i++) {
        uint64_t choice = next_random() % 256;

        arm_or_cancel_at_random(now, bits);
        if (choice < 8 && wheel.first != TIMER_NEVER) {
            /* the timer fires on time */
            uint64_t before = armed;

            now = max_u64(now, wheel.first);
            while (run(now, 32, false)) {
            }
            useless += before == armed;
        } else if (choice == 8) {
            now += random_span(bits); /* interrupts were off for long */
        } else if (choice < 64) {
            (void)run(now, (unsigned)(next_random() % 64), false); /* a part of what is due */
        }
        if (choice % 16 == 0) {
            expect_first();
        }
    }
    while (run(now, 32, false)) {
    }
    (void)sleep_through(TIMER_NEVER - 1);
    return useless;
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

TEST(wheel, random_operations_agree_with_a_heap)
{
    static const unsigned magnitudes[] = {8, 14, 24, 32, 40, 58};
    uint64_t rounds = from_environment("BATON_RANDOM_ROUNDS", ROUNDS);

    random_state = from_environment("BATON_RANDOM_SEED", 1) * 0x9e3779b97f4a7c15UL;
    for (unsigned i = 0; i < ARRAY_SIZE(magnitudes); i++) {
        begin(next_random() >> (64 - magnitudes[i]));
        EXPECT_TRUE(live(rounds / ARRAY_SIZE(magnitudes), magnitudes[i]) <= cancels);
        expect_empty();
    }
}

TEST(wheel, a_hundred_thousand_fire_in_order_and_each_moves_ten_times_at_most)
{
    struct timeout *timeout;
    uint64_t steps = 0;

    begin(0);
    random_state = 42;
    for (unsigned i = 0; i < ARMED; i++) {
        arm(&entries[i], DIGIT(6) + next_random() % (64 * DIGIT(5)));
    }
    for (nsec_t now = wheel.first; now != TIMER_NEVER; now = wheel.first) {
        while (wheel_step(&wheel, now, &timeout)) {
            steps++;
            if (timeout != NULL) {
                struct entry *entry = container_of(timeout, struct entry, timeout);

                EXPECT_TRUE(heap_first()->entry == entry && entry->moment == now);
                entry->number = 0;
                armed--;
            }
        }
        wheel_update(&wheel);
    }
    EXPECT_TRUE(steps < ARMED * (WHEEL_LEVELS + 1UL));
    expect_empty();
}
