/* SPDX-License-Identifier: MIT */
/*
 * The system calls about memory: mappings, memory objects, pagers.
 *
 * Rules: addresses and offsets are multiples of PAGE_BYTES; sizes of mappings are rounded up to pages.
 * Memory is zero and takes nothing until it is touched; what then is made is charged to the domain that
 * made the object (or, without one, the mapping). When there is none left, a touch ends the domain
 * (EXIT_REASON_NO_MEMORY) and a system call that touches it gives ERR_NO_MEMORY. No mapping is ever
 * writable and executable at once; an object may have one of each, and then who writes to it has to
 * see to it that the other is fetched anew: by unmapping and mapping that, or by fence.i on its core. A memory object lives while a handle or a mapping refers to it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/memory.h"
#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"
#include "kernel/abi/syscall.h"

/*
 * SYS_MEMORY_MAP: maps `bytes` of the object `memory` from `offset` on, or of zeroed memory of this
 * domain's own when it is HANDLE_NONE, at `address`, or, when that is 0, where there is room with an
 * unmapped page on each side, and returns the address. `protection`: PROTECT_READ (implied), and one
 * of PROTECT_WRITE and PROTECT_EXECUTE or none; or PROTECT_NONE alone, which keeps the range
 * until memory_protect opens it. Flags are added to it: MEMORY_POPULATE enters every page now;
 * MEMORY_GUARDED keeps the pages below and above unmapped as long as that end of the mapping is.
 * `alignment`: of the address, a power of two up to 1 GiB; 0 means a page. A handle needs RIGHT_MAP_READ,
 * and RIGHT_MAP_WRITE or RIGHT_MAP_EXECUTE for what the protection says, also for a later one.
 * ERR_INVALID: bytes is 0; the address, offset or alignment is none that is allowed, or the address is
 * not aligned to it; the range is outside user addresses or outside the object (also when a sum
 * overflows); unknown protection bits or flags; writable and executable. ERR_EXISTS: something is mapped
 * in the range, or its guard is. ERR_NO_SPACE: no free range, or too many mappings. ERR_NO_MEMORY: no
 * memory, or the quota is used up, or could not hold so much. ERR_BAD_HANDLE: no such handle.
 * ERR_WRONG_TYPE: no memory object. ERR_NO_RIGHT: a right is missing. ERR_DENIED: pages of a device object
 * that are RAM.
 */
int64_t memory_map_object(void *address, size_t bytes, uint64_t protection, handle_t memory,
                          uint64_t offset, uint64_t alignment);

/* The same for zeroed memory of this domain's own. */
static inline int64_t memory_map(void *address, size_t bytes, uint64_t protection)
{
    return memory_map_object(address, bytes, protection, HANDLE_NONE, 0, 0);
}

/*
 * SYS_MEMORY_UNMAP: takes away `bytes` (rounded up to pages) at `address`, which may be a part
 * of what a memory_map gave, or several; on return no core can reach the memory any more. Pages of
 * an object stay in it; others are gone. ERR_INVALID: as above. ERR_NOT_FOUND: some page of it is not
 * mapped, or another thread is just changing it. ERR_NO_MEMORY, ERR_NO_SPACE: a mapping has to be split
 * and there is no room to note it. After an error nothing is changed.
 */
status_t memory_unmap(void *address, size_t bytes);

/*
 * SYS_MEMORY_PROTECT: gives `bytes` at `address` another protection, PROTECT_NONE included; what it
 * takes away is gone on every core at the return, and what becomes executable is fetched as it was
 * written. ERR_INVALID, ERR_NOT_FOUND, ERR_NO_MEMORY, ERR_NO_SPACE: as above. ERR_NO_RIGHT: the
 * handle that it was mapped with lacked the right. After an error nothing is changed.
 */
status_t memory_protect(void *address, size_t bytes, uint64_t protection);

/*
 * SYS_MEMORY_CREATE: makes a memory object of `bytes`, rounded up to pages, and returns a handle with
 * all rights. `kind` MEMORY_ANONYMOUS; or MEMORY_CONTIGUOUS: up to 4 MiB of pages side by side, charged
 * now for the next power of two, aligned to it and, where a mapping's address and size allow it,
 * mapped by megapages. ERR_INVALID: another kind, no bytes or too many. ERR_NO_MEMORY: no memory, none
 * side by side, or quota. ERR_NO_SPACE: no more handles.
 */
int64_t memory_create(size_t bytes, uint64_t kind);

/*
 * SYS_MEMORY_CLONE: makes an object with the same contents and returns a handle with all rights. The
 * pages are copied when one side writes to them; nothing is shared after the return. A write by another
 * thread while it runs is in the original, or in both. Charged for all pages. Needs RIGHT_MAP_READ.
 * ERR_BAD_HANDLE, ERR_WRONG_TYPE, ERR_NO_RIGHT. ERR_INVALID: not anonymous. ERR_NO_MEMORY,
 * ERR_NO_SPACE: as above.
 */
int64_t memory_clone(handle_t memory);

/*
 * SYS_MEMORY_PIN: makes pages be there and stay where they are, until they are unpinned as often; a
 * clone gets copies of them. Returns the physical address of the first if they are side by side
 * (contiguous and device objects), else 0. Needs RIGHT_MAP_WRITE. ERR_BAD_HANDLE, ERR_WRONG_TYPE,
 * ERR_NO_RIGHT. ERR_INVALID: no whole pages, none, or not inside the object. ERR_NO_MEMORY. ERR_NO_SPACE: a
 * page has 1023 pins.
 */
int64_t memory_pin(handle_t memory, uint64_t offset, size_t bytes);

/* SYS_MEMORY_UNPIN: takes back one pin of each page. Errors as above. ERR_NOT_FOUND: a page is not
 * pinned; those before it have lost their pin. */
status_t memory_unpin(handle_t memory, uint64_t offset, size_t bytes);

/*
 * SYS_MEMORY_SLICE: makes a device object for a part of another and returns a handle with the same
 * rights. ERR_BAD_HANDLE, ERR_WRONG_TYPE. ERR_INVALID: no device object, no whole pages, none, or not
 * inside it. ERR_DENIED: some of it is RAM. ERR_NO_MEMORY, ERR_NO_SPACE: as above.
 */
int64_t memory_slice(handle_t memory, uint64_t offset, size_t bytes);

/* SYS_MEMORY_INFO: what the object is and takes now. ERR_BAD_HANDLE, ERR_WRONG_TYPE. ERR_FAULT: `info` is
 * not writable. */
status_t memory_info(handle_t memory, struct memory_info *info);

/*
 * SYS_DOMAIN_SET_PAGER: from now on the service behind `port` is called about each touch in the domain
 * that its mappings do not allow (kernel/abi/memory.h: PAGER_FAULT), and the touch waits for the answer.
 * HANDLE_NONE: nobody is. What it maps can later be protected only as its answer said, or less. A service
 * in the kernel does not ask it, but fails with ERR_FAULT. It is called on the faulting thread, with the handle's badge. `domain` needs
 * RIGHT_MANAGE, `port` RIGHT_CALL. ERR_BAD_HANDLE. ERR_WRONG_TYPE: no domain, or no port that can be
 * called. ERR_NO_RIGHT. ERR_DENIED: the kernel's domain. ERR_PEER_DIED: the domain is ending.
 */
status_t domain_set_pager(handle_t domain, handle_t port);
