/* SPDX-License-Identifier: MIT */
/*
 * Reading a RISC-V ISA string: single letters up to the first '_' or multi-letter prefix, then
 * names separated by '_'.
 *
 * Rules: as in the header.
 */
#include "arch/riscv/isa_priv.h"

#include <string.h>

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool isa_is_rv64(const char *isa)
{
    return lower(isa[0]) == 'r' && lower(isa[1]) == 'v' && isa[2] == '6' && isa[3] == '4' &&
           isa[4] != '\0' && strchr("iegIEG", isa[4]) != NULL;
}

/* z, s and x start multi-letter names, also without a '_' before them. */
static bool starts_name(char c)
{
    return c == '_' || c == 'z' || c == 's' || c == 'x' || c == '\0';
}

static bool has_letter(const char *letters, char wanted)
{
    for (; !starts_name(lower(*letters)); letters++) {
        char c = lower(*letters);
        /* "2p0" after a letter is its version, not the packed extension p. */
        if (c == 'p' && is_digit(letters[-1]) && is_digit(letters[1])) {
            continue;
        }
        if (c == wanted || (c == 'g' && strchr("imafd", wanted) != NULL)) {
            return true;
        }
    }
    return false;
}

/* The name at `text`, up to '_' or the end, equals `wanted` but for a version suffix. */
static bool name_matches(const char *text, const char *wanted)
{
    while (*wanted != '\0' && lower(*text) == *wanted) {
        text++;
        wanted++;
    }
    if (*wanted != '\0') {
        return false;
    }
    while (is_digit(*text) || (lower(*text) == 'p' && is_digit(text[1]))) {
        text++;
    }
    return *text == '\0' || *text == '_';
}

bool isa_has(const char *isa, const char *extension)
{
    if (!isa_is_rv64(isa)) {
        return false;
    }
    const char *at = isa + 4;
    if (extension[1] == '\0') {
        return has_letter(at, extension[0]);
    }
    while (!starts_name(lower(*at))) {
        at++;
    }
    while (*at != '\0') {
        if (*at == '_') {
            at++;
            continue;
        }
        if (name_matches(at, extension)) {
            return true;
        }
        while (*at != '\0' && *at != '_') {
            at++;
        }
    }
    return false;
}
