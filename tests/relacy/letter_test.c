/* SPDX-License-Identifier: MIT */
/*
 * Letters among callers: one thread sends, one calls, one is the courier of both.
 *
 * Pretended: memory of letters, and the set of pending ports, which is one word. The rest is
 * baton_test.c's.
 */
#include "ipc/letter.h"

#include "ipc/courier.h"
#include "ipc/line.h"
#include "kernel/base/atomic.h"
#include "tests/relacy/baton_world.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

#define LETTERS 2U

static struct letter letters[LETTERS];
static uint32_t posted;    /* the port is in the set of pending ones */
static uint32_t delivered; /* letters that were run, or refused */

/* All cores have one courier here. The real one is on the core of who posts, so it sees what that one saw: the same
 * word, or a newer one. */
void courier_post(struct port *port)
{
    (void)port;
    /* release: as said; pairs with the swap in was_posted */
    atomic_store_release(&posted, 1U);
}

void courier_hurry(struct port *port, uint32_t rank)
{
    (void)rank;
    courier_post(port);
}

void letter_begin(struct port *port, struct letter *letter, struct baton_work *work)
{
    (void)port;
    work->message = letter->message;
    work->is_letter = true;
    letter->message.word[0] = 0; /* it is freed */
}

void letter_end(const struct baton_work *work, status_t status)
{
    (void)work;
    (void)status;
    /* relaxed: a count */
    atomic_add_relaxed(&delivered, 1U);
}

void letter_refuse(struct port *port, struct letter *letter, status_t reason)
{
    (void)port;
    (void)reason;
    letter->message.word[0] = 0;
    /* relaxed: a count */
    atomic_add_relaxed(&delivered, 1U);
}

static void set_up_letters(void)
{
    baton_set_up();
    posted = delivered = 0;
}

static void send_letters(struct port *port)
{
    for (unsigned i = 0; i < LETTERS; i++) {
        letters[i] = (struct letter){.record = {.is_letter = true, .posted = true},
                                     .message = {.word = {100 + i, 0}}};
        switch (line_add_letter(&port->word, &letters[i].record)) {
        case LINE_BEHIND:
            courier_post(port);
            break;
        case LINE_CLOSED:
            letter_refuse(port, &letters[i], ERR_STALE);
            break;
        default:
            break;
        }
    }
}

static bool was_posted(void)
{
    /* acquire: see courier_post; pairs with it */
    return atomic_swap_acquire(&posted, 0U) != 0;
}

static void be_courier(struct port *port)
{
    struct baton_work work;

    /* relaxed: a count */
    while (atomic_load_relaxed(&delivered) < LETTERS) {
        if (was_posted() && baton_take_for_line(port)) {
            while (baton_next(
                port, model_choose(4) != 0 ? BATON_SERVES_LETTERS : BATON_SERVES_NOBODY, &work)) {
                MODEL_CHECK(work.message.word[0] >= 100);
                baton_run(port, &work.message);
                baton_ran[2]++;
                baton_answer(&work, OK);
            }
        }
        model_yield();
    }
}

static void send_call_deliver(unsigned self)
{
    if (self == 0) {
        send_letters(&baton_ports[0]);
    } else if (self == 1) {
        baton_call(&baton_ports[0], self, 0, DEADLINE_NONE);
        baton_call(&baton_ports[0], self, 0, SOME_DEADLINE);
    } else {
        be_courier(&baton_ports[0]);
        /* A caller may wait behind the last letter. */
        /* relaxed: the compare-and-swap of the take looks again */
        while (atomic_load_relaxed(&baton_ports[0].word) != 0) {
            if (was_posted() && baton_take_for_line(&baton_ports[0])) {
                struct baton_work work;

                MODEL_CHECK(!baton_next(&baton_ports[0], BATON_SERVES_LETTERS, &work));
            }
            model_yield();
        }
    }
}

static void letters_ran(void)
{
    baton_settled();
    MODEL_CHECK(delivered == LETTERS && baton_ran[2] == LETTERS);
}

MODEL_TEST(baton_letters_and_a_caller, .threads = CALLERS, .rounds = 20000,
           .before = set_up_letters, .thread = send_call_deliver, .after = letters_ran,
           .resume = machine_resume);
