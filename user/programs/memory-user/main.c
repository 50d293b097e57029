/* SPDX-License-Identifier: MIT */
/*
 * Maps memory, writes and checks it, and unmaps it, at random: memory-user SEED [ROUNDS]. One object is
 * mapped again and again for a moment, and now and then is replaced by its clone.
 *
 * Ends with 0 after so many rounds, with everything that is mapped still mapped; 1 when memory did
 * not hold what was written, or a call gave an error other than ERR_NO_MEMORY.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "kernel/abi/limits.h"
#include "user/lib/baton.h"

#define AREAS 8
#define AREA_PAGES_MAX 24U
#define ROUNDS 60UL
#define WINDOW ((char *)0x3000000000UL)
#define WINDOW_PAGES 3U

struct area {
    uint64_t *words; /* NULL: nothing is mapped */
    uint64_t pages;
    uint64_t tag;
};

static uint32_t state;

static uint32_t next_random(void)
{
    state = state * 1664525U + 1013904223U;
    return state >> 8;
}

static bool complain(const char *what, int64_t status)
{
    printf("memory-user: %s: %s\n", what, status_text((status_t)status));
    return false;
}

/* The word that is written to each page, somewhere in it. */
static uint64_t *word_of(const struct area *area, uint64_t page)
{
    return &area->words[page * (PAGE_BYTES / 8) + (area->tag + page) % (PAGE_BYTES / 8)];
}

static bool map(struct area *area)
{
    uint64_t pages = 1 + next_random() % AREA_PAGES_MAX;
    int64_t address = memory_map(NULL, pages * PAGE_BYTES, PROTECT_READ | PROTECT_WRITE);

    if (address < 0) {
        return address == ERR_NO_MEMORY || complain("map", address);
    }
    *area = (struct area){.words = (uint64_t *)address, .pages = pages, .tag = next_random()};
    for (uint64_t page = 0; page < pages; page++) {
        if (*word_of(area, page) != 0) {
            return complain("fresh memory is not zero", ERR_INVALID);
        }
        *word_of(area, page) = area->tag + page;
    }
    return true;
}

static bool unmap(struct area *area)
{
    for (uint64_t page = 0; page < area->pages; page++) {
        if (*word_of(area, page) != area->tag + page) {
            return complain("memory does not hold what was written", ERR_INVALID);
        }
    }
    status_t status = memory_unmap(area->words, area->pages * PAGE_BYTES);

    if (status == OK) {
        area->words = NULL;
    }
    return status == OK || status == ERR_NO_MEMORY || complain("unmap", status);
}

/* An object of WINDOW_PAGES, in which `tag` was written to page `page` last. */
static handle_t object = HANDLE_NONE;
static uint64_t tag, page;

static bool make_object(void)
{
    int64_t made = object == HANDLE_NONE
                       ? memory_create(WINDOW_PAGES * PAGE_BYTES, MEMORY_ANONYMOUS)
                       : memory_clone(object);

    if (made < 0) {
        return made == ERR_NO_MEMORY || complain("create", made);
    }
    if (object != HANDLE_NONE) {
        handle_close(object);
    }
    object = (handle_t)made;
    return true;
}

/* Looks at the object through a page or the whole of it, and writes there. */
static bool look(void)
{
    bool whole = next_random() % 2 == 0;
    uint64_t first = whole ? 0 : page;
    void *place = next_random() % 2 == 0 ? NULL : WINDOW + next_random() % 3 * PAGE_BYTES;
    uint64_t bytes = whole ? WINDOW_PAGES * PAGE_BYTES : PAGE_BYTES;
    uint32_t flags = next_random() % 2 == 0 ? MEMORY_POPULATE : 0;
    int64_t address = memory_map_object(place, bytes, PROTECT_READ | PROTECT_WRITE | flags, object,
                                        first * PAGE_BYTES, 0);

    if (address < 0) {
        return address == ERR_NO_MEMORY || complain("map an object", address);
    }
    uint64_t *words = (uint64_t *)address;

    if (words[(page - first) * (PAGE_BYTES / 8)] != tag) {
        return complain("an object does not hold what was written", ERR_INVALID);
    }
    page = whole ? next_random() % WINDOW_PAGES : page;
    tag = next_random();
    words[(page - first) * (PAGE_BYTES / 8)] = tag;
    status_t status = memory_unmap(words, bytes);

    return status == OK || complain("unmap an object", status);
}

int main(int argc, char **argv)
{
    static struct area areas[AREAS];
    uint64_t rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS;

    state = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 1;
    for (uint64_t i = 0; i < rounds; i++) {
        struct area *area = &areas[next_random() % AREAS];

        if (!(area->words == NULL ? map(area) : unmap(area))) {
            return 1;
        }
        if ((object == HANDLE_NONE || i % 16 == 0) && !make_object()) {
            return 1;
        }
        for (unsigned looks = 0; object != HANDLE_NONE && looks < 4; looks++) {
            if (!look()) {
                return 1;
            }
        }
    }
    return 0;
}
