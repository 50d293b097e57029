/* SPDX-License-Identifier: MIT */
/*
 * Reader of a cpio archive in the "newc" format (magic 070701), the boot archive.
 *
 * Rules: cpio_check walks the whole archive once and validates every field; after it the
 * other functions cannot leave the archive. Nothing is copied. Names are kept as they are in
 * the archive, without a leading "./" or "/". Only regular files are found by name.
 * Source: cpio(5), "New ASCII Format".
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct cpio {
    const uint8_t *base;
    size_t bytes;
};

struct cpio_entry {
    const char *name; /* zero-terminated, inside the archive */
    const uint8_t *data;
    size_t bytes;
    uint32_t mode; /* type and permission bits */
    size_t next;   /* offset of the following header; 0 to begin */
};

/*
 * Checks the archive and fills `archive`. ERR_BAD_FORMAT with *why, a constant text that
 * names the field, when anything is wrong: magic, digits, sizes, names, padding, trailer.
 */
WARN_UNUSED status_t cpio_check(const void *base, size_t bytes, struct cpio *archive,
                                const char **why);

/*
 * Steps to the next entry (directories and links too; not the trailer): begin with
 * `struct cpio_entry entry = {0}`. False at the end.
 */
bool cpio_next(const struct cpio *archive, struct cpio_entry *entry);

bool cpio_is_regular(const struct cpio_entry *entry);

/* The regular file of that name. ERR_NOT_FOUND leaves the out-parameters as they were. */
WARN_UNUSED status_t cpio_find(const struct cpio *archive, const char *name, const uint8_t **data,
                               size_t *bytes);
