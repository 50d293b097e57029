/* SPDX-License-Identifier: MIT */
/*
 * What the torture of deadlines, its clients and its servers say to each other.
 *
 * Rules: only tests use it. A client has one race at a time; races are numbered from 1.
 */
#pragma once

#include <stdint.h>

#define RACE_NOTES_NAME "torture/races"
#define RACE_NAME_BYTES 24U /* torture/r0, ... */
#define RACE_CLIENTS 16U
#define RACE_BATCH 50U /* races between two notes */
#define RACE_SEAL 0x5ea1ed0fface5a1eUL

enum race_call {
    /* w0 client, w1 race, w2 end -> w0 race ^ RACE_SEAL, w1 ~race, w2 end: computes until then */
    RACE_SPIN = 1,
    RACE_NAP = 2,   /* the same, but sleeps */
    RACE_COUNT = 3, /* w0 client -> w0 its runs, w2 the newest race of them */
};

/* The service of the notes: w0 client, w1 answered, w2 left in the service, w3 left before it -> label OK: go on */
#define RACE_NOTE 1
