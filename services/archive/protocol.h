/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the `archive` service: the files of the boot archive, read only.
 *
 * Rules: a name is 1 to ARCHIVE_NAME_BYTES bytes, passed as address and length in the caller's
 * memory, and has to match exactly. The label of the reply is the service's status (int32).
 * Errors of every operation: ERR_FAULT (an address is not mapped with the access needed),
 * ERR_INVALID (length of the name), ERR_NOT_FOUND (no such file, or index past the last one),
 * ERR_BAD_FORMAT (the archive is damaged there), ERR_UNKNOWN_CALL (no such label).
 */
#pragma once

#include <stdint.h>

#define ARCHIVE_NAME_BYTES 255

enum archive_call {
    /* w0 index, w1 buffer address, w2 buffer bytes -> w0 name bytes, w1 file bytes. The name is
     * written without a terminating zero and cut to the buffer; w0 is its full length. */
    ARCHIVE_LIST = 1,
    /* w0 name address, w1 name bytes -> w0 file bytes. */
    ARCHIVE_SIZE = 2,
    /* w0 address of a struct archive_read in the caller's memory -> w0 bytes read: fewer than
     * asked only at the end of the file, 0 from there on. */
    ARCHIVE_READ = 3,
};

struct archive_read {
    uint64_t name_address;
    uint64_t name_bytes;
    uint64_t offset; /* bytes from the start of the file */
    uint64_t buffer_address;
    uint64_t buffer_bytes;
};
_Static_assert(sizeof(struct archive_read) == 40, "no padding in a protocol structure");
