/* SPDX-License-Identifier: MIT */
/*
 * The archive service: the boot archive's files for user programs. Data goes straight from the
 * archive to the caller's pages.
 */
#include "ipc/operation.h"
#include "sched/archive.h"
#include "services/archive/protocol.h"

/* Only the holder of the port's baton touches it. */
static char name_buffer[ARCHIVE_NAME_BYTES + 1];

static status_t find_file(const struct request *request, uint64_t address, uint64_t name_bytes,
                          const void **data, size_t *bytes)
{
    status_t status =
        operation_read_name(request, address, name_bytes, ARCHIVE_NAME_BYTES, name_buffer);

    return status == OK ? archive_find(name_buffer, data, bytes) : status;
}

static status_t list_file(struct request *request)
{
    uint64_t *word = request->message->word;
    const char *name;
    size_t bytes;
    status_t status = archive_entry(word[0], &name, &bytes);

    if (status == OK) {
        status = operation_write_text(request, word[1], word[2], name, &word[0]);
        word[1] = bytes;
    }
    return status;
}

static status_t size_file(struct request *request)
{
    uint64_t *word = request->message->word;
    const void *data;
    size_t bytes;
    status_t status = find_file(request, word[0], word[1], &data, &bytes);

    if (status == OK) {
        word[0] = bytes;
    }
    return status;
}

static status_t read_file(struct request *request)
{
    uint64_t *word = request->message->word;
    struct archive_read read;
    const void *data;
    size_t file_bytes;
    size_t bytes;
    status_t status = request_copy_in(request, &read, word[0], sizeof(read));

    if (status == OK) {
        status = find_file(request, read.name_address, read.name_bytes, &data, &file_bytes);
    }
    if (status != OK) {
        return status;
    }
    bytes = read.offset < file_bytes ? min_u64(read.buffer_bytes, file_bytes - read.offset) : 0;
    if (bytes > 0) {
        status =
            request_copy_out(request, read.buffer_address, (const char *)data + read.offset, bytes);
    }
    if (status == OK) {
        word[0] = bytes;
    }
    return status;
}

static const struct operation operations[] = {
    {ARCHIVE_LIST, 3, 2, list_file},
    {ARCHIVE_SIZE, 2, 1, size_file},
    {ARCHIVE_READ, 1, 1, read_file},
};

static void archive_handle(struct request *request)
{
    operation_dispatch(request, operations, ARRAY_SIZE(operations));
}

SERVICE(archive_service) = {
    .name = "archive",
    .handle = archive_handle,
};
