/* SPDX-License-Identifier: MIT */
#include "sched/startup_priv.h"

#include "kernel/abi/syscall.h"

/* argc, argv, its end, the environment's end. */
#define BLOCK_WORDS (1 + MAX_ARGUMENTS + 2)

_Static_assert(MAX_ARGUMENT_BYTES + BLOCK_WORDS * sizeof(uint64_t) + 32 < STARTUP_STACK_BYTES / 2,
               "the startup block leaves room on the first stack");

bool startup_count_arguments(const char *strings, size_t bytes, uint64_t *count)
{
    uint64_t found = 0;

    if (bytes > MAX_ARGUMENT_BYTES || (bytes > 0 && strings[bytes - 1] != '\0')) {
        return false;
    }
    for (size_t i = 0; i < bytes; i++) {
        found += strings[i] == '\0';
    }
    if (found > MAX_ARGUMENTS) {
        return false;
    }
    *count = found;
    return true;
}

status_t startup_make_stack(struct vspace *space, const char *strings, size_t bytes, uint64_t count,
                            vaddr_t *sp)
{
    uint64_t block[BLOCK_WORDS] = {0};
    size_t block_bytes = (1 + (size_t)count + 2) * sizeof(block[0]);
    vaddr_t strings_at = ALIGN_DOWN(STARTUP_STACK_TOP - bytes, 16);
    vaddr_t block_at = ALIGN_DOWN(strings_at - block_bytes, 16);
    size_t offset = 0;
    vaddr_t mapped;
    status_t status;

    status = vspace_map_anonymous(space, STARTUP_STACK_BOTTOM, STARTUP_STACK_BYTES,
                                  PROTECT_READ | PROTECT_WRITE, &mapped);
    if (status != OK) {
        return status;
    }
    block[0] = count;
    for (uint64_t i = 0; i < count; i++) {
        block[1 + i] = strings_at + offset;
        while (strings[offset] != '\0') {
            offset++;
        }
        offset++;
    }
    if (bytes > 0) {
        status = vspace_write(space, strings_at, strings, bytes);
    }
    if (status == OK) {
        status = vspace_write(space, block_at, block, block_bytes);
    }
    if (status == OK) {
        *sp = block_at;
    }
    return status;
}
