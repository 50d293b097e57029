/* SPDX-License-Identifier: MIT */
/*
 * The table of names: what it holds against a plain list; and threads that look up while others add, remove and
 * resize. What was removed is freed at the end: grace periods are not what is tested.
 */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/irq.h"
#include "ipc/name_table.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"
#include "tests/test.h"

#define NAMES 2000U
#define ROUNDS 20U
#define READERS 3U
#define TEXT_BYTES 16U

static struct name_table table;
static struct spinlock lock;
static struct name_entry *entries[NAMES]; /* or NULL; under the lock */
static void *kept[ROUNDS * NAMES + 1000];
static unsigned kept_count;
static uint32_t finished;
static uint64_t lookups[READERS]; /* that are over */

static void keep(void *memory)
{
    ASSERT_TRUE(kept_count < ARRAY_SIZE(kept));
    kept[kept_count++] = memory;
}

static struct name_array *make_array(uint64_t buckets)
{
    return calloc(1, name_array_bytes(buckets));
}

/* Every third name stays from the first round on. */
static bool stays(unsigned i)
{
    return i % 3 == 0;
}

static size_t name_text(unsigned i, char text[TEXT_BYTES])
{
    return (size_t)snprintf(text, TEXT_BYTES, "name.%u", i);
}

static struct name_entry *find(unsigned i)
{
    char text[TEXT_BYTES];
    size_t bytes = name_text(i, text);

    return name_table_find(&table, text, bytes, name_hash(text, bytes, 1));
}

static void add(unsigned i)
{
    struct name_entry *entry = malloc(sizeof(*entry) + TEXT_BYTES);

    entry->bytes = name_text(i, entry->text);
    entry->hash = name_hash(entry->text, entry->bytes, 1);
    uint64_t state = spin_lock_save(&lock);
    EXPECT_TRUE(name_table_add(&table, entry));
    entries[i] = entry;
    spin_unlock_restore(&lock, state);
}

static void drop(unsigned i)
{
    uint64_t state = spin_lock_save(&lock);

    name_table_remove(&table, entries[i]);
    keep(entries[i]);
    entries[i] = NULL;
    spin_unlock_restore(&lock, state);
}

/* One step, as whoever changes the table makes it. */
static void resize_some(void)
{
    uint64_t state = spin_lock_save(&lock);
    uint64_t buckets = name_table_wanted_buckets(&table);

    if (buckets != 0) {
        name_table_begin(&table, make_array(buckets), buckets);
    }
    if (table.other != NULL) {
        struct name_array *old = name_table_step(&table);

        if (old != NULL) {
            keep(old);
        }
    }
    spin_unlock_restore(&lock, state);
}

static void begin(void)
{
    finished = 0;
    kept_count = 0;
    spin_lock_init(&lock, "test");
    name_table_init(&table, make_array(NAME_ARRAY_FIRST), NAME_ARRAY_FIRST);
}

static void finish(void)
{
    free(table.array);
    free(table.other);
    for (unsigned i = 0; i < kept_count; i++) {
        free(kept[i]);
    }
    for (unsigned i = 0; i < NAMES; i++) {
        free(entries[i]);
        entries[i] = NULL;
    }
}

TEST(names, the_table_holds_what_was_added_at_every_step_of_a_resize)
{
    begin();
    for (unsigned i = 0; i < NAMES; i++) {
        add(i);
        if (i % 2 == 0) {
            resize_some();
            table.settles = table.settles && i % 16 != 0;
        }
        if (i >= 500 && i % 5 == 0) {
            drop(i - 500);
        }
    }
    for (unsigned i = 0; i < NAMES; i++) {
        EXPECT_TRUE(find(i) == entries[i]);
    }
    EXPECT_TRUE(table.array->mask + 1 >= 1024);
    for (unsigned i = 0; i < NAMES; i++) {
        if (entries[i] != NULL) {
            drop(i);
        }
        name_table_settled(&table);
        resize_some();
    }
    for (unsigned i = 0; i < NAMES; i++) {
        EXPECT_TRUE(find(i) == NULL);
    }
    EXPECT_EQ(table.count, 0);
    EXPECT_EQ(table.array->mask + 1, NAME_ARRAY_FIRST);
    finish();
}

TEST(names, a_chain_has_an_end)
{
    static struct {
        struct name_entry entry;
        char text[8];
    } same[NAME_CHAIN_MAX + 1];

    begin();
    for (unsigned i = 0; i < NAME_CHAIN_MAX; i++) {
        EXPECT_TRUE(name_table_add(&table, &same[i].entry)); /* all have hash 0 */
    }
    EXPECT_TRUE(!name_table_add(&table, &same[NAME_CHAIN_MAX].entry));
    EXPECT_EQ(table.count, NAME_CHAIN_MAX);
    finish();
}

TEST(names, hashes_spread)
{
    static unsigned hits[1024];
    unsigned most = 0;

    for (unsigned i = 0; i < 4096; i++) {
        char text[TEXT_BYTES];
        size_t bytes = name_text(i, text);
        unsigned *hit = &hits[name_hash(text, bytes, 7) % 1024];

        most = ++*hit > most ? *hit : most;
    }
    EXPECT_TRUE(most <= 16);
}

/* A grace period: each reader has ended a look-up that began after the call. */
static void wait_for_readers(void)
{
    for (unsigned i = 0; i < READERS; i++) {
        uint64_t seen = atomic_load_acquire(&lookups[i]); /* acquire: pairs with look */

        while (atomic_load_acquire(&lookups[i]) < seen + 2) { /* acquire: as above */
            sched_yield();
        }
    }
}

static void *change(void *argument)
{
    (void)argument;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < NAMES; i++) {
            if (!stays(i)) {
                if (round % 2 == 0) {
                    add(i);
                } else {
                    drop(i);
                }
            }
            resize_some();
        }
        wait_for_readers();
        uint64_t state = spin_lock_save(&lock);
        name_table_settled(&table);
        spin_unlock_restore(&lock, state);
    }
    atomic_store_relaxed(&finished, 1U); /* relaxed: only ends the others */
    return NULL;
}

static void *look(void *argument)
{
    unsigned self = (unsigned)(uintptr_t)argument;
    unsigned i = self;

    while (atomic_load_relaxed(&finished) == 0) { /* relaxed: as above */
        struct name_entry *found = find(i);

        EXPECT_TRUE(!stays(i) || found != NULL);
        if (found != NULL) {
            char text[TEXT_BYTES];

            EXPECT_EQ(found->bytes, name_text(i, text));
            EXPECT_EQ(memcmp(found->text, text, found->bytes), 0);
        }
        i = (i + 7) % NAMES;
        /* release: the look-up is over; pairs with wait_for_readers */
        (void)atomic_add_release(&lookups[self], 1UL);
    }
    return NULL;
}

TEST(threads, names_are_found_while_others_come_and_go)
{
    pthread_t readers[READERS], writer;

    begin();
    for (unsigned i = 0; i < NAMES; i += 3) {
        add(i);
    }
    EXPECT_EQ(pthread_create(&writer, NULL, change, NULL), 0);
    for (unsigned i = 0; i < READERS; i++) {
        EXPECT_EQ(pthread_create(&readers[i], NULL, look, (void *)(uintptr_t)i), 0);
    }
    pthread_join(writer, NULL);
    for (unsigned i = 0; i < READERS; i++) {
        pthread_join(readers[i], NULL);
    }
    finish();
}
