/* SPDX-License-Identifier: MIT */
/*
 * The lines that were entered, newest last.
 *
 * Rules: one per program, fixed size: the oldest line makes room. While the user walks through
 * it, the line that he had begun is kept as the newest.
 */
#pragma once

#include "user/programs/shell/line.h"

/* Notes an entered line, unless it is empty or the same as the last one; ends a walk. */
void history_add(const char *text);

/* One line older or newer than the last answer; `current` is what the screen shows now.
 * NULL at either end. */
const char *history_older(const char *current);
const char *history_newer(void);
