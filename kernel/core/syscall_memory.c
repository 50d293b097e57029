/* SPDX-License-Identifier: MIT */
/*
 * System calls about memory, and the kernel's log.
 */
#include "arch/usercopy.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/print.h"
#include "kernel/core/syscall_priv.h"
#include "mm/vspace.h"

#define DEBUG_WRITE_MAX_BYTES 256

long syscall_memory_map(vaddr_t address, uint64_t bytes, uint64_t protection)
{
    vaddr_t mapped;
    status_t status;

    if (protection > (PROTECT_READ | PROTECT_WRITE | PROTECT_EXECUTE)) {
        return ERR_INVALID;
    }
    status = vspace_map_anonymous(syscall_domain()->vspace, address, bytes, (uint32_t)protection,
                                  &mapped);
    return status == OK ? (long)mapped : status;
}

long syscall_memory_unmap(vaddr_t address, uint64_t bytes)
{
    return vspace_unmap(syscall_domain()->vspace, address, bytes);
}

long syscall_debug_write(vaddr_t address, uint64_t bytes)
{
    char text[DEBUG_WRITE_MAX_BYTES];
    status_t status;

    if (bytes > sizeof(text)) {
        return ERR_INVALID;
    }
    status = usercopy_in(syscall_domain()->vspace, text, user_addr(address), bytes);
    if (status == OK) {
        print("%.*s", (int)bytes, text);
    }
    return status;
}
