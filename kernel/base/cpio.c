/* SPDX-License-Identifier: MIT */
/*
 * The cpio reader. An entry is a header of 110 characters (a magic and 13 numbers of eight
 * hexadecimal digits), the name with its zero, padding to 4, the data, padding to 4.
 */
#include "kernel/base/cpio.h"

#include <string.h>

#define HEADER_BYTES 110U
#define MAGIC "070701"
#define MAGIC_BYTES 6U
#define FIELD_DIGITS 8U
#define TRAILER "TRAILER!!!"
#define MAX_NAME 256U

/* Numbers of the header in their order. */
enum field {
    FIELD_INODE = 0,
    FIELD_MODE = 1,
    FIELD_FILE_BYTES = 6,
    FIELD_NAME_BYTES = 11,
    FIELD_CHECKSUM = 12,
    FIELD_COUNT = 13,
};

static const char *const field_wrong[FIELD_COUNT] = {
    "c_ino is not a hexadecimal number",       "c_mode is not a hexadecimal number",
    "c_uid is not a hexadecimal number",       "c_gid is not a hexadecimal number",
    "c_nlink is not a hexadecimal number",     "c_mtime is not a hexadecimal number",
    "c_filesize is not a hexadecimal number",  "c_devmajor is not a hexadecimal number",
    "c_devminor is not a hexadecimal number",  "c_rdevmajor is not a hexadecimal number",
    "c_rdevminor is not a hexadecimal number", "c_namesize is not a hexadecimal number",
    "c_check is not a hexadecimal number",
};

#define MODE_TYPE_MASK 0170000U
#define MODE_REGULAR 0100000U

static bool parse_hex(const uint8_t *digits, uint32_t *value)
{
    uint32_t result = 0;

    for (unsigned i = 0; i < FIELD_DIGITS; i++) {
        uint8_t c = digits[i];
        uint8_t letter = c | 0x20; /* lower case */

        if (c >= '0' && c <= '9') {
            result = result << 4 | (uint32_t)(c - '0');
        } else if (letter >= 'a' && letter <= 'f') {
            result = result << 4 | (uint32_t)(letter - 'a' + 10);
        } else {
            return false;
        }
    }
    *value = result;
    return true;
}

/* Drops what means "from the root of the archive". */
static const char *plain_name(const char *name)
{
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/')) {
        name += name[0] == '/' ? 1 : 2;
    }
    return name;
}

/* Parses the entry at `offset`, checking all of it. Returns what is wrong, or NULL. */
static const char *parse_entry(const struct cpio *archive, size_t offset, struct cpio_entry *entry)
{
    size_t left = archive->bytes - offset;
    const uint8_t *header = archive->base + offset;
    const char *name = (const char *)header + HEADER_BYTES;
    uint32_t field[FIELD_COUNT];
    size_t data;
    size_t end;

    if (left < HEADER_BYTES) {
        return "the archive ends inside a header";
    }
    if (memcmp(header, MAGIC, MAGIC_BYTES) != 0) {
        return "c_magic is not 070701";
    }
    for (unsigned i = 0; i < FIELD_COUNT; i++) {
        if (!parse_hex(header + MAGIC_BYTES + (size_t)i * FIELD_DIGITS, &field[i])) {
            return field_wrong[i];
        }
    }
    if (field[FIELD_CHECKSUM] != 0) {
        return "c_check is not zero";
    }
    if (field[FIELD_NAME_BYTES] < 2 || field[FIELD_NAME_BYTES] > MAX_NAME) {
        return "c_namesize is not between 2 and 256";
    }
    if (field[FIELD_NAME_BYTES] > left - HEADER_BYTES) {
        return "c_namesize is not within the archive";
    }
    if (strnlen(name, field[FIELD_NAME_BYTES]) + 1 != field[FIELD_NAME_BYTES]) {
        return "a name does not end where c_namesize says";
    }
    data = ALIGN_UP(HEADER_BYTES + field[FIELD_NAME_BYTES], 4);
    if (data > left || field[FIELD_FILE_BYTES] > left - data) {
        return "c_filesize is not within the archive";
    }
    end = ALIGN_UP(data + field[FIELD_FILE_BYTES], 4);
    *entry = (struct cpio_entry){
        .name = plain_name(name),
        .data = header + data,
        .bytes = field[FIELD_FILE_BYTES],
        .mode = field[FIELD_MODE],
        .next = end < left ? offset + end : archive->bytes,
    };
    return NULL;
}

static bool is_trailer(const struct cpio_entry *entry)
{
    return entry->bytes == 0 && strcmp(entry->name, TRAILER) == 0;
}

bool cpio_is_regular(const struct cpio_entry *entry)
{
    return (entry->mode & MODE_TYPE_MASK) == MODE_REGULAR;
}

status_t cpio_check(const void *base, size_t bytes, struct cpio *archive, const char **why)
{
    struct cpio result = {.base = base, .bytes = bytes};
    struct cpio_entry entry = {0};
    const char *wrong;

    do {
        wrong = parse_entry(&result, entry.next, &entry);
        if (wrong == NULL && !is_trailer(&entry) && entry.name[0] == '\0') {
            wrong = "a name is empty";
        }
        if (wrong == NULL && !is_trailer(&entry) && entry.next == bytes) {
            wrong = "the archive has no TRAILER!!! entry";
        }
    } while (wrong == NULL && !is_trailer(&entry));
    if (wrong != NULL) {
        *why = wrong;
        return ERR_BAD_FORMAT;
    }
    *archive = result;
    return OK;
}

bool cpio_next(const struct cpio *archive, struct cpio_entry *entry)
{
    struct cpio_entry found;

    /* Only past the trailer can there be something unchecked, and it is never returned. */
    if (parse_entry(archive, entry->next, &found) != NULL || is_trailer(&found)) {
        return false;
    }
    *entry = found;
    return true;
}

status_t cpio_find(const struct cpio *archive, const char *name, const uint8_t **data,
                   size_t *bytes)
{
    struct cpio_entry entry = {0};
    const char *wanted = plain_name(name);

    while (cpio_next(archive, &entry)) {
        if (cpio_is_regular(&entry) && strcmp(entry.name, wanted) == 0) {
            *data = entry.data;
            *bytes = entry.bytes;
            return OK;
        }
    }
    return ERR_NOT_FOUND;
}
