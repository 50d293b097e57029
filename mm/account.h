/* SPDX-License-Identifier: MIT */
/*
 * A domain's memory account: how many pages it holds and may hold, and its heaps.
 *
 * Rules: whoever takes pages for a domain charges first and uncharges after giving them back;
 * mm/spmalloc does so for objects. Charging is lock-free, any context, never blocks. The account
 * belongs to whoever embeds it, who ends it with account_finish before its memory goes.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct heap;

struct account {
    uint64_t pages;       /* charged now, by every core through the calls below */
    uint64_t limit;       /* new pages only up to here; account_close makes it 0 */
    uint32_t ended;       /* its heaps go when they are empty */
    struct heap *no_heap; /* &heap_none: what the allocator sees while allocations are to fail */
    struct heap *heap[MAX_CORES]; /* each core writes its own; &heap_none until it is used there */
};

#define ACCOUNT_UNLIMITED UINT64_MAX

/* What belongs to no domain but the kernel's; without a limit. */
extern struct account kernel_account;

void account_init(struct account *account, uint64_t limit_pages);

/* Charges `pages` or, with ERR_NO_MEMORY, nothing at all. */
WARN_UNUSED status_t account_charge_pages(struct account *account, uint64_t pages);

/* Charges beyond the limit, for what must not fail for want of quota. */
void account_charge_pages_always(struct account *account, uint64_t pages);

/* Gives back pages charged before; more than is charged is a bug and panics. */
void account_uncharge_pages(struct account *account, uint64_t pages);

/* A snapshot. */
uint64_t account_pages(const struct account *account);

/* No page is charged from now on; what is there stays. Any context. */
void account_close(struct account *account);

/*
 * Brings home what is free: afterwards only pages with something in use are charged. For an account
 * that has been closed. Thread context, interrupts on; may take as long as a few interrupts on
 * every core.
 */
void account_settle(struct account *account);

/*
 * The end: settles; then nothing may be left. What is left is printed (with its call sites in
 * debug builds) and becomes the kernel's, so that it can still be freed. Returns how many objects
 * that were. Nobody else knows the account any more. Thread context, interrupts on.
 */
uint64_t account_finish(struct account *account);

/* Has account_settle been called? Any context. */
bool account_has_ended(const struct account *account);
