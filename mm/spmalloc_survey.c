/* SPDX-License-Identifier: MIT */
#include "mm/spmalloc_survey.h"

#include <string.h>

#include "arch/layout.h"
#include "mm/frame_priv.h"
#include "mm/spmalloc_priv.h"

/* A record is read while its frame may change hands: one look at each field, and no more. */
struct look {
    unsigned state;
    unsigned order;
    unsigned owner;
    const struct frame *frame;
};

static struct look look_at(paddr_t address)
{
    const struct frame *frame = frame_of(address);
    uint32_t id = atomic_load_relaxed(&frame->id); /* relaxed: a snapshot */

    return (struct look){
        .state = id & 0xff, .order = id >> 8 & 0xff, .owner = id >> 16, .frame = frame};
}

/* The records inside a free block say nothing. */
static uint64_t pages_to_step(const struct look *look)
{
    bool is_block = look->state == FRAME_FREE || look->state == FRAME_LARGE;

    return is_block && look->order <= FRAME_MAX_ORDER ? 1UL << look->order : 1;
}

static void visit_frames(void (*visit)(const struct look *look, void *argument), void *argument)
{
    for (unsigned i = 0; i < frame_bank_count; i++) {
        uint64_t page = 0;

        while (page < frame_banks[i].pages) {
            struct look look = look_at(frame_banks[i].base + page * PAGE_BYTES);

            visit(&look, argument);
            page += pages_to_step(&look);
        }
    }
}

static bool is_slab(const struct look *look)
{
    return look->state == FRAME_SLAB || look->state == FRAME_SLAB_FULL;
}

/* The current slab of a heap counts itself as an object. */
static uint64_t objects_of(const struct look *look)
{
    /* relaxed: a snapshot */
    uint64_t used = atomic_load_relaxed(&look->frame->used);
    uint64_t current = atomic_load_relaxed(&look->frame->current);

    return used > current ? used - current : 0;
}

static void add_to_survey(const struct look *look, void *argument)
{
    struct spmalloc_survey *survey = argument;
    unsigned size_class = look->frame->size_class;

    if (look->state == FRAME_LARGE) {
        survey->large_objects++;
        survey->large_pages += pages_to_step(look);
    } else if (is_slab(look) && size_class < SPMALLOC_CLASSES) {
        survey->size_class[size_class].slabs++;
        survey->size_class[size_class].objects += objects_of(look);
        survey->size_class[size_class].capacity += look->frame->capacity;
    }
}

void spmalloc_survey(struct spmalloc_survey *survey)
{
    memset(survey, 0, sizeof(*survey));
    visit_frames(add_to_survey, survey);
}

uint32_t spmalloc_survey_bytes(unsigned size_class)
{
    return spmalloc_class_bytes[size_class];
}

struct payer {
    const struct account *account;
    uint64_t objects;
};

static void add_to_payer(const struct look *look, void *argument)
{
    struct payer *payer = argument;

    if (look->state == FRAME_LARGE) {
        payer->objects += look->frame->key == (uintptr_t)payer->account;
    } else if (is_slab(look) && look->owner < MAX_CORES &&
               look->frame->heap == payer->account->heap[look->owner]) {
        payer->objects += objects_of(look);
    }
}

uint64_t spmalloc_survey_account(const struct account *account)
{
    struct payer payer = {.account = account};

    visit_frames(add_to_payer, &payer);
    return payer.objects;
}
