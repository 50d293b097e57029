/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/editor.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "user/lib/baton.h"
#include "user/programs/shell/history.h"

#define INPUT_BYTES 64
#define CLEAR_SCREEN "\x1b[H\x1b[2J"
#define CLEAR_LINE "\r\x1b[K"

static char input[INPUT_BYTES];
static size_t input_next;
static size_t input_end;

static status_t next_byte(char *byte)
{
    if (input_next == input_end) {
        int64_t got = console_read(input, INPUT_BYTES);

        if (got < 0) {
            return got;
        }
        input_next = 0;
        input_end = (size_t)got;
    }
    *byte = input[input_next++];
    return OK;
}

static void draw(const char *before, const char *prompt, const struct line *line)
{
    char out[LINE_BYTES + 128];
    size_t behind = line->length - line->cursor;
    int length = snprintf(out, sizeof(out), "%s%s%s", before, prompt, line->text);

    if (behind > 0) {
        length +=
            snprintf(out + length, sizeof(out) - (size_t)length, "\x1b[%uD", (unsigned)behind);
    }
    console_write(out, (size_t)length);
}

static void recall(const char *prompt, struct line *line, const char *text)
{
    if (text != NULL) {
        line_set(line, text);
        draw(CLEAR_LINE, prompt, line);
    }
}

/* Does what one byte asks for; true when the line is complete. */
static bool handle(const char *prompt, struct line *line, char byte)
{
    switch (line_feed(line, byte)) {
    case LINE_NOTHING:
        break;
    case LINE_APPENDED:
        console_write(&byte, 1);
        break;
    case LINE_CHANGED:
        draw(CLEAR_LINE, prompt, line);
        break;
    case LINE_DONE:
        console_write("\n", 1);
        return true;
    case LINE_CANCEL:
        line_reset(line);
        draw("^C\n", prompt, line);
        break;
    case LINE_CLEAR:
        draw(CLEAR_SCREEN, prompt, line);
        break;
    case LINE_OLDER:
        recall(prompt, line, history_older(line->text));
        break;
    case LINE_NEWER:
        recall(prompt, line, history_newer());
        break;
    }
    return false;
}

status_t editor_read(const char *prompt, char text[LINE_BYTES])
{
    static struct line line;

    line_reset(&line);
    fflush(stdout);
    draw("", prompt, &line);
    for (;;) {
        char byte;
        status_t status = next_byte(&byte);

        if (status != OK) {
            return status;
        }
        if (handle(prompt, &line, byte)) {
            break;
        }
    }
    strcpy(text, line.text);
    history_add(text);
    return OK;
}
