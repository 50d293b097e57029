/* SPDX-License-Identifier: MIT */
/* Servers: ports that are opened, named, closed and opened again; and the services among them. */
#include "user/programs/ipc-user/protocol.h"

#define REOPENINGS 12U
#define OPEN_NS 30000000UL

/* A port that was closed may still be run beside its successor: each has a window of its own. */
static unsigned char windows[REOPENINGS][IPC_SEGMENT_MOST];

void register_port(uint32_t number, handle_t port)
{
    char name[TORTURE_NAME_BYTES];
    status_t status;

    port_name(number, name);
    status = lookup_register(name, port);
    /* The one before may not be gone yet: then nobody finds this one. */
    if (status != OK && status != ERR_EXISTS) {
        complain("lookup_register", status);
    }
}

void rest_open(uint32_t *random)
{
    (void)thread_sleep(clock_ns() + next_random(random) % OPEN_NS);
}

/* The long part of a request: what came is what was sent, and the handle works. */
static void run_long(const unsigned char *arrived, struct message *message)
{
    struct message_page *page = message_page();
    uint64_t bytes = page->received[0].bytes;
    uint64_t back = bytes < IPC_RETURNED_MOST ? bytes : IPC_RETURNED_MOST;
    uint64_t request = message->word[0];
    handle_t handle = page->handle[0].handle;
    status_t status;

    if (page->word[4] != request || page->word[5] != ipc_sum(arrived, bytes)) {
        complain("words or segment of a long message", ERR_BAD_FORMAT);
    }
    /* Its maker may have ended, or taken it back. */
    status = notification_signal(handle, 1);
    if (status != OK && status != ERR_PEER_DIED && status != ERR_STALE && status != ERR_CANCELLED &&
        status != ERR_BAD_HANDLE) {
        complain("signal", status);
    }
    (void)handle_close(handle);
    run_request(message);
    if (message_status(message) == OK) {
        page->word[4] = request;
        page->word[5] = ipc_sum(arrived, back);
        message_put_segment(0, arrived, back);
        message->tag = MESSAGE_TAG_LONG(OK, IPC_LONG_WORDS, 0, 1);
    }
}

static void serve(void *context, uint64_t badge, struct message *message)
{
    (void)badge;
    if (message_label(message->tag) == IPC_WITH_PAGE) {
        run_long(context, message);
    } else {
        run_request(message);
    }
}

static void serve_calls(uint32_t server, unsigned char *arrived, uint32_t *random)
{
    const struct message_segment window = {(uintptr_t)arrived, IPC_SEGMENT_MOST};
    handle_t port;
    status_t status = server == IPC_LONG ? service_create_windows(serve, arrived, &window, 1, &port)
                      : server == IPC_COMBINING ? service_create_combining(serve, NULL, &port)
                                                : service_create(serve, NULL, &port);

    if (status != OK) {
        complain("service_create", status);
    }
    if (server == IPC_EXCLUSIVE) {
        (void)port_configure(port, IPC_LITTLE_ROOM, 0, 1, PRIORITY_SHARING);
    }
    register_port(server, port);
    rest_open(random);
    (void)port_close(port);
}

void be_server(uint32_t server, uint32_t seed)
{
    for (unsigned i = 0; i < REOPENINGS; i++) {
        if (ipc_is_mailbox(server)) {
            serve_mailbox(server, &seed);
        } else {
            serve_calls(server, windows[i], &seed);
        }
    }
}
