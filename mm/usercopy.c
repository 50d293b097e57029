/* SPDX-License-Identifier: MIT */
/*
 * Copies to and from user memory through the direct map, one page at a time. A page cannot be
 * freed during its copy: what takes it away clears the entry under the lock that the copy holds.
 */
#include "arch/usercopy.h"

#include <string.h>

#include "arch/layout.h"
#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "kernel/base/assert.h"
#include "mm/frame.h"
#include "mm/vspace.h"

enum direction {
    COPY_IN,
    COPY_OUT,
};

struct copy {
    struct vspace *space;
    vaddr_t user;
    char *kernel;
    size_t bytes;
    enum direction direction;
};

bool usercopy_range_ok(user_addr_t address, size_t bytes)
{
    return bytes == 0 || (address.address >= USER_BASE && address.address < USER_TOP &&
                          bytes <= USER_TOP - address.address);
}

static uint32_t protection_of(const struct copy *copy)
{
    return copy->direction == COPY_OUT ? PROTECT_READ | PROTECT_WRITE : PROTECT_READ;
}

/* Bytes of the copy that are in the page of copy->user. */
static size_t bytes_in_page(const struct copy *copy)
{
    return min_u64(copy->bytes, PAGE_BYTES - copy->user % PAGE_BYTES);
}

/* The direct map has nothing else, and what its addresses would be may be the kernel's. */
static bool is_ram(paddr_t physical)
{
    return frame_find(physical) != NULL;
}

/* Copies what is in the first page. ERR_FAULT: it is not entered with that access. ERR_DENIED: a
 * device's. */
static status_t copy_entered_page(const struct copy *copy, size_t part)
{
    paddr_t physical;
    uint64_t state = spin_lock_save(&copy->space->lock);
    status_t status =
        vspace_translate_locked(copy->space, copy->user, protection_of(copy), &physical);

    if (status == OK && !is_ram(physical)) {
        status = ERR_DENIED;
    } else if (status == OK && copy->direction == COPY_IN) {
        memcpy(copy->kernel, direct_map(physical), part);
    } else if (status == OK) {
        memcpy(direct_map(physical), copy->kernel, part);
    }
    spin_unlock_restore(&copy->space->lock, state);
    return status;
}

static void advance(struct copy *copy, size_t part)
{
    copy->user += part;
    copy->kernel += part;
    copy->bytes -= part;
}

/* Copies what is in the first page and advances. */
static status_t copy_page(struct copy *copy)
{
    size_t part = bytes_in_page(copy);
    status_t status = copy_entered_page(copy, part);

    while (status == ERR_FAULT) { /* as often as somebody takes the page away again */
        status = vspace_fault_with_pager(copy->space, copy->user, protection_of(copy));
        if (status != OK) {
            break;
        }
        status = copy_entered_page(copy, part);
    }
    advance(copy, part);
    return status == ERR_DENIED ? ERR_FAULT : status;
}

/* Makes every page be there first, so that a bad range changes nothing. */
static status_t check_pages(const struct copy *copy)
{
    struct copy rest = *copy;

    while (rest.bytes > 0) {
        size_t part = bytes_in_page(&rest);
        paddr_t physical;
        status_t status = vspace_translate(rest.space, rest.user, protection_of(&rest), &physical);

        if (status == OK) {
            if (!is_ram(physical)) {
                return ERR_FAULT;
            }
            advance(&rest, part);
            continue;
        }
        status = vspace_fault_with_pager(rest.space, rest.user, protection_of(&rest));
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

static status_t copy_all(struct copy *copy)
{
    status_t status = OK;

    if (!usercopy_range_ok(user_addr(copy->user), copy->bytes)) {
        return ERR_FAULT;
    }
    if (bytes_in_page(copy) < copy->bytes) {
        status = check_pages(copy);
    }
    while (status == OK && copy->bytes > 0) {
        status = copy_page(copy);
    }
    return status;
}

status_t usercopy_in(struct vspace *space, void *to, user_addr_t from, size_t bytes)
{
    struct copy copy = {space, from.address, to, bytes, COPY_IN};

    return copy_all(&copy);
}

status_t usercopy_in_try(struct vspace *space, void *to, user_addr_t from, size_t bytes)
{
    struct copy copy = {space, from.address, to, bytes, COPY_IN};
    status_t status = usercopy_range_ok(from, bytes) ? OK : ERR_FAULT;

    while (status == OK && copy.bytes > 0) {
        size_t part = bytes_in_page(&copy);

        status = copy_entered_page(&copy, part);
        advance(&copy, part);
    }
    return status == OK ? OK : ERR_FAULT;
}

status_t usercopy_out(struct vspace *space, user_addr_t to, const void *from, size_t bytes)
{
    /* The direction keeps copy_page from writing through it. */
    struct copy copy = {space, to.address, (char *)(uintptr_t)from, bytes, COPY_OUT};

    return copy_all(&copy);
}

status_t usercopy_string(struct vspace *space, char *to, user_addr_t from, size_t size,
                         size_t *length)
{
    struct copy copy = {space, from.address, to, size, COPY_IN};

    while (copy.bytes > 0) {
        struct copy page = copy;
        size_t part = bytes_in_page(&copy);
        const char *end;
        status_t status;

        page.bytes = part;
        status = copy_page(&page);
        if (status != OK) {
            return status;
        }
        end = memchr(copy.kernel, '\0', part);
        if (end != NULL) {
            if (length != NULL) {
                *length = (size_t)(end - to);
            }
            return OK;
        }
        advance(&copy, part);
    }
    return ERR_INVALID;
}
