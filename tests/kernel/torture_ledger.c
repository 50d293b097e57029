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
    uint8_t kind;    /* 0: no outcome yet; else 1 more than the enum request_kind */
    int16_t outcome; /* a status */
};

struct life {
    uint32_t number;
    struct entry *entries;
};

static struct spinlock ledger_lock = SPINLOCK_INIT("ledger"); /* guards all below */
static struct life lives[LEDGER_SLOTS];
static uint32_t last_life;
static uint64_t outcomes[REQUEST_KINDS][-ERR_LAST + 1];
static uint64_t runs[REQUEST_KINDS]; /* of requests with an outcome */
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
static bool is_refusal(uint64_t kind, status_t status)
{
    switch (status) {
    case ERR_WOULD_BLOCK:
        return kind != REQUEST_RESULT && kind != REQUEST_ANSWER; /* there it was not waited for */
    case ERR_STALE:
    case ERR_DEADLOCK:
    case ERR_DEPTH:
        return true;
    case ERR_BAD_HANDLE: /* it was revoked before */
        return true;
    case ERR_NO_SPACE:
    case ERR_NO_MEMORY:
    case ERR_TIMED_OUT:
    case ERR_PEER_DIED:
    case ERR_CANCELLED:
        return kind == REQUEST_LETTER;
    default:
        return false;
    }
}

/* What a request may come to, besides OK. */
static bool is_reason(uint64_t kind, status_t status)
{
    return is_refusal(kind, status) || status == ERR_TIMED_OUT || status == ERR_PEER_DIED ||
           status == ERR_CANCELLED || status == ERR_WOULD_BLOCK;
}

/* How often a request with this outcome has been run: so often at least, ... */
static unsigned least_runs(uint64_t kind, status_t status)
{
    return status == OK && kind != REQUEST_LETTER ? 1 : 0;
}

/* ... and at most. */
static unsigned most_runs(uint64_t kind, status_t status)
{
    return is_refusal(kind, status) ? 0 : 1;
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
        if (entry->kind != 0) {
            late_runs++;
            runs[entry->kind - 1]++;
            right = least_runs(entry->kind - 1U, entry->outcome) == 0 &&
                    most_runs(entry->kind - 1U, entry->outcome) == 1;
        }
    }
    spin_unlock_restore(&ledger_lock, state);
    EXPECT_OK(status);
    EXPECT_TRUE(right);
    return status;
}

void ledger_note_outcome(uint64_t request, status_t status, uint64_t reply)
{
    ledger_note_outcome_of(REQUEST_CALL, request, status, reply);
}

void ledger_note_outcome_of(uint64_t kind, uint64_t request, status_t status, uint64_t reply)
{
    uint64_t state = spin_lock_save(&ledger_lock);
    struct entry *entry = entry_of_locked(request);
    struct entry seen = {0};

    if (entry != NULL) {
        seen = *entry;
        entry->kind = (uint8_t)(kind + 1);
        entry->outcome = (int16_t)status;
        runs[kind] += seen.runs;
        if (status <= OK && status >= ERR_LAST) {
            outcomes[kind][-status]++;
        }
    }
    spin_unlock_restore(&ledger_lock, state);
    if (entry == NULL) {
        return;
    }
    EXPECT_EQ(seen.kind, 0);
    EXPECT_TRUE(seen.runs >= least_runs(kind, status));
    EXPECT_TRUE(seen.runs <= most_runs(kind, status));
    if (status != OK) {
        if (!is_reason(kind, status)) {
            print("# kind %lu came to %ld\n", kind, status);
        }
        EXPECT_TRUE(is_reason(kind, status));
    } else if (kind != REQUEST_LETTER) {
        EXPECT_EQ(reply, request ^ SERVER_SEAL);
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
    } else if (message->word[3] < REQUEST_KINDS) {
        ledger_note_outcome_of(message->word[3], message->word[0], (status_t)message->word[1],
                               message->word[2]);
    } else {
        EXPECT_TRUE(false);
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
    memset(runs, 0, sizeof(runs));
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

uint64_t ledger_count_of(unsigned kind, status_t status)
{
    return outcomes[kind][-status];
}

static uint64_t count_kind(unsigned kind)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(outcomes[kind]); i++) {
        sum += outcomes[kind][i];
    }
    return sum;
}

uint64_t ledger_count(void)
{
    uint64_t sum = 0;

    for (unsigned kind = 0; kind < REQUEST_KINDS; kind++) {
        sum += count_kind(kind);
    }
    return sum;
}

static void print_kind(unsigned kind)
{
    static const char *const kinds[REQUEST_KINDS] = {"calls",           "calls of mailboxes",
                                                     "long calls",      "letters",
                                                     "service results", "mailbox results"};
    static const struct {
        status_t status;
        const char *name;
    } names[] = {
        {OK, "answered"},           {ERR_WOULD_BLOCK, "busy"},    {ERR_TIMED_OUT, "timed out"},
        {ERR_STALE, "closed"},      {ERR_PEER_DIED, "peer died"}, {ERR_CANCELLED, "cancelled"},
        {ERR_DEADLOCK, "deadlock"}, {ERR_DEPTH, "too deep"},      {ERR_BAD_HANDLE, "revoked"},
        {ERR_NO_SPACE, "no space"}, {ERR_NO_MEMORY, "no memory"},
    };

    print("torture ledger: %lu %s, %lu runs:", count_kind(kind), kinds[kind], runs[kind]);
    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (outcomes[kind][-names[i].status] > 0) {
            print(" %lu %s,", outcomes[kind][-names[i].status], names[i].name);
        }
    }
    print(" no other\n");
}

void ledger_print(void)
{
    for (unsigned kind = 0; kind < REQUEST_KINDS; kind++) {
        if (count_kind(kind) > 0) {
            print_kind(kind);
        }
    }
    print("torture ledger: %lu requests, %lu run after their outcome, %lu notes of past lives\n",
          ledger_count(), late_runs, old_notes);
}
