/* SPDX-License-Identifier: MIT */
/*
 * The echo service placed in the kernel; echo.h does not know it.
 */
#include "ipc/service.h"
#include "services/echo/echo.h"

static struct echo echo;

static void echo_serve(struct request *request)
{
    echo_handle(&echo, request->badge, request->message);
}

SERVICE(echo_service) = {
    .name = "echo",
    .handle = echo_serve,
    .combines = true,
};
