/* SPDX-License-Identifier: MIT */
#include "ipc/name_rule.h"

#include <string.h>

#include "kernel/abi/limits.h"

/* The pattern at *at, which is moved behind it; 0 bytes at the end. */
static size_t next_pattern(const char **at, const char **pattern)
{
    size_t bytes = 0;

    *pattern = *at;
    while ((*pattern)[bytes] != '\0' && (*pattern)[bytes] != ' ') {
        bytes++;
    }
    *at = *pattern + bytes + ((*pattern)[bytes] == ' ');
    return bytes;
}

static bool pattern_is_valid(const char *pattern, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        if (pattern[i] <= ' ' || pattern[i] > '~' || (pattern[i] == '*' && i + 1 != bytes)) {
            return false;
        }
    }
    return bytes > 0 && bytes <= MAX_NAME_BYTES;
}

bool name_rule_is_valid(const char *list)
{
    size_t bytes = strnlen(list, MAX_REGISTER_BYTES);
    const char *pattern;

    if (bytes == MAX_REGISTER_BYTES || (bytes > 0 && list[bytes - 1] == ' ')) {
        return false;
    }
    while (*list != '\0') {
        bytes = next_pattern(&list, &pattern);
        if (!pattern_is_valid(pattern, bytes)) {
            return false;
        }
    }
    return true;
}

/* Does a pattern cover a name, or all that another pattern does? */
static bool pattern_covers(const char *pattern, size_t bytes, const char *name, size_t name_bytes)
{
    if (pattern[bytes - 1] != '*') { /* a pattern with a `*` is no name */
        return bytes == name_bytes && memcmp(pattern, name, bytes) == 0;
    }
    return name_bytes >= bytes - 1 && memcmp(pattern, name, bytes - 1) == 0;
}

bool name_rule_allows(const char *list, const char *name, size_t bytes)
{
    const char *pattern;
    size_t pattern_bytes;

    while ((pattern_bytes = next_pattern(&list, &pattern)) > 0) {
        if (pattern_covers(pattern, pattern_bytes, name, bytes)) {
            return true;
        }
    }
    return false;
}

bool name_rule_covers(const char *list, const char *wanted)
{
    const char *pattern;
    size_t bytes;

    while ((bytes = next_pattern(&wanted, &pattern)) > 0) {
        if (!name_rule_allows(list, pattern, bytes)) {
            return false;
        }
    }
    return true;
}
