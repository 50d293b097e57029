/* SPDX-License-Identifier: MIT */
/*
 * Chains that readers walk while entries come and go, and while the array is replaced.
 *
 * Protocol: an entry is complete before a release store makes a bucket or another entry point to it. A
 * removed entry keeps its `next`, so who stands on it finds the rest of its chain; it is freed after a grace
 * period. To resize, each entry is linked a second time, into the chains of the array to come, by its other
 * `next`; so it never leaves the chain that a reader walks. The schedule to beat: a reader stands on an entry
 * that is moved to another bucket, goes on in that bucket's chain, and misses the rest of its own. While the
 * resize goes on, the first `moved` buckets of the array are in the other one, too, and what is added to or
 * removed from one of them is so in both. When all are, a release store makes the other one the array. Readers of
 * the old one go on in it, as if they were done before; until they are, no further resize uses their `next`.
 * Source: Triplett, McKenney and Walpole, Resizable, Scalable, Concurrent Hash Tables (USENIX ATC 2011),
 * and for the two links Herbert Xu's table in Linux.
 */
#include "ipc/name_table.h"

#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/base/atomic.h"

void name_table_init(struct name_table *table, struct name_array *array, uint64_t buckets)
{
    *table = (struct name_table){.array = array};
    array->mask = buckets - 1;
    array->side = 0;
}

static uint64_t mix(uint64_t word)
{
    word ^= word >> 32;
    word *= 0x9e3779b97f4a7c15UL; /* 2^64 divided by the golden ratio: Knuth 3, 6.4 */
    return word ^ (word >> 29);
}

uint64_t name_hash(const char *text, size_t bytes, uint64_t seed)
{
    uint64_t hash = seed ^ bytes;

    while (bytes > 0) {
        size_t part = bytes < sizeof(uint64_t) ? bytes : sizeof(uint64_t);
        uint64_t word = 0;

        for (size_t i = 0; i < part; i++) {
            word = word << 8 | (uint8_t)text[i];
        }
        hash = mix(hash ^ word) * 0xd6e8feb86659fd93UL;
        text += part;
        bytes -= part;
    }
    return mix(hash);
}

struct name_entry *name_table_find(const struct name_table *table, const char *text, size_t bytes,
                                   uint64_t hash)
{
    /* acquire: the array is filled; pairs with name_table_step */
    const struct name_array *array = atomic_load_acquire(&table->array);
    uint64_t side = array->side;
    /* acquire: the entry is complete; pairs with the stores in link_entry and unlink_entry, and with
     * that of the array */
    struct name_entry *entry = atomic_load_acquire(&array->bucket[hash & array->mask]);

    while (entry != NULL && !(entry->hash == hash && entry->bytes == bytes &&
                              memcmp(entry->text, text, bytes) == 0)) {
        /* relaxed: what is behind an entry was there before it, or was when the array was filled */
        entry = atomic_load_relaxed(&entry->next[side]);
    }
    return entry;
}

/* For writers. */
static struct name_array *current(const struct name_table *table)
{
    return atomic_load_relaxed(&table->array); /* relaxed: it changes under the writers' lock */
}

static void link_entry(struct name_array *array, struct name_entry *entry)
{
    struct name_entry **bucket = &array->bucket[entry->hash & array->mask];

    /* relaxed: the bucket changes under the writers' lock; the entry is published below */
    atomic_store_relaxed(&entry->next[array->side], atomic_load_relaxed(bucket));
    /* release: the entry is complete, and so are those behind it; pairs with name_table_find */
    atomic_store_release(bucket, entry);
}

static void unlink_entry(struct name_array *array, const struct name_entry *entry)
{
    struct name_entry **place = &array->bucket[entry->hash & array->mask];

    /* relaxed: chains change under the writers' lock */
    while (atomic_load_relaxed(place) != entry) {
        place = &atomic_load_relaxed(place)->next[array->side];
    }
    /* release: a reader may come to the next entry by this store; pairs with name_table_find */
    atomic_store_release(place, atomic_load_relaxed(&entry->next[array->side]));
}

static bool is_moved(const struct name_table *table, const struct name_entry *entry)
{
    return table->other != NULL && (entry->hash & current(table)->mask) < table->moved;
}

static uint32_t chain_length(const struct name_array *array, uint64_t hash)
{
    uint32_t length = 0;

    /* relaxed: chains change under the writers' lock */
    for (const struct name_entry *entry = atomic_load_relaxed(&array->bucket[hash & array->mask]);
         entry != NULL; entry = atomic_load_relaxed(&entry->next[array->side])) {
        length++;
    }
    return length;
}

bool name_table_add(struct name_table *table, struct name_entry *entry)
{
    if (chain_length(current(table), entry->hash) >= NAME_CHAIN_MAX ||
        (table->other != NULL && chain_length(table->other, entry->hash) >= NAME_CHAIN_MAX)) {
        return false;
    }
    if (is_moved(table, entry)) {
        link_entry(table->other, entry);
    }
    link_entry(current(table), entry);
    table->count++;
    return true;
}

void name_table_remove(struct name_table *table, struct name_entry *entry)
{
    unlink_entry(current(table), entry);
    if (is_moved(table, entry)) {
        unlink_entry(table->other, entry);
    }
    table->count--;
}

uint64_t name_table_wanted_buckets(const struct name_table *table)
{
    uint64_t buckets = current(table)->mask + 1;

    if (table->other != NULL || table->settles) {
        return 0;
    }
    if (table->count > buckets) {
        return buckets * 2;
    }
    return buckets > NAME_ARRAY_FIRST && table->count < buckets / 4 ? buckets / 2 : 0;
}

void name_table_begin(struct name_table *table, struct name_array *array, uint64_t buckets)
{
    ASSERT(table->other == NULL && !table->settles);
    array->mask = buckets - 1;
    array->side = 1 - current(table)->side;
    table->moved = 0;
    table->other = array;
}

/* Links what is in a bucket into the other array as well. */
static void move_bucket(struct name_table *table, uint64_t i)
{
    struct name_array *array = current(table);

    /* relaxed: chains change under the writers' lock */
    for (struct name_entry *entry = atomic_load_relaxed(&array->bucket[i]); entry != NULL;
         entry = atomic_load_relaxed(&entry->next[array->side])) {
        link_entry(table->other, entry);
    }
}

struct name_array *name_table_step(struct name_table *table)
{
    struct name_array *old = current(table);

    for (uint32_t i = 0; i < NAME_MOVED_LOCKED && table->moved <= old->mask; i++) {
        move_bucket(table, table->moved++);
    }
    if (table->moved <= old->mask) {
        return NULL;
    }
    /* release: all is in it; pairs with name_table_find */
    atomic_store_release(&table->array, table->other);
    table->other = NULL;
    table->settles = true;
    return old;
}

void name_table_settled(struct name_table *table)
{
    table->settles = false;
}
