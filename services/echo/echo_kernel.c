/* SPDX-License-Identifier: MIT */
/*
 * The echo service placed in the kernel; echo.h does not know it.
 */
#include "ipc/leaf.h"
#include "ipc/service.h"
#include "services/echo/echo.h"

static struct echo echo;

SERVICE_LEAF(echo_leaf, &echo, echo_handle);

SERVICE(echo_service) = {
    .name = "echo",
    .combines = true,
    .leaf = &echo_leaf,
};
