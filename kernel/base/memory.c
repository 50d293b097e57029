/* SPDX-License-Identifier: MIT */
/*
 * memset and memcpy for the kernel, a word at a time.
 *
 * The C library's are written for size: filling a page took them four instructions a byte. These take
 * one store a word and two more for each 32 words; a page is zeroed in 550. The compiler calls them,
 * too, and must not see such calls in them: the empty assembly in each loop keeps it from that.
 */
#include <string.h>

#include "kernel/base/types.h"

#define WORD_BYTES sizeof(uint64_t)
#define ROUND_WORDS 32U
#define ROUND_BYTES (ROUND_WORDS * WORD_BYTES)
#define EIGHT_BYTES (8 * WORD_BYTES)

#define KEEP_LOOP() __asm__ volatile("")
/* Keeps the compiler from loading more words than there are registers that need not be saved. */
#define KEEP_ORDER() __asm__ volatile("" ::: "memory")

/* Words are written through this, whatever the memory's type is. */
typedef uint64_t __attribute__((may_alias)) word_t;

#define EIGHT(action, n)                                                                           \
    action(n) action((n) + 1) action((n) + 2) action((n) + 3) action((n) + 4) action((n) + 5)      \
        action((n) + 6) action((n) + 7)
#define ROUND(action) EIGHT(action, 0) EIGHT(action, 8) EIGHT(action, 16) EIGHT(action, 24)

static inline bool word_aligned(const void *pointer)
{
    return (uintptr_t)pointer % WORD_BYTES == 0;
}

void *memset(void *to, int value, size_t bytes)
{
    uint8_t *next = to;
    uint8_t *end = next + bytes;
    uint64_t word = (uint8_t)value * 0x0101010101010101UL;

    for (; next < end && !word_aligned(next); next++) {
        KEEP_LOOP();
        *next = (uint8_t)value;
    }
#define STORE(n) ((word_t *)(void *)next)[n] = word;
    for (; (size_t)(end - next) >= ROUND_BYTES; next += ROUND_BYTES) {
        KEEP_LOOP();
        ROUND(STORE)
    }
#undef STORE
    for (; (size_t)(end - next) >= WORD_BYTES; next += WORD_BYTES) {
        KEEP_LOOP();
        *(word_t *)(void *)next = word;
    }
    for (; next < end; next++) {
        KEEP_LOOP();
        *next = (uint8_t)value;
    }
    return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes)
{
    uint8_t *next = to;
    const uint8_t *source = from;
    uint8_t *end = next + bytes;

    if (word_aligned(to) && word_aligned(from)) {
#define COPY(n) ((word_t *)(void *)next)[n] = ((const word_t *)(const void *)source)[n];
        for (; (size_t)(end - next) >= ROUND_BYTES; next += ROUND_BYTES, source += ROUND_BYTES) {
            KEEP_LOOP();
            EIGHT(COPY, 0)
            KEEP_ORDER();
            EIGHT(COPY, 8)
            KEEP_ORDER();
            EIGHT(COPY, 16)
            KEEP_ORDER();
            EIGHT(COPY, 24)
        }
        for (; (size_t)(end - next) >= EIGHT_BYTES; next += EIGHT_BYTES, source += EIGHT_BYTES) {
            KEEP_LOOP();
            EIGHT(COPY, 0)
        }
#undef COPY
        for (; (size_t)(end - next) >= WORD_BYTES; next += WORD_BYTES, source += WORD_BYTES) {
            KEEP_LOOP();
            *(word_t *)(void *)next = *(const word_t *)(const void *)source;
        }
    }
    while (next < end) {
        KEEP_LOOP();
        *next++ = *source++;
    }
    return to;
}
