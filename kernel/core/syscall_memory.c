/* SPDX-License-Identifier: MIT */
/*
 * System calls about memory, and the kernel's log.
 */
#include "arch/usercopy.h"
#include "kernel/abi/memory.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/print.h"
#include "kernel/core/syscall_priv.h"
#include "mm/memory.h"
#include "mm/vspace.h"

#define DEBUG_WRITE_MAX_BYTES 256
#define PROTECTION_BITS 0xffU /* the flags lie above */

uint32_t syscall_memory_allowed(rights_t rights)
{
    return ((rights & RIGHT_MAP_READ) != 0 ? PROTECT_READ : 0U) |
           ((rights & RIGHT_MAP_WRITE) != 0 ? PROTECT_WRITE : 0U) |
           ((rights & RIGHT_MAP_EXECUTE) != 0 ? PROTECT_EXECUTE : 0U);
}

/* The object with a reference. */
static status_t get_memory(handle_t handle, rights_t rights, struct memory **memory)
{
    struct object *object;
    status_t status =
        handle_get(&syscall_domain()->handles, handle, OBJECT_MEMORY, rights, &object, NULL);

    if (status == OK) {
        *memory = memory_of_object(object);
    }
    return status;
}

/* A handle for an object that was just made; the creator's reference goes. */
static long open_memory(struct memory *memory, rights_t rights)
{
    handle_t handle;
    status_t status = handle_open(&syscall_domain()->handles, &memory->object, rights, 0, &handle);

    object_release(&memory->object);
    return status == OK ? (long)handle : status;
}

/* Both are whole pages and their sum does not wrap. */
static bool pages_ok(uint64_t offset, uint64_t bytes)
{
    return offset % PAGE_BYTES == 0 && bytes % PAGE_BYTES == 0;
}

long syscall_memory_create(uint64_t bytes, uint64_t kind)
{
    struct domain *domain = syscall_domain();
    uint64_t pages = ALIGN_UP(bytes, PAGE_BYTES) / PAGE_BYTES;
    struct memory *memory;
    status_t status = ERR_INVALID;

    if (kind == MEMORY_ANONYMOUS) {
        status = memory_create(domain->account, &domain->object, pages, &memory);
    } else if (kind == MEMORY_CONTIGUOUS) {
        status = memory_create_contiguous(domain->account, &domain->object, pages, &memory);
    }
    return status == OK ? open_memory(memory, RIGHTS_MEMORY) : status;
}

/* Apart, for the registers that it would cost all others. */
__attribute__((noinline)) static long
map_copy(struct domain *domain, const struct vspace_mapping *mapping, handle_t handle)
{
    vaddr_t mapped;
    status_t status = vspace_map_copy(domain->vspace, mapping, &domain->handles, handle, &mapped);

    return status == OK ? (long)mapped : status;
}

long syscall_memory_map(vaddr_t address, uint64_t bytes, uint64_t protection, handle_t handle,
                        uint64_t offset, uint64_t alignment)
{
    struct domain *domain = syscall_domain();
    struct vspace_mapping mapping = {
        .address = address,
        .bytes = bytes,
        .alignment = alignment,
        .protection = protection & PROTECTION_BITS,
        .flags = (uint32_t)protection & ~PROTECTION_BITS,
        .offset = offset,
    };
    struct object *object;
    rights_t rights;
    vaddr_t mapped;
    status_t status;

    if (protection > UINT32_MAX) {
        return ERR_INVALID;
    }
    if (handle != HANDLE_NONE) {
        status = handle_get_rights(&domain->handles, handle, OBJECT_MEMORY, RIGHT_MAP_READ, &object,
                                   &rights);
        if (status != OK) {
            return status;
        }
        mapping.memory = memory_of_object(object);
        mapping.allowed = syscall_memory_allowed(rights);
        if ((rights & HANDLE_IS_COPY) != 0) {
            return map_copy(domain, &mapping, handle);
        }
    }
    status = vspace_map_given(domain->vspace, &mapping, &mapped);
    return status == OK ? (long)mapped : status;
}

long syscall_memory_unmap(vaddr_t address, uint64_t bytes)
{
    return vspace_unmap(syscall_domain()->vspace, address, bytes);
}

long syscall_memory_protect(vaddr_t address, uint64_t bytes, uint64_t protection)
{
    if (protection > UINT32_MAX) {
        return ERR_INVALID;
    }
    return vspace_protect(syscall_domain()->vspace, address, bytes, (uint32_t)protection);
}

long syscall_memory_clone(handle_t handle)
{
    struct domain *domain = syscall_domain();
    struct memory *memory;
    struct memory *clone;
    status_t status = get_memory(handle, RIGHT_MAP_READ, &memory);

    if (status != OK) {
        return status;
    }
    status = memory_clone(memory, domain->account, &domain->object, &clone);
    object_release(&memory->object);
    return status == OK ? open_memory(clone, RIGHTS_MEMORY) : status;
}

long syscall_memory_pin(handle_t handle, uint64_t offset, uint64_t bytes)
{
    struct memory *memory;
    paddr_t physical = 0;
    status_t status = get_memory(handle, RIGHT_MAP_WRITE, &memory);

    if (status != OK) {
        return status;
    }
    status = pages_ok(offset, bytes)
                 ? memory_pin(memory, offset / PAGE_BYTES, bytes / PAGE_BYTES, &physical)
                 : ERR_INVALID;
    object_release(&memory->object);
    return status == OK ? (long)physical : status;
}

long syscall_memory_unpin(handle_t handle, uint64_t offset, uint64_t bytes)
{
    struct memory *memory;
    status_t status = get_memory(handle, RIGHT_MAP_WRITE, &memory);

    if (status != OK) {
        return status;
    }
    status = pages_ok(offset, bytes) ? memory_unpin(memory, offset / PAGE_BYTES, bytes / PAGE_BYTES)
                                     : ERR_INVALID;
    object_release(&memory->object);
    return status;
}

long syscall_memory_slice(handle_t handle, uint64_t offset, uint64_t bytes)
{
    struct domain *domain = syscall_domain();
    struct memory *slice;
    struct object *object;
    handle_t opened;
    rights_t rights;
    status_t status =
        handle_get_rights(&domain->handles, handle, OBJECT_MEMORY, 0, &object, &rights);

    if (status != OK) {
        return status;
    }
    status = pages_ok(offset, bytes)
                 ? memory_slice(memory_of_object(object), offset / PAGE_BYTES, bytes / PAGE_BYTES,
                                domain->account, &domain->object, &slice)
                 : ERR_INVALID;
    object_release(object);
    if (status == OK) {
        status = handle_open_from(&domain->handles, handle, &slice->object, rights, &opened);
        object_release(&slice->object);
    }
    return status == OK ? (long)opened : status;
}

long syscall_memory_info(handle_t handle, vaddr_t address)
{
    struct memory_info info;
    struct memory *memory;
    status_t status = get_memory(handle, 0, &memory);

    if (status != OK) {
        return status;
    }
    memory_describe(memory, &info);
    object_release(&memory->object);
    return usercopy_out(syscall_domain()->vspace, user_addr(address), &info, sizeof(info));
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
