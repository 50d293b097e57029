/* SPDX-License-Identifier: MIT */
/*
 * From an address to a function, by the symbol table inside an ELF64 file.
 *
 * Rules: the file need not be valid: every offset is checked against its size, and a file that makes
 * no sense has no symbols. Nothing is copied or allocated; any context. Cost: one pass over the table.
 * Source: System V ABI, chapter 4, "Symbol Table".
 */
#pragma once

#include "kernel/base/types.h"

/* The name of the function that `address` lies in, a zero-terminated text inside the file, and its
 * distance from the function's start; NULL if there is none. */
const char *elf_symbol_find(const void *base, size_t bytes, vaddr_t address, uint64_t *offset);
