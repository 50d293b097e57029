/* SPDX-License-Identifier: MIT */
/*
 * The console service's input half. The reader's own thread blocks here, inside the activation,
 * until the serial line's interrupt wakes it.
 *
 * Bytes leave the driver's ring for `input.bytes` and stay there until a copy to a reader has
 * succeeded, so a reader that dies or gives a bad buffer loses no input.
 */
#include <string.h>

#include "arch/console.h"
#include "arch/platform.h"
#include "arch/timer.h"
#include "arch/upcall.h"
#include "ipc/operation.h"
#include "kernel/abi/syscall.h"
#include "sched/sched.h"
#include "services/console/protocol.h"

#define POLL_NS 10000000UL

/* Initialised here and not at start: the interrupt may come before the service starts. */
static struct wait_queue input_queue = {
    .lock = SPINLOCK_INIT("console.input"),
    .waiters = LIST_INIT(input_queue.waiters),
};

/* Only the holder of the port's baton touches it. */
static struct {
    size_t count;
    char bytes[256];
} input;

void upcall_console_input(void)
{
    wait_queue_wake_all(&input_queue);
}

/* Take what the driver has; true when there is something to give to the reader. */
static bool input_collect(void *unused)
{
    int byte;

    (void)unused;
    while (input.count < sizeof(input.bytes) && (byte = console_read_byte()) >= 0) {
        input.bytes[input.count++] = (char)byte;
    }
    return input.count > 0;
}

/* Refuse a bad buffer now rather than after a wait that may last for ever. The range is shorter
 * than a page, so its first and last byte stand for all of it. */
static status_t input_probe(const struct request *request, uint64_t address, size_t bytes)
{
    static const char zero = 0;
    status_t status;

    _Static_assert(sizeof(input.bytes) <= PAGE_BYTES, "two bytes stand for the range");
    if (address + bytes < address) {
        return ERR_FAULT;
    }
    status = request_copy_out(request, address, &zero, 1);
    if (status == OK) {
        status = request_copy_out(request, address + bytes - 1, &zero, 1);
    }
    return status;
}

/* Block until there is input. A line without an interrupt has to be looked at now and then. */
static status_t input_wait(void)
{
    status_t status;

    do {
        nsec_t deadline = platform.uart.irq != 0 ? DEADLINE_NONE : timer_now_ns() + POLL_NS;

        status = wait_queue_wait(&input_queue, deadline, input_collect, NULL);
    } while (status == ERR_TIMED_OUT);
    return status;
}

static status_t input_read(struct request *request)
{
    uint64_t *word = request->message->word;
    size_t bytes = min_u64(word[1], sizeof(input.bytes));
    status_t status;

    if (bytes == 0) {
        return ERR_INVALID;
    }
    status = input_probe(request, word[0], bytes);
    if (status == OK) {
        status = input_wait();
    }
    if (status != OK) {
        return status;
    }
    bytes = min_u64(bytes, input.count);
    status = request_copy_out(request, word[0], input.bytes, bytes);
    if (status == OK) {
        input.count -= bytes;
        memmove(input.bytes, input.bytes + bytes, input.count);
        word[0] = bytes;
    }
    return status;
}

static const struct operation operations[] = {
    {CONSOLE_INPUT_READ, 2, 1, input_read},
};

static void input_handle(struct request *request)
{
    operation_dispatch(request, operations, ARRAY_SIZE(operations));
}

SERVICE(console_input_service) = {
    .name = "console.input",
    .handle = input_handle,
};
