/* SPDX-License-Identifier: MIT */
/*
 * The manifest: what init starts, a line a program.
 *
 *   start PROGRAM [ARGUMENT...]     words are separated by blanks
 *       register PATTERN...         names that the program above may register: a name, or the beginning
 *                                   of names with a `*` behind it; without such a line none
 *   # a comment, also behind a line
 *
 * Rules: pure; parsing writes zeros into the line and points into it.
 */
#pragma once

#include "kernel/abi/limits.h"

enum manifest_kind {
    MANIFEST_EMPTY, /* nothing on the line */
    MANIFEST_START,
    MANIFEST_REGISTER,
    MANIFEST_BAD, /* `why` says what is wrong */
};

struct manifest_line {
    enum manifest_kind kind;
    int argc;
    const char *argv[MAX_ARGUMENTS]; /* argv[0] is the program; or patterns */
    const char *why;
};

/* Parses one zero-terminated line without its line end. */
void manifest_parse(char *line, struct manifest_line *out);
