/* SPDX-License-Identifier: MIT */
/*
 * A domain's memory account: how many pages it holds and how many it may hold.
 *
 * Rules: whoever takes pages for a domain charges first and uncharges after giving them back;
 * a domain ends with an account of zero. Lock-free, any context, never blocks. The account
 * belongs to whoever embeds it.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct account {
    uint64_t pages; /* charged now; pages <= limit, by every core through the calls below */
    uint64_t limit; /* fixed by account_init */
};

#define ACCOUNT_UNLIMITED UINT64_MAX

/* What belongs to no domain but the kernel's; without a limit. */
extern struct account kernel_account;

void account_init(struct account *account, uint64_t limit_pages);

/* Charges `pages` or, with ERR_NO_MEMORY, nothing at all. */
WARN_UNUSED status_t account_charge_pages(struct account *account, uint64_t pages);

/* Gives back pages charged before; more than is charged is a bug and panics. */
void account_uncharge_pages(struct account *account, uint64_t pages);

/* A snapshot. */
uint64_t account_pages(const struct account *account);
