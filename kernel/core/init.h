/* SPDX-License-Identifier: MIT */
/*
 * The first program.
 *
 * Rules: thread context, once, after the services stand.
 */
#pragma once

/* Read the boot archive and start its program `init`. Without a usable archive or program: a
 * message that says what to do, then power off with exit code 2. */
void init_start(void);
