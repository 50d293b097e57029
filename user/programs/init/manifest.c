/* SPDX-License-Identifier: MIT */
#include "user/programs/init/manifest.h"

#include <string.h>

static void bad(struct manifest_line *out, const char *why)
{
    out->kind = MANIFEST_BAD;
    out->why = why;
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
    if (strcmp(word, "start") != 0) {
        bad(out, "the first word is not `start`");
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
        bad(out, "`start` without a program");
    } else {
        out->kind = MANIFEST_START;
    }
}
