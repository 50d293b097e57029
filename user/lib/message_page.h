/* SPDX-License-Identifier: MIT */
/*
 * Message pages: what a message has beyond the words in registers.
 *
 * Rules: words from 4 on, handles and segments lie in the message page of who sends, as
 * kernel/abi/message.h has it, and arrive in the page of who receives. message_page() is that of the calling
 * thread, or in a service that of its run; a caller's is made when it is first asked for, so who expects a long reply asks
 * for it before. A sender that says more than the receiver has room for is refused: the receiver
 * sees nothing, and the sender may go on. A call says so to the caller, a return to the service, whose
 * caller then gets an empty reply with that status (service.h). The errors of both, beside those of short messages:
 * ERR_INVALID: the sender has no page; a segment of more than MAX_SEGMENT_BYTES. ERR_TOO_LONG: the receiver has no
 * page (a service in the kernel: knows no long messages), or its n-th window is smaller than the n-th
 * segment. ERR_BAD_HANDLE: no such handle. ERR_NO_RIGHT: a handle without RIGHT_TRANSFER, or with less than the
 * rights that are to arrive. ERR_FAULT: a segment is not mapped, or its window not writable, or another thread unmapped
 * one of them meanwhile; a window that only the caller's pager could provide. ERR_NO_SPACE: the
 * receiver can have no more handles. ERR_NO_MEMORY: its quota is used up, or there are no pages for a window.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "kernel/abi/message.h"
#include "kernel/abi/rights.h"
#include "kernel/abi/status.h"

/*
 * SYS_MESSAGE_PAGE: from now on the message page of the calling thread is at `page`, one page of a contiguous memory
 * object that is mapped writable; or it has none (NULL). The kernel keeps the page, also when it is unmapped here.
 * ERR_INVALID: not aligned, or not of such an object; or called in a service, whose page is that of its stack.
 * ERR_FAULT: nothing writable is mapped there. message_page() is the easy way.
 */
status_t message_page_set(struct message_page *page);

/* Makes a page and maps it: ERR_NO_MEMORY, ERR_NO_SPACE. It goes when it is unmapped and nobody uses it. */
status_t message_page_alloc(struct message_page **page);

/* Where the library keeps the address of the page of a thread or a run. */
static inline struct message_page **message_page_place(void)
{
    uintptr_t tp;

    __asm__("mv %0, tp" : "=r"(tp));
    return (struct message_page **)(tp - 16); /* user/lib/tls_priv.h */
}

/* message_page() for who has none yet. */
struct message_page *message_page_make(void);

/* The message page of this thread or this run; NULL: there is none, and no memory for one. It stays the same. */
static inline struct message_page *message_page(void)
{
    struct message_page *page = *message_page_place();

    return page != NULL ? page : message_page_make();
}

/* Fills in the n-th handle that is to be sent. */
static inline void message_put_handle(uint32_t n, handle_t handle, rights_t rights)
{
    message_page()->handle[n] = (struct message_handle){.handle = handle, .rights = rights};
}

/* Says where the n-th segment that is to be sent lies. */
static inline void message_put_segment(uint32_t n, const void *from, uint64_t bytes)
{
    message_page()->send[n] = (struct message_segment){.address = (uintptr_t)from, .bytes = bytes};
}

/* Says where the n-th segment that is received shall go. It stays so. */
static inline void message_set_window(uint32_t n, void *to, uint64_t bytes)
{
    message_page()->receive[n] = (struct message_segment){.address = (uintptr_t)to, .bytes = bytes};
}
