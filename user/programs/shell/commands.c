/* SPDX-License-Identifier: MIT */
#include "user/programs/shell/commands.h"

#include <stdio.h>
#include <string.h>

#include "kernel/abi/limits.h"

static void help(int argc, char **argv);

static const struct command commands_help[] = {
    {"help", "", "this list", 0, help},
    {.name = NULL},
};

static const struct command *const tables[] = {
    commands_help, commands_system, commands_memory, commands_program,
    commands_call, commands_waits,  commands_power,
};

#define TABLES (sizeof(tables) / sizeof(tables[0]))

static void help(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    for (unsigned i = 0; i < TABLES; i++) {
        for (const struct command *command = tables[i]; command->name != NULL; command++) {
            printf("  %-8s %-28s %s\n", command->name, command->usage, command->help);
        }
    }
}

static const struct command *find(const char *name)
{
    for (unsigned i = 0; i < TABLES; i++) {
        for (const struct command *command = tables[i]; command->name != NULL; command++) {
            if (strcmp(command->name, name) == 0) {
                return command;
            }
        }
    }
    return NULL;
}

void commands_run(char *line)
{
    char *argv[MAX_ARGUMENTS + 1];
    int argc = 0;
    char *rest = line;

    while (argc <= MAX_ARGUMENTS && (argv[argc] = strtok_r(rest, " \t", &rest)) != NULL) {
        argc++;
    }
    if (argc == 0) {
        return;
    }
    if (argc > MAX_ARGUMENTS) {
        printf("too many words\n");
        return;
    }
    const struct command *command = find(argv[0]);

    if (command == NULL) {
        printf("%s: no such command; try help\n", argv[0]);
    } else if (argc - 1 < command->least) {
        printf("usage: %s %s\n", command->name, command->usage);
    } else {
        command->run(argc, argv);
    }
}
