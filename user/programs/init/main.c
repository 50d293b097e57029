/* SPDX-License-Identifier: MIT */
/*
 * The first program: starts what the manifest lists, reports what fails and what ends. The shell is
 * the only way in, so it is started again when it ends.
 */
#include <stdbool.h>
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
    unsigned number;
    char may_register[MAX_REGISTER_BYTES];
    bool runs;
    struct thread watcher;
} started[MAX_STARTED];
static unsigned started_count;

static void report(unsigned line, const char *what, const char *why)
{
    printf("init: manifest line %u: %s: %s\n", line, what, why);
}

/* A program to be started; NULL: there are too many. */
static struct started *add(unsigned number, const struct manifest_line *line)
{
    if (started_count == MAX_STARTED) {
        report(number, line->argv[0], "too many programs");
        return NULL;
    }
    struct started *one = &started[started_count++];

    one->line = *line;
    one->number = number;
    return one;
}

/* More names for the program above. */
static void allow(unsigned number, const struct manifest_line *line, struct started *one)
{
    for (int i = 0; i < line->argc; i++) {
        size_t used = strlen(one->may_register);

        if (used + 1 + strlen(line->argv[i]) >= sizeof(one->may_register)) {
            report(number, line->argv[i], "too many names to register");
            return;
        }
        (void)snprintf(one->may_register + used, sizeof(one->may_register) - used, "%s%s",
                       used > 0 ? " " : "", line->argv[i]);
    }
}

static status_t start(struct started *one)
{
    return program_start_with(one->line.argv[0], one->line.argc, one->line.argv, one->may_register,
                              &one->program);
}

static void read_all(char *rest)
{
    struct started *last = NULL;

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
            last = add(number, &parsed);
        } else if (parsed.kind == MANIFEST_REGISTER && last == NULL) {
            report(number, "not understood", "`register` without a program above");
        } else if (parsed.kind == MANIFEST_REGISTER) {
            allow(number, &parsed, last);
        }
    }
}

static void start_all(void)
{
    for (unsigned i = 0; i < started_count; i++) {
        struct started *one = &started[i];
        status_t status = start(one);

        one->runs = status == OK;
        if (status == ERR_NOT_FOUND) {
            report(one->number, one->line.argv[0], "no such program in the boot archive");
        } else if (status != OK) {
            report(one->number, one->line.argv[0], status_text(status));
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
        if (strcmp(line->argv[0], "shell") != 0 || start(one) != OK) {
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
    read_all(text);
    start_all();
    for (unsigned i = 0; i < started_count; i++) {
        if (!started[i].runs) {
            continue;
        }
        if (thread_start(&started[i].watcher, watch, &started[i]) != OK) {
            printf("init: cannot watch %s\n", started[i].line.argv[0]);
            started[i].runs = false;
        }
    }
    for (unsigned i = 0; i < started_count; i++) {
        if (started[i].runs) {
            thread_join(&started[i].watcher);
        }
    }
    printf("init: every program has ended\n");
    return 0;
}
