/* SPDX-License-Identifier: MIT */
#include "user/programs/init/manifest.h"

#include <string.h>

static void bad(struct manifest_line *out, const char *why)
{
    out->kind = MANIFEST_BAD;
    out->why = why;
}

/* What is wrong with a pattern of names, or NULL. */
static const char *check_pattern(const char *pattern)
{
    size_t bytes = strlen(pattern);

    for (size_t i = 0; i < bytes; i++) {
        if (pattern[i] < '!' || pattern[i] > '~') {
            return "a name has a character that is not printable";
        }
    }
    if (strcspn(pattern, "*") + 1 < bytes) {
        return "a `*` is not at the end of its name";
    }
    return bytes > MAX_NAME_BYTES ? "a name is too long" : NULL;
}

static void check_patterns(struct manifest_line *out)
{
    size_t bytes = 0;

    for (int i = 0; i < out->argc; i++) {
        const char *why = check_pattern(out->argv[i]);

        if (why != NULL) {
            bad(out, why);
            return;
        }
        bytes += strlen(out->argv[i]) + 1;
    }
    if (bytes > MAX_REGISTER_BYTES) {
        bad(out, "too many names to register");
    }
}

void manifest_parse(char *line, struct manifest_line *out)
{
    static const char blanks[] = " \t\r";
    char *rest = line;
    char *word;

    *out = (struct manifest_line){.kind = MANIFEST_EMPTY};
    line[strcspn(line, "#")] = '\0';
    word = strtok_r(rest, blanks, &rest);
    if (word == NULL) {
        return;
    }
    if (strcmp(word, "start") == 0) {
        out->kind = MANIFEST_START;
    } else if (strcmp(word, "register") == 0) {
        out->kind = MANIFEST_REGISTER;
    } else {
        bad(out, "the first word is neither `start` nor `register`");
        return;
    }
    while ((word = strtok_r(NULL, blanks, &rest)) != NULL) {
        if (out->argc == MAX_ARGUMENTS) {
            bad(out, "too many arguments");
            return;
        }
        out->argv[out->argc++] = word;
    }
    if (out->argc == 0) {
        bad(out, out->kind == MANIFEST_START ? "`start` without a program"
                                             : "`register` without a name");
    } else if (out->kind == MANIFEST_REGISTER) {
        check_patterns(out);
    }
}
