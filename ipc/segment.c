/* SPDX-License-Identifier: MIT */
#include "ipc/segment.h"

#include <string.h>

#include "arch/usercopy.h"
#include "kernel/abi/limits.h"
#include "mm/vspace_direct.h"

static pte_t entry_bits(uint32_t protection)
{
    return PTE_READ | ((protection & PROTECT_WRITE) != 0 ? PTE_WRITE : 0);
}

/* The direct map has nothing of a device. */
static bool is_ram(const void *byte)
{
    return frame_exists(direct_unmap(byte));
}

/* Where the byte is now, or NULL. Interrupts off. */
static inline char *peek_ram(struct vspace *space, vaddr_t address, pte_t need)
{
    char *byte = vspace_peek(space, address, need);

    return byte != NULL && is_ram(byte) ? byte : NULL;
}

/* Is the page there? ERR_STALE: not, or not so. ERR_FAULT: it is a device's. */
static status_t look(struct vspace *space, vaddr_t address, uint32_t protection)
{
    uint64_t state = irq_save();
    status_t status = OK;
    const char *byte;
    bool visited;

    visited = vspace_visit(space);
    byte = vspace_peek(space, address, entry_bits(protection));
    if (byte == NULL) {
        status = ERR_STALE;
    } else if (!is_ram(byte)) {
        status = ERR_FAULT;
    }
    vspace_leave(space, visited);
    irq_restore(state);
    return status;
}

status_t segment_settle(struct vspace *space, const struct message_segment *range,
                        uint32_t protection)
{
    vaddr_t address = range->address;
    vaddr_t end = address + range->bytes;

    if (!segment_is_in_range(range)) {
        return ERR_FAULT;
    }
    while (address < end) {
        status_t status = look(space, address, protection);

        if (status == ERR_STALE) {
            status = vspace_fault_with_pager(space, address, protection);
            if (status == OK) {
                continue;
            }
        }
        if (status != OK) {
            return status;
        }
        address = ALIGN_DOWN(address, PAGE_BYTES) + PAGE_BYTES;
    }
    return OK;
}

/* One side of a copy. */
struct end {
    struct vspace *space;
    vaddr_t address;
    uint32_t protection;
};

/* Copies bytes that are in one page on both sides. The end whose page is not there, or NULL: it is done. */
static inline const struct end *copy_part(const struct end *from, const struct end *to,
                                          uint64_t bytes)
{
    const struct end *missing = NULL;
    uint64_t state = irq_save();
    const char *source;
    char *target;
    bool visits_from;
    bool visits_to;

    visits_from = vspace_visit(from->space);
    visits_to = vspace_visit(to->space);
    source = peek_ram(from->space, from->address, PTE_READ);
    target = peek_ram(to->space, to->address, PTE_READ | PTE_WRITE);
    if (source == NULL) {
        missing = from;
    } else if (target == NULL) {
        missing = to;
    } else {
        memcpy(target, source, bytes);
    }
    vspace_leave(from->space, visits_from);
    vspace_leave(to->space, visits_to);
    irq_restore(state);
    return missing;
}

status_t segment_copy(struct vspace *from_space, vaddr_t from, struct vspace *to_space, vaddr_t to,
                      uint64_t bytes)
{
    struct end source = {from_space, from, PROTECT_READ};
    struct end target = {to_space, to, PROTECT_READ | PROTECT_WRITE};

    while (bytes > 0) {
        uint64_t part = min_u64(bytes, PAGE_BYTES - source.address % PAGE_BYTES);
        const struct end *missing;

        part = min_u64(part, PAGE_BYTES - target.address % PAGE_BYTES);
        missing = copy_part(&source, &target, part);
        if (missing != NULL) { /* as often as somebody takes the page away again */
            status_t status = vspace_fault(missing->space, missing->address, missing->protection);

            if (status == OK) {
                status = look(missing->space, missing->address, missing->protection);
            }
            if (status != OK && status != ERR_STALE) {
                return status;
            }
            continue;
        }
        source.address += part;
        target.address += part;
        bytes -= part;
    }
    return OK;
}

/* Its end cannot leave user space, which ends with a page. */
static inline bool is_in_a_page(const struct message_segment *range)
{
    return range->address - USER_BASE < USER_TOP - USER_BASE && !segment_spans(range);
}

bool segment_copy_page(struct vspace *from_space, const struct message_segment *from,
                       struct vspace *to_space, const struct message_segment *to)
{
    const struct end source = {from_space, from->address, PROTECT_READ};
    const struct end target = {to_space, to->address, PROTECT_READ | PROTECT_WRITE};

    return is_in_a_page(from) && is_in_a_page(to) &&
           copy_part(&source, &target, from->bytes) == NULL;
}
