/* SPDX-License-Identifier: MIT */
/*
 * The boot archive: the files that came with the kernel, read only.
 *
 * Rules: archive_init once, on the boot core, before anything else asks; after it everything is
 * constant and needs no lock, in any context. Data is not copied: a pointer that comes out stays
 * valid for ever. Without an archive, or with a damaged one, there are simply no files.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

/* Check the archive at [base, base + bytes) and keep it. ERR_BAD_FORMAT with a sentence in *why
 * (not NULL); there are then no files. */
WARN_UNUSED status_t archive_init(const void *base, size_t bytes, const char **why);

/* The regular file of that name. ERR_NOT_FOUND leaves *data and *bytes alone. O(files). */
WARN_UNUSED status_t archive_find(const char *name, const void **data, size_t *bytes);

/* The regular file with that index, from 0, in the archive's order: its zero-terminated name and
 * size. ERR_NOT_FOUND past the last one leaves both alone. O(files). */
WARN_UNUSED status_t archive_entry(uint64_t index, const char **name, size_t *bytes);
