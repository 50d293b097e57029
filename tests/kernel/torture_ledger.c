/* SPDX-License-Identifier: MIT */
/*
 * For each slot of a life two bytes a request: how often it was run, and what its caller was told. A run
 * may be noted after the outcome when its caller did not wait for it: then only a reason that lets a run go on is
 * right.
 */
#include "tests/kernel/torture_ledger.h"

#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/base/print.h"
#include "kernel/sync/spinlock.h"
#include "mm/spmalloc.h"
#include "ipc/name.h"
#include "tests/kernel/ports.h"
#include "tests/test.h"
#include "user/programs/call-user/protocol.h"

struct entry {
    uint8_t runs;
    bool has_outcome;
    int16_t outcome; /* a status */
};

struct life {
    uint32_t number;
    struct entry *entries;
};

static struct spinlock ledger_lock = SPINLOCK_INIT("ledger"); /* guards all below */
static struct life lives[LEDGER_SLOTS];
static uint32_t last_life;
static uint64_t outcomes[-ERR_LAST + 1];
static uint64_t late_runs;
static uint64_t old_notes; /* about lives that were over */
static struct port *service;

/* NULL: of a life that is over. */
static struct entry *entry_of_locked(uint64_t request)
{
    uint32_t number = (uint32_t)(request >> 32);
    uint32_t count = (uint32_t)request;
    struct life *life = &lives[number % LEDGER_SLOTS];

    if (life->number != number) {
        old_notes++;
        return NULL;
    }
    EXPECT_TRUE(count < LEDGER_REQUESTS);
    return count < LEDGER_REQUESTS ? &life->entries[count] : NULL;
}

/* Who was told this was told that the request is not run and will not be. */
static bool is_refusal(status_t status)
{
    return status == ERR_WOULD_BLOCK || status == ERR_STALE || status == ERR_DEADLOCK ||
           status == ERR_DEPTH;
}

/* What a call may come to, besides OK. */
static bool is_reason(status_t status)
{
    return is_refusal(status) || status == ERR_TIMED_OUT || status == ERR_PEER_DIED ||
           status == ERR_CANCELLED;
}

status_t ledger_note_run(uint64_t request)
{
    uint64_t state = spin_lock_save(&ledger_lock);
    struct entry *entry = entry_of_locked(request);
    status_t status = OK;
    bool right = true;

    if (entry != NULL) {
        status = entry->runs == 0 ? OK : ERR_EXISTS;
        entry->runs++;
        if (entry->has_outcome) {
            late_runs++;
            right = !is_refusal(entry->outcome) && entry->outcome != OK;
        }
    }
    spin_unlock_restore(&ledger_lock, state);
    EXPECT_OK(status);
    EXPECT_TRUE(right);
    return status;
}

void ledger_note_outcome(uint64_t request, status_t status, uint64_t reply)
{
    uint64_t state = spin_lock_save(&ledger_lock);
    struct entry *entry = entry_of_locked(request);
    struct entry seen = {0};

    if (entry != NULL) {
        seen = *entry;
        entry->has_outcome = true;
        entry->outcome = (int16_t)status;
        if (status <= OK && status >= ERR_LAST) {
            outcomes[-status]++;
        }
    }
    spin_unlock_restore(&ledger_lock, state);
    if (entry == NULL) {
        return;
    }
    EXPECT_TRUE(!seen.has_outcome);
    if (status == OK) {
        EXPECT_EQ(seen.runs, 1);
        EXPECT_EQ(reply, request ^ SERVER_SEAL);
    } else {
        EXPECT_TRUE(is_reason(status));
        EXPECT_TRUE(seen.runs <= (is_refusal(status) ? 0 : 1));
    }
}

uint32_t ledger_begin_life(unsigned slot)
{
    uint64_t state = spin_lock_save(&ledger_lock);

    BUG_ON(slot >= LEDGER_SLOTS);
    lives[slot].number = ++last_life * LEDGER_SLOTS + slot;
    memset(lives[slot].entries, 0, LEDGER_REQUESTS * sizeof(struct entry));
    spin_unlock_restore(&ledger_lock, state);
    return lives[slot].number;
}

static void serve(struct request *request)
{
    struct message *message = request->message;
    status_t status = OK;

    if (message_label(message->tag) == LEDGER_RUN) {
        status = ledger_note_run(message->word[0]);
    } else {
        ledger_note_outcome(message->word[0], (status_t)message->word[1], message->word[2]);
    }
    request_reply(request, status, 0);
}

void ledger_open(void)
{
    for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
        lives[i].entries = spmalloc(&kernel_account, LEDGER_REQUESTS * sizeof(struct entry));
        BUG_ON(lives[i].entries == NULL);
        lives[i].number = 0;
    }
    memset(outcomes, 0, sizeof(outcomes));
    late_runs = old_notes = 0;
    service = ports_make_combining(serve, NULL);
    EXPECT_OK(name_register(LEDGER_NAME, strlen(LEDGER_NAME), service));
}

void ledger_close(void)
{
    ports_close(service);
    for (unsigned i = 0; i < LEDGER_SLOTS; i++) {
        spmalloc_free(lives[i].entries);
    }
}

uint64_t ledger_count(void)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(outcomes); i++) {
        sum += outcomes[i];
    }
    return sum;
}

void ledger_print(void)
{
    static const struct {
        status_t status;
        const char *name;
    } names[] = {
        {OK, "answered"},           {ERR_WOULD_BLOCK, "busy"},    {ERR_TIMED_OUT, "timed out"},
        {ERR_STALE, "closed"},      {ERR_PEER_DIED, "peer died"}, {ERR_CANCELLED, "cancelled"},
        {ERR_DEADLOCK, "deadlock"}, {ERR_DEPTH, "too deep"},
    };

    print("torture ledger: %lu requests:", ledger_count());
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        print(" %lu %s,", outcomes[-names[i].status], names[i].name);
    }
    print(" %lu run after their caller left, %lu notes of past lives\n", late_runs, old_notes);
}
