/* SPDX-License-Identifier: MIT */
/*
 * Looking up a word in the boot arguments.
 *
 * Rules: pure; as bootarg_find() in arch/platform.h.
 */
#include "arch/riscv/bootarg_priv.h"

#include <string.h>

static size_t word_length(const char *text)
{
    size_t n = 0;
    while (text[n] != '\0' && text[n] != ' ' && text[n] != '\t' && text[n] != '\n') {
        n++;
    }
    return n;
}

static void copy_cut(char *out, size_t n, const char *from, size_t length)
{
    if (n == 0) {
        return;
    }
    size_t kept = length < n - 1 ? length : n - 1;
    memcpy(out, from, kept);
    out[kept] = '\0';
}

bool bootarg_find_in(const char *arguments, const char *key, char *value, size_t n)
{
    size_t key_length = strlen(key);
    bool found = false;
    while (*arguments != '\0') {
        size_t length = word_length(arguments);
        if (length == 0) {
            arguments++;
            continue;
        }
        if (length >= key_length && memcmp(arguments, key, key_length) == 0) {
            if (length == key_length) {
                copy_cut(value, n, "", 0);
                found = true;
            } else if (arguments[key_length] == '=') {
                copy_cut(value, n, arguments + key_length + 1, length - key_length - 1);
                found = true;
            }
        }
        arguments += length;
    }
    return found;
}

bool bootarg_parse_number(const char *text, uint64_t *number)
{
    uint64_t result = 0;
    if (*text == '\0') {
        return false;
    }
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9' || result > (UINT64_MAX - 9) / 10) {
            return false;
        }
        result = result * 10 + (uint64_t)(*text - '0');
    }
    *number = result;
    return true;
}
