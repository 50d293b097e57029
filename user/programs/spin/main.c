/* SPDX-License-Identifier: MIT */
/* Uses its core for ever, or for as many milliseconds as the first argument says. */
#include <stdlib.h>

#include "user/lib/baton.h"

int main(int argc, char **argv)
{
    uint64_t ms = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    uint64_t end = clock_ns() + ms * 1000000UL;

    while (ms == 0 || clock_ns() < end) {
        __asm__ volatile("");
    }
    return 0;
}
