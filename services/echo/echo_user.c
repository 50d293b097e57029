/* SPDX-License-Identifier: MIT */
/* The echo service in a domain of its own, under the name `echo.user` or the first argument. */
#include <stdio.h>

#include "services/echo/echo.h"
#include "user/lib/baton.h"

SERVICE_ENTRY(echo_entry, echo_handle)

int main(int argc, char **argv)
{
    static struct echo echo;
    static char text[ECHO_SEGMENT_BYTES];
    const struct message_segment window = {(uintptr_t)text, sizeof(text)};
    const char *name = argc > 1 ? argv[1] : "echo.user";
    handle_t port;
    status_t status =
        service_create_entry_windows(PORT_COMBINING, echo_entry, &echo, &window, 1, &port);

    if (status == OK) {
        status = lookup_register(name, port);
    }
    if (status != OK) {
        printf("%s: cannot serve %s: %s\n", argv[0], name, status_text(status));
        return 1;
    }
    for (;;) {
        thread_sleep(DEADLINE_NONE);
    }
}
