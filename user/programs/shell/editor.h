/* SPDX-License-Identifier: MIT */
/*
 * Reads a line from the console, with editing and history.
 *
 * Rules: one reader; it is the only one of the program that reads the console. Lines longer
 * than the screen is wide are read correctly but not drawn well.
 */
#pragma once

#include "kernel/abi/status.h"
#include "user/programs/shell/line.h"

/* Shows the prompt and reads until return. The text has no line end. An error of the console. */
status_t editor_read(const char *prompt, char text[LINE_BYTES]);
