/* SPDX-License-Identifier: MIT */
/*
 * What the object allocator's slabs hold, by size class and by who pays; for the monitor.
 *
 * Rules: thread context. A snapshot: it walks the records of all frames that are not free (see
 * frame_visit_used) and follows no pointer of theirs; it is off by what moves meanwhile.
 */
#pragma once

#include "mm/account.h"
#include "mm/spmalloc.h"

struct spmalloc_class_survey {
    uint64_t slabs;
    uint64_t objects;  /* in use, those on their way home included */
    uint64_t capacity; /* objects that the slabs have room for */
};

struct spmalloc_survey {
    struct spmalloc_class_survey size_class[SPMALLOC_CLASSES];
    uint64_t large_objects;
    uint64_t large_pages;
};

void spmalloc_survey(struct spmalloc_survey *survey);

/* Bytes of an object of the class, SPMALLOC_CLASSES at most. */
uint32_t spmalloc_survey_bytes(unsigned size_class);

/* Objects that the account pays for. */
uint64_t spmalloc_survey_account(const struct account *account);
