/* SPDX-License-Identifier: MIT */
#include "sched/archive.h"

#include "kernel/base/cpio.h"

/* Set once by archive_init; base is NULL while there is no archive. */
static struct cpio archive;

status_t archive_init(const void *base, size_t bytes, const char **why)
{
    struct cpio checked = {0};
    status_t status;

    archive = (struct cpio){0};
    if (base == NULL || bytes == 0) {
        *why = "there is no boot archive";
        return ERR_BAD_FORMAT;
    }
    status = cpio_check(base, bytes, &checked, why);
    if (status == OK) {
        archive = checked;
    }
    return status;
}

status_t archive_find(const char *name, const void **data, size_t *bytes)
{
    const uint8_t *found = NULL;
    status_t status;

    if (archive.base == NULL) {
        return ERR_NOT_FOUND;
    }
    status = cpio_find(&archive, name, &found, bytes);
    if (status == OK) {
        *data = found;
    }
    return status;
}

status_t archive_entry(uint64_t index, const char **name, size_t *bytes)
{
    struct cpio_entry entry = {0};

    if (archive.base == NULL) {
        return ERR_NOT_FOUND;
    }
    while (cpio_next(&archive, &entry)) {
        if (!cpio_is_regular(&entry)) {
            continue;
        }
        if (index == 0) {
            *name = entry.name;
            *bytes = entry.bytes;
            return OK;
        }
        index--;
    }
    return ERR_NOT_FOUND;
}
