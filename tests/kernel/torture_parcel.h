/* SPDX-License-Identifier: MIT */
/*
 * Parcels: memory of every kind and size with known contents, made on one core and ended on any.
 *
 * Rules: thread context. A parcel has one owner at a time; handing it over needs a release and an
 * acquire. The member that makes or ends one counts it.
 */
#pragma once

#include "tests/kernel/torture.h"

struct parcel {
    struct parcel *next; /* the owner's, or of the box it lies in */
    uint8_t *memory;
    size_t bytes;  /* with known contents */
    uint32_t tag;  /* the contents follow from it */
    uint8_t kind;  /* enum in torture_parcel.c */
    uint8_t order; /* of a block */
};

/* Something of a random kind and size; NULL (and counted as refused) when there is no memory. */
struct parcel *parcel_make(struct torture_member *member);

/* Check the contents and give everything back. */
void parcel_end(struct torture_member *member, struct parcel *parcel);
