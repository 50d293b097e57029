/* SPDX-License-Identifier: MIT */
/*
 * An address space to test with, and the check that nothing is left of it.
 *
 * Rules: space_start first in a test, space_finish last.
 */
#pragma once

#include "kernel/abi/limits.h"
#include "kernel/abi/syscall.h"
#include "mm/vspace.h"

#define SPACE_RAM_PAGES 4096U
#define SPACE_QUOTA_PAGES 1000U
#define SPACE_BASE 0x10000UL
#define SPACE_RW (PROTECT_READ | PROTECT_WRITE)

extern struct account space_account;
extern struct vspace *space;

/* Makes a machine, the account and the space. */
void space_start(void);

/* Ends the space; fails the test if a page, an object or a charge is left. */
void space_finish(void);

/* Maps pages at an address, readable and writable. */
WARN_UNUSED status_t space_map(vaddr_t address, uint64_t pages);

/* Maps an object there, readable and writable. */
WARN_UNUSED status_t space_map_object(vaddr_t address, struct memory *memory, uint64_t first,
                                      uint64_t pages);

/* True when the user could read there: touches the page. */
bool space_is_mapped(vaddr_t address);

/* Touches every page for reading. */
void space_touch(vaddr_t address, uint64_t pages);

/* True when the page is entered with this access, without touching it. */
bool space_is_entered(vaddr_t address, uint32_t access);

/* What a user's store and load of a word do; `store` is the status. */
WARN_UNUSED status_t space_store(vaddr_t address, uint64_t word);
uint64_t space_load(vaddr_t address);

/* The calling thread becomes core `cpu` and runs in `where`, or in the kernel's space for NULL. space_start
 * leaves it as core 0. */
void space_run_core(cpu_t cpu, struct vspace *where);
