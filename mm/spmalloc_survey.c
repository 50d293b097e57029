/* SPDX-License-Identifier: MIT */
#include "mm/spmalloc_survey.h"

#include <string.h>

#include "mm/frame.h"
#include "mm/spmalloc_priv.h"

static bool is_slab(const struct frame *frame)
{
    unsigned state = slab_state(frame);

    return state == FRAME_SLAB || state == FRAME_SLAB_FULL;
}

/* The current slab of a heap counts itself as an object. */
static uint64_t objects_of(const struct frame *slab)
{
    /* relaxed: a snapshot */
    uint64_t used = atomic_load_relaxed(&slab->used);
    uint64_t current = atomic_load_relaxed(&slab->current);

    return used > current ? used - current : 0;
}

static void add_to_survey(struct frame *frame, void *argument)
{
    struct spmalloc_survey *survey = argument;

    if (slab_state(frame) == FRAME_LARGE) {
        survey->large_objects++;
        survey->large_pages += 1UL << frame_order(frame);
    } else if (is_slab(frame) && frame->size_class < SPMALLOC_CLASSES) {
        struct spmalloc_class_survey *found = &survey->size_class[frame->size_class];

        found->slabs++;
        found->objects += objects_of(frame);
        found->capacity += frame->capacity;
    }
}

void spmalloc_survey(struct spmalloc_survey *survey)
{
    memset(survey, 0, sizeof(*survey));
    frame_visit_used(add_to_survey, survey);
}

uint32_t spmalloc_survey_bytes(unsigned size_class)
{
    return spmalloc_class_bytes[size_class];
}

struct payer {
    const struct account *account;
    uint64_t objects;
};

static void add_to_payer(struct frame *frame, void *argument)
{
    struct payer *payer = argument;

    if (slab_state(frame) == FRAME_LARGE) {
        payer->objects += frame->key == (uintptr_t)payer->account;
    } else if (is_slab(frame) && frame->heap == payer->account->heap[frame_owner(frame)]) {
        payer->objects += objects_of(frame);
    }
}

uint64_t spmalloc_survey_account(const struct account *account)
{
    struct payer payer = {.account = account};

    frame_visit_used(add_to_payer, &payer);
    return payer.objects;
}
