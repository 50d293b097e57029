/* SPDX-License-Identifier: MIT */
/*
 * A bit for each identifier. The search goes round, so that one is reused as late as possible.
 */
#include "mm/asid.h"

#include <string.h>

#include "kernel/base/assert.h"
#include "kernel/sync/spinlock.h"

#define ASID_COUNT 65536U
#define WORD_BITS 64U

static struct spinlock asid_lock = SPINLOCK_INIT("asid"); /* guards what follows; a leaf */
static uint64_t used[ASID_COUNT / WORD_BITS] GUARDED_BY(asid_lock);
static uint32_t limit GUARDED_BY(asid_lock); /* largest for use */
static uint32_t last GUARDED_BY(asid_lock);  /* handed out last */

static bool is_used(uint32_t asid) REQUIRES(asid_lock)
{
    return (used[asid / WORD_BITS] >> (asid % WORD_BITS) & 1) != 0;
}

void asid_init(uint16_t max)
{
    uint64_t state = spin_lock_save(&asid_lock);

    memset(used, 0, sizeof used);
    limit = max;
    last = 0;
    spin_unlock_restore(&asid_lock, state);
}

uint16_t asid_alloc(void)
{
    uint16_t found = 0;
    uint64_t state = spin_lock_save(&asid_lock);

    for (uint32_t tries = 0; tries < limit && found == 0; tries++) {
        last = last < limit ? last + 1 : 1;
        if (!is_used(last)) {
            used[last / WORD_BITS] |= 1UL << (last % WORD_BITS);
            found = (uint16_t)last;
        }
    }
    spin_unlock_restore(&asid_lock, state);
    return found;
}

void asid_free(uint16_t asid)
{
    uint64_t state = spin_lock_save(&asid_lock);

    BUG_ON(asid == 0 || !is_used(asid));
    used[asid / WORD_BITS] &= ~(1UL << (asid % WORD_BITS));
    spin_unlock_restore(&asid_lock, state);
}
