/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/line.h"

#include <string.h>

#define CONTROL(letter) ((letter) - '@')
#define ESCAPE 27
#define DELETE 127

void line_reset(struct line *line)
{
    int after_return = line->after_return;

    memset(line, 0, sizeof(*line));
    line->after_return = after_return;
}

void line_set(struct line *line, const char *text)
{
    line->length = strlen(text);
    if (line->length > LINE_BYTES - 1) {
        line->length = LINE_BYTES - 1;
    }
    memcpy(line->text, text, line->length);
    line->text[line->length] = '\0';
    line->cursor = line->length;
}

static enum line_action insert(struct line *line, char byte)
{
    if (line->length == LINE_BYTES - 1) {
        return LINE_NOTHING;
    }
    memmove(line->text + line->cursor + 1, line->text + line->cursor,
            line->length - line->cursor + 1);
    line->text[line->cursor++] = byte;
    line->length++;
    return line->cursor == line->length ? LINE_APPENDED : LINE_CHANGED;
}

/* Takes out the text between two places and leaves the cursor there. */
static enum line_action cut(struct line *line, size_t from, size_t to)
{
    if (from == to) {
        return LINE_NOTHING;
    }
    memmove(line->text + from, line->text + to, line->length - to + 1);
    line->length -= to - from;
    line->cursor = from;
    return LINE_CHANGED;
}

static enum line_action move(struct line *line, size_t to)
{
    enum line_action action = line->cursor == to ? LINE_NOTHING : LINE_CHANGED;

    line->cursor = to;
    return action;
}

static size_t left_of(const struct line *line)
{
    return line->cursor > 0 ? line->cursor - 1 : 0;
}

static size_t right_of(const struct line *line)
{
    return line->cursor < line->length ? line->cursor + 1 : line->length;
}

static size_t word_start(const struct line *line)
{
    size_t at = line->cursor;

    while (at > 0 && line->text[at - 1] == ' ') {
        at--;
    }
    while (at > 0 && line->text[at - 1] != ' ') {
        at--;
    }
    return at;
}

/* The key "ESC [ number ~", as some terminals send home, delete and end. */
static enum line_action numbered_key(struct line *line)
{
    switch (line->number) {
    case 1:
    case 7:
        return move(line, 0);
    case 3:
        return cut(line, line->cursor, right_of(line));
    case 4:
    case 8:
        return move(line, line->length);
    default:
        return LINE_NOTHING;
    }
}

static enum line_action bracket_key(struct line *line, char byte)
{
    if (byte >= '0' && byte <= '9') {
        line->number = line->number * 10 % 1000 + (unsigned)(byte - '0');
        return LINE_NOTHING;
    }
    if (byte == ';') {
        line->number = 0;
        return LINE_NOTHING;
    }
    line->state = LINE_PLAIN;
    switch (byte) {
    case 'A':
        return LINE_OLDER;
    case 'B':
        return LINE_NEWER;
    case 'C':
        return move(line, right_of(line));
    case 'D':
        return move(line, left_of(line));
    case 'H':
        return move(line, 0);
    case 'F':
        return move(line, line->length);
    case '~':
        return numbered_key(line);
    default:
        return LINE_NOTHING;
    }
}

static enum line_action control_key(struct line *line, char byte)
{
    switch (byte) {
    case CONTROL('A'):
        return move(line, 0);
    case CONTROL('B'):
        return move(line, left_of(line));
    case CONTROL('C'):
        return LINE_CANCEL;
    case CONTROL('D'):
        return cut(line, line->cursor, right_of(line));
    case CONTROL('E'):
        return move(line, line->length);
    case CONTROL('F'):
        return move(line, right_of(line));
    case CONTROL('H'):
    case DELETE:
        return cut(line, left_of(line), line->cursor);
    case CONTROL('K'):
        return cut(line, line->cursor, line->length);
    case CONTROL('L'):
        return LINE_CLEAR;
    case CONTROL('N'):
        return LINE_NEWER;
    case CONTROL('P'):
        return LINE_OLDER;
    case CONTROL('U'):
        return cut(line, 0, line->cursor);
    case CONTROL('W'):
        return cut(line, word_start(line), line->cursor);
    default:
        return LINE_NOTHING;
    }
}

enum line_action line_feed(struct line *line, char byte)
{
    int after_return = line->after_return;

    line->after_return = byte == '\r';
    if (line->state == LINE_ESCAPE) {
        line->state = byte == '[' || byte == 'O' ? LINE_BRACKET : LINE_PLAIN;
        line->number = 0;
        return LINE_NOTHING;
    }
    if (line->state == LINE_BRACKET) {
        return bracket_key(line, byte);
    }
    if (byte == ESCAPE) {
        line->state = LINE_ESCAPE;
        return LINE_NOTHING;
    }
    if (byte == '\n' && after_return) {
        return LINE_NOTHING;
    }
    if (byte == '\r' || byte == '\n') {
        return LINE_DONE;
    }
    if ((unsigned char)byte < ' ' || byte == DELETE) {
        return control_key(line, byte);
    }
    return insert(line, byte);
}
