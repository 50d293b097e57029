/* SPDX-License-Identifier: MIT */
#include "user/programs/bench/signal.h"

#include <inttypes.h>
#include <stdio.h>

#include "user/lib/baton.h"
#include "user/programs/bench/measure.h"

/* Two threads and what they signal. */
static struct {
    handle_t ping;
    handle_t pong;
    uint64_t core; /* where the partner runs */
    bool failed;
} game;

/* Answers each signal by another, until its notification is closed. */
static int answer(void *argument)
{
    uint64_t bits;

    (void)argument;
    thread_migrate(game.core);
    while (notification_wait(game.ping, 0, DEADLINE_NONE, &bits) == OK) {
        notification_signal(game.pong, 1);
    }
    return 0;
}

/* Only waits again. */
static int listen(void *argument)
{
    uint64_t bits;

    (void)argument;
    thread_migrate(game.core);
    while (notification_wait(game.ping, 0, DEADLINE_NONE, &bits) == OK) {
    }
    return 0;
}

static bool begin(const char *id, struct thread *thread, thread_fn partner, uint64_t core)
{
    game.ping = (handle_t)notification_create();
    game.pong = (handle_t)notification_create();
    game.core = core;
    game.failed = false;
    thread_migrate(0);
    status_t status = thread_start(thread, partner, NULL);

    if (status != OK) {
        measure_fail(id, status_text(status));
    }
    return status == OK;
}

static void end(const char *id, struct thread *thread)
{
    notification_close(game.ping);
    thread_join(thread);
    notification_close(game.pong);
    if (game.failed) {
        measure_fail(id, "a signal or a wait failed");
    }
}

static inline void play(void)
{
    uint64_t bits;

    game.failed |= notification_signal(game.ping, 1) != OK;
    game.failed |= notification_wait(game.pong, 0, DEADLINE_NONE, &bits) != OK;
}

void bench_signal_wait_pingpong(const char *id)
{
    struct thread thread;

    if (begin(id, &thread, answer, 0)) {
        MEASURE(id, 1, play());
        end(id, &thread);
    }
}

void bench_signal_to_higher(const char *id)
{
    struct thread thread;

    if (begin(id, &thread, listen, 0)) {
        game.failed |= thread_set_priority(thread.handle, 10) != OK;
        for (int i = 0; i < 10; i++) { /* it gets to its core, and waits */
            thread_yield();
        }
        MEASURE(id, 1, game.failed |= notification_signal(game.ping, 1) != OK);
        end(id, &thread);
    }
}

/* Nobody waits, ever. */
void bench_signal_nobody(const char *id)
{
    handle_t notification = (handle_t)notification_create();
    bool failed = false;

    MEASURE(id, 1, failed |= notification_signal(notification, 1) != OK);
    notification_close(notification);
    if (failed) {
        measure_fail(id, "a signal failed");
    }
}

/* Both cores sleep between their turns, so it is time that counts, and idling belongs to it. */
void bench_xcore_signal_rt(const char *id)
{
    struct thread thread;

    if (!begin(id, &thread, answer, 1)) {
        return;
    }
    for (int turn = 0; turn < MEASURE_WARM_UP; turn++) {
        play();
    }
    uint64_t start = clock_ns();

    for (int turn = 0; turn < MEASURE_LOOPS; turn++) {
        play();
    }
    uint64_t total = clock_ns() - start;

    end(id, &thread);
    printf("bench %s %" PRIu64 " ns\n", id, (total + MEASURE_LOOPS / 2) / MEASURE_LOOPS);
}
