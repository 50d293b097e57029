/* SPDX-License-Identifier: MIT */
/*
 * A line of text that is being edited, one input byte at a time.
 *
 * Rules: pure, no input or output: line_feed says what the screen and the history have to do.
 * Understands ANSI cursor keys and the usual control keys. The text is zero-terminated always.
 */
#pragma once

#include <stddef.h>

#define LINE_BYTES 256 /* with the terminating zero */

enum line_action {
    LINE_NOTHING,  /* no change to be seen */
    LINE_APPENDED, /* the byte was added at the end and can simply be echoed */
    LINE_CHANGED,  /* draw again */
    LINE_DONE,     /* the line is complete */
    LINE_CANCEL,   /* ^C: start over */
    LINE_CLEAR,    /* ^L: clear the screen, draw again */
    LINE_OLDER,    /* up: the caller may put in an older line */
    LINE_NEWER,    /* down */
};

struct line {
    char text[LINE_BYTES];
    size_t length;
    size_t cursor; /* 0..length */
    enum { LINE_PLAIN, LINE_ESCAPE, LINE_BRACKET } state;
    unsigned number;  /* of the escape sequence */
    int after_return; /* a \n right behind a \r is the same line end */
};

/* An empty line. */
void line_reset(struct line *line);

/* Replaces the text, cut to what fits; the cursor goes to the end. */
void line_set(struct line *line, const char *text);

/* Takes one byte of input. A full line refuses more text. */
enum line_action line_feed(struct line *line, char byte);
