/* SPDX-License-Identifier: MIT */
/*
 * The console service's output half: copy the caller's bytes once, then write them in one piece.
 */
#include "arch/console.h"
#include "ipc/operation.h"
#include "services/console/protocol.h"

/* Only the holder of the port's baton touches it. */
static char output_buffer[CONSOLE_WRITE_MAX];

static status_t output_write(struct request *request)
{
    uint64_t *word = request->message->word;
    size_t bytes = min_u64(word[1], CONSOLE_WRITE_MAX);
    status_t status = request_copy_in(request, output_buffer, word[0], bytes);

    if (status == OK) {
        console_write(output_buffer, bytes);
        word[0] = bytes;
    }
    return status;
}

static const struct operation operations[] = {
    {CONSOLE_WRITE, 2, 1, output_write},
};

static void output_handle(struct request *request)
{
    operation_dispatch(request, operations, ARRAY_SIZE(operations));
}

SERVICE(console_output_service) = {
    .name = "console",
    .handle = output_handle,
};
