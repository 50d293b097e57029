/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/history.h"

#include <string.h>

#define HISTORY_LINES 64

static char lines[HISTORY_LINES][LINE_BYTES]; /* a ring; line i lies at i % HISTORY_LINES */
static char begun[LINE_BYTES];                /* what was typed before the walk */
static size_t count;                          /* lines ever added */
static size_t back;                           /* how far the walk went; 0: none */

void history_add(const char *text)
{
    back = 0;
    if (text[0] == '\0' || (count > 0 && strcmp(lines[(count - 1) % HISTORY_LINES], text) == 0)) {
        return;
    }
    strncpy(lines[count % HISTORY_LINES], text, LINE_BYTES - 1);
    count++;
}

const char *history_older(const char *current)
{
    if (back == count || back == HISTORY_LINES) {
        return NULL;
    }
    if (back == 0) {
        strncpy(begun, current, LINE_BYTES - 1);
    }
    back++;
    return lines[(count - back) % HISTORY_LINES];
}

const char *history_newer(void)
{
    if (back == 0) {
        return NULL;
    }
    back--;
    return back == 0 ? begun : lines[(count - back) % HISTORY_LINES];
}
