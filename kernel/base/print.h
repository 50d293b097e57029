/* SPDX-License-Identifier: MIT */
/*
 * Formatted text: the engine, strings, and the kernel's log.
 *
 * Rules: no allocation, no lock, no floating point; any context, also panic and before memory
 * is up. Conversions: %c %s %d %i %u %x %X %p %%, with `-`, `0`, width and precision (each a
 * number or `*`) and the lengths l, ll, z. Anything else comes out as it stands. A NULL string
 * prints as (null).
 *
 * One print() hands its whole text to the sink in one call; the sink takes what lock it needs,
 * so that lines of several cores do not mix. Text beyond PRINT_MAX_BYTES is cut and ends with
 * "...\n", so the loss shows.
 */
#pragma once

#include <stdarg.h>

#include "kernel/base/types.h"

#define PRINT_MAX_BYTES 512

/* Where the engine puts text; embed it in a structure with what `write` needs. */
struct format_sink {
    void (*write)(struct format_sink *sink, const char *bytes, size_t count);
};

/* Formats into the sink, in pieces of any length. */
void format(struct format_sink *sink, const char *text, va_list arguments) PRINTF_LIKE(2, 0);

/*
 * Formats into `buffer` of `size` bytes (may be 0), always ended by a zero. Returns the length
 * that the whole text has; it was cut when that is `size` or more.
 */
int format_string(char *buffer, size_t size, const char *text, ...) PRINTF_LIKE(3, 4);
int format_string_list(char *buffer, size_t size, const char *text, va_list arguments)
    PRINTF_LIKE(3, 0);

/* Writes to the kernel's log. Before a sink is set the text is lost. */
void print(const char *text, ...) PRINTF_LIKE(1, 2);
void print_list(const char *text, va_list arguments) PRINTF_LIKE(1, 0);

/* Registers the log's sink (NULL: none). Set at boot, and again by panic. */
void print_set_sink(void (*sink)(const char *bytes, size_t count));
