/* SPDX-License-Identifier: MIT */
#include "user/lib/message_page.h"

#include "user/lib/memory.h"
#include "user/lib/object.h"
#include "user/lib/tls_priv.h"

_Static_assert(TLS_CONTROL_BYTES == 16, "message_page_place");

status_t message_page_alloc(struct message_page **page)
{
    int64_t memory = memory_create(PAGE_BYTES, MEMORY_CONTIGUOUS);
    int64_t mapped;

    if (memory < 0) {
        return memory;
    }
    mapped =
        memory_map_object(NULL, PAGE_BYTES, PROTECT_READ | PROTECT_WRITE, (handle_t)memory, 0, 0);
    handle_close((handle_t)memory);
    if (mapped < 0) {
        return mapped;
    }
    *page = (struct message_page *)(uintptr_t)mapped;
    return OK;
}

struct message_page *message_page_make(void)
{
    struct message_page *page;

    if (message_page_alloc(&page) != OK) {
        return NULL;
    }
    if (message_page_set(page) != OK) {
        memory_unmap(page, PAGE_BYTES);
        return NULL;
    }
    *message_page_place() = page;
    return page;
}
