/* SPDX-License-Identifier: MIT */
/*
 * The first program: starts what the manifest lists, reports what fails and what ends. The shell is
 * the only way in, so it is started again when it ends.
 */
#include <stdio.h>
#include <string.h>

#include "user/lib/baton.h"
#include "user/programs/init/manifest.h"

#define MANIFEST_BYTES 8192
#define MAX_STARTED 64

static char text[MANIFEST_BYTES + 1];

static struct started {
    struct program program;
    struct manifest_line line; /* its words stay in `text` */
    struct thread watcher;
} started[MAX_STARTED];
static unsigned started_count;

static void report(unsigned line, const char *what, const char *why)
{
    printf("init: manifest line %u: %s: %s\n", line, what, why);
}

static void start(unsigned number, const struct manifest_line *line)
{
    struct program program;
    status_t status;

    if (started_count == MAX_STARTED) {
        report(number, line->argv[0], "too many programs");
        return;
    }
    status = program_start(line->argv[0], line->argc, line->argv, &program);
    if (status == ERR_NOT_FOUND) {
        report(number, line->argv[0], "no such program in the boot archive");
    } else if (status != OK) {
        report(number, line->argv[0], status_text(status));
    } else {
        started[started_count].program = program;
        started[started_count].line = *line;
        started_count++;
    }
}

static void start_all(char *rest)
{
    for (unsigned number = 1; *rest != '\0'; number++) {
        char *line = rest;
        char *end = strchr(line, '\n');
        struct manifest_line parsed;

        rest = end == NULL ? line + strlen(line) : end + 1;
        if (end != NULL) {
            *end = '\0';
        }
        manifest_parse(line, &parsed);
        if (parsed.kind == MANIFEST_BAD) {
            report(number, "not understood", parsed.why);
        } else if (parsed.kind == MANIFEST_START) {
            start(number, &parsed);
        }
    }
}

/* Reports the end of one program; the shell comes back. */
static int watch(void *argument)
{
    struct started *one = argument;
    const struct manifest_line *line = &one->line;

    for (;;) {
        int64_t code = program_wait(&one->program);

        printf("init: %s ended with code %d\n", line->argv[0], (int)code);
        if (strcmp(line->argv[0], "shell") != 0 ||
            program_start(line->argv[0], line->argc, line->argv, &one->program) != OK) {
            return 0;
        }
    }
}

int main(void)
{
    int64_t bytes = archive_read("manifest", 0, text, MANIFEST_BYTES + 1);

    if (bytes < 0) {
        printf("init: cannot read the manifest: %s\n", status_text(bytes));
        return 1;
    }
    if (bytes > MANIFEST_BYTES) {
        printf("init: the manifest is longer than %d bytes\n", MANIFEST_BYTES);
        return 1;
    }
    text[bytes] = '\0';
    start_all(text);
    for (unsigned i = 0; i < started_count; i++) {
        if (thread_start(&started[i].watcher, watch, &started[i]) != OK) {
            printf("init: cannot watch %s\n", started[i].line.argv[0]);
        }
    }
    for (unsigned i = 0; i < started_count; i++) {
        thread_join(&started[i].watcher);
    }
    printf("init: every program has ended\n");
    return 0;
}
