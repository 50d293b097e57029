/* SPDX-License-Identifier: MIT */
/*
 * The row of faults: another program touches a page that is not there, and this one, its pager, says "try again"
 * as often as is to be measured. So a round is a fault of that program, a run here, and the way back.
 */
#include "user/programs/bench/pager.h"

#include <stdbool.h>

#include "user/lib/baton.h"
#include "user/programs/bench/measure.h"

/* Until then this program's own thread sleeps, and what started the client has come to rest, on whatever core. */
#define WARM_UP (20 * MEASURE_WARM_UP)

struct faults {
    handle_t memory;  /* what the client gets in the end */
    uint64_t answers; /* still to be given before the count begins, then before it ends */
    bool counts;
    uint64_t count;
    uint64_t idles; /* meanwhile */
};

static void answer(void *context, uint64_t badge, struct message *message)
{
    struct faults *faults = context;

    (void)badge;
    message->tag = MESSAGE_TAG(OK, 4);
    message->word[0] = HANDLE_NONE;
    if (__builtin_expect(faults->answers-- != 0, 1)) {
        return;
    }
    if (!faults->counts) {
        faults->counts = true;
        faults->answers = MEASURE_LOOPS - 1;
        faults->idles = measure_idles();
        faults->count = measure_count();
        return;
    }
    faults->count = measure_count() - faults->count;
    faults->idles = measure_idles() - faults->idles;
    message->word[0] = faults->memory;
    message->word[1] = 0;
    message->word[2] = PROTECT_READ | PROTECT_WRITE;
    message->word[3] = 0;
}

SERVICE_ENTRY(answer_entry, answer)

/* Lets a client run with this pager; the status of the first thing that failed. */
static status_t run_client(handle_t port, handle_t go)
{
    static const char *const client[] = {"fault", "page-late"};
    struct program program;
    status_t status = program_start(client[0], 2, client, &program);

    if (status != OK) {
        return status;
    }
    status = domain_set_pager(program.domain, port);
    if (status == OK) {
        status = lookup_register("test-memory.go", go); /* it waits for that */
    }
    return program_wait(&program) == 0 ? status : ERR_FAULT;
}

void bench_fault_user_pager(const char *id)
{
    static struct faults faults;
    status_t status = OK;

    faults.idles = 1;
    for (int attempt = 0; status == OK && faults.idles != 0 && attempt < MEASURE_ATTEMPTS;
         attempt++) {
        handle_t go = (handle_t)port_create(PORT_MAILBOX, NULL, NULL, NULL, 0);
        handle_t port = HANDLE_NONE;

        faults = (struct faults){.memory = (handle_t)memory_create(PAGE_BYTES, MEMORY_ANONYMOUS),
                                 .answers = WARM_UP};
        status = service_create_entry(PORT_EXCLUSIVE, answer_entry, &faults, &port);
        if (status == OK) {
            status = run_client(port, go);
        }
        port_close(port);
        port_close(go);
        handle_close(faults.memory);
    }
    if (status != OK) {
        measure_fail(id, status_text(status));
        return;
    }
    measure_report_bare(id, faults.count, 1, faults.idles);
}
