/* SPDX-License-Identifier: MIT */
/*
 * A hash table of texts that is read without a lock.
 *
 * Rules: whoever adds, removes or resizes holds a lock of his own; whoever reads is in an epoch section
 * (kernel/sync/epoch.h: interrupts off) or holds that lock. An entry that was removed is memory until a grace
 * period has passed; so is an array that was replaced. Costs do not depend on how many entries there are; a
 * chain has at most NAME_CHAIN_MAX. name_table.c has the protocol.
 */
#pragma once

#include <stddef.h>

#include "kernel/base/types.h"
#include "kernel/sync/epoch.h"

#define NAME_ARRAY_FIRST 256U /* buckets of the array that is always there */
#define NAME_CHAIN_MAX 64U
#define NAME_MOVED_LOCKED 32U /* buckets that one step of a resize moves */

/* Embedded at the end of who has a name. */
struct name_entry {
    struct name_entry *next[2]; /* in the array of that side; atomic */
    uint64_t hash;
    size_t bytes;
    char text[]; /* with a zero behind it */
};

struct name_array {
    uint64_t mask; /* buckets - 1 */
    uint64_t side; /* which `next` of an entry is for this array */
    struct epoch_callback reclaim;
    struct name_entry *bucket[]; /* atomic */
};

struct name_table {
    struct name_array *array; /* atomic: replaced under the lock, read by all */
    struct name_array *other; /* the array to come, or NULL */
    uint64_t moved;           /* buckets of `array` whose entries are in `other`, too */
    uint64_t count;
    bool settles; /* the array before this one may still be read */
};

/* `array`: zeroed memory for that many buckets, a power of two. */
void name_table_init(struct name_table *table, struct name_array *array, uint64_t buckets);

/* The hash of a text; differs from boot to boot if the seed does. */
uint64_t name_hash(const char *text, size_t bytes, uint64_t seed);

/* An entry with that text, or NULL. */
struct name_entry *name_table_find(const struct name_table *table, const char *text, size_t bytes,
                                   uint64_t hash);

/* Adds an entry whose text is not in the table. False if its chain is full. */
bool name_table_add(struct name_table *table, struct name_entry *entry);

/* Removes an entry that is in the table. Readers may see it for a grace period. */
void name_table_remove(struct name_table *table, struct name_entry *entry);

/* How many buckets there should be, or 0: as many as there are, or a resize goes on. */
uint64_t name_table_wanted_buckets(const struct name_table *table);

static inline size_t name_array_bytes(uint64_t buckets)
{
    return sizeof(struct name_array) + buckets * sizeof(struct name_entry *);
}

/* Begins a resize with an array of zeroed memory. */
void name_table_begin(struct name_table *table, struct name_array *array, uint64_t buckets);

/*
 * A step of the resize. NULL: there is more to do. Else readers see the new array now, and the old one is
 * the caller's, who waits for a grace period before he frees it and calls name_table_settled.
 */
struct name_array *name_table_step(struct name_table *table);
void name_table_settled(struct name_table *table);
