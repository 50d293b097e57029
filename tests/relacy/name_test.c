/* SPDX-License-Identifier: MIT */
/*
 * Look-ups in a table of names while names come and go, and while its array is replaced. All hashes meet in one
 * bucket of the first array. Memory that was removed or replaced is kept: grace periods are epoch.pml's.
 *
 * COVERS ipc/name_table.c
 */

#include <string.h>

#include "ipc/name_table.h"
#include "kernel/base/atomic.h"
#include "kernel/sync/spinlock.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

#define ENTRIES 4U
#define FIRST 1U /* there at first, goes */
#define STAYS 2U /* there all the time */
#define COMES 3U
#define BUCKETS 2U
#define WAITED 20U

/* Both end in an array of variable size. */
static uint64_t entries[ENTRIES][sizeof(struct name_entry) / 8 + 1];
static uint64_t arrays[2][sizeof(struct name_array) / 8 + 2 * BUCKETS];
static struct name_table table;
static struct spinlock lock;
static uint32_t gone; /* FIRST has been removed */

static struct name_entry *entry_of(unsigned i)
{
    return (struct name_entry *)entries[i];
}

static void fill(unsigned i)
{
    struct name_entry *entry = entry_of(i);

    entry->hash = i * BUCKETS; /* bucket 0 of 2; 0 or 2 of 4 */
    entry->bytes = 1;
    entry->text[0] = (char)('0' + i);
}

static struct name_entry *find(unsigned i)
{
    char text = (char)('0' + i);

    return name_table_find(&table, &text, 1, i * BUCKETS);
}

static void set_up(void)
{
    machine_set_up(NULL);
    memset(entries, 0, sizeof(entries));
    memset(arrays, 0, sizeof(arrays));
    lock.held = 0;
    gone = 0;
    name_table_init(&table, (struct name_array *)arrays[0], BUCKETS);
    fill(STAYS);
    fill(FIRST);
    (void)name_table_add(&table, entry_of(STAYS));
    (void)name_table_add(&table, entry_of(FIRST));
}

static void resize(void)
{
    name_table_begin(&table, (struct name_array *)arrays[1], 2 * BUCKETS);
    spin_unlock(&lock);
    spin_lock(&lock);
    while (name_table_step(&table) == NULL) {
    }
}

static void look(void)
{
    /* acquire: what the remover did is seen; pairs with change */
    bool was_gone = atomic_load_acquire(&gone) != 0;

    MODEL_CHECK(find(STAYS) == entry_of(STAYS));
    struct name_entry *found = find(FIRST);
    MODEL_CHECK(found == NULL || (found == entry_of(FIRST) && !was_gone));
    found = find(COMES);
    MODEL_CHECK(found == NULL || found == entry_of(COMES));
}

static void change(void)
{
    spin_lock(&lock);
    fill(COMES);
    MODEL_CHECK(name_table_add(&table, entry_of(COMES)));
    spin_unlock(&lock);
    spin_lock(&lock);
    name_table_remove(&table, entry_of(COMES));
    name_table_remove(&table, entry_of(FIRST));
    spin_unlock(&lock);
    /* release: whoever knows does not find it; pairs with look */
    atomic_store_release(&gone, 1U);
}

static void change_resize_look(unsigned self)
{
    if (self == 0) {
        change();
    } else if (self == 1) {
        spin_lock(&lock);
        resize();
        spin_unlock(&lock);
    } else {
        look();
    }
}

static void all_is_there(void)
{
    MODEL_CHECK(table.array == (struct name_array *)arrays[1] && table.count == 1);
    MODEL_CHECK(find(STAYS) == entry_of(STAYS) && find(FIRST) == NULL && find(COMES) == NULL);
}

/* One adds behind nothing: what is looked for comes by itself. */
static void set_up_alone(void)
{
    set_up();
    name_table_remove(&table, entry_of(FIRST));
    name_table_remove(&table, entry_of(STAYS));
}

static void put(unsigned i)
{
    spin_lock(&lock);
    fill(i);
    (void)name_table_add(&table, entry_of(i));
    spin_unlock(&lock);
}

/* The newest goes, by another hand, so that the bucket leads to the one before it. */
static void come_and_go(unsigned self)
{
    if (self == 0) {
        put(COMES);
        put(0);
    } else if (self == 1) {
        spin_lock(&lock);
        if (find(0) != NULL) {
            name_table_remove(&table, entry_of(0));
        }
        spin_unlock(&lock);
        atomic_store_relaxed(&gone, 1U); /* relaxed: must order nothing */
    } else {
        for (unsigned i = 0; i < WAITED && atomic_load_relaxed(&gone) == 0; i++) {
            model_yield(); /* so that it often comes last */
        }
        struct name_entry *found = find(COMES);

        MODEL_CHECK(found == NULL || found == entry_of(COMES));
    }
}

MODEL_TEST(name_stays_while_others_change, .threads = 3, .rounds = 2000, .before = set_up,
           .thread = change_resize_look, .after = all_is_there, .resume = machine_resume);

MODEL_TEST(name_comes_while_another_goes, .threads = 3, .rounds = 200, .before = set_up_alone,
           .thread = come_and_go, .resume = machine_resume);
