/* SPDX-License-Identifier: MIT */
/*
 * The first program.
 *
 * Rules: thread context, once, after the services stand.
 */
#pragma once

/* Check the boot archive and make its files known; NULL, or a sentence that says what is wrong. */
const char *init_open_archive(void);

/* Start the program `init` of the archive. With a faulty archive, or without a usable program: a
 * message that says what to do, then power off with exit code 2. */
void init_start(const char *archive_fault);
