/* SPDX-License-Identifier: MIT */
#include "user/lib/program.h"

const char *status_text(status_t status)
{
    static const char *const texts[] = {
        "ok",
        "an argument is out of range",
        "no such handle",
        "the handle names something else",
        "the handle lacks the right",
        "it was closed",
        "no memory",
        "a table is full",
        "an address is not mapped",
        "the serving domain died",
        "timed out",
        "cancelled",
        "it would block",
        "it would wait for itself",
        "too many nested calls",
        "it exists already",
        "not found",
        "no such operation",
        "bad format",
        "not allowed",
        "the receiver has no room for the message",
    };
    _Static_assert(sizeof(texts) / sizeof(texts[0]) == 1 - ERR_LAST, "one text a status");

    return status <= OK && status >= ERR_LAST ? texts[-status] : "unknown status";
}
