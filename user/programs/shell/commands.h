/* SPDX-License-Identifier: MIT */
/*
 * The commands of the shell.
 *
 * Rules: each group of commands is a file with a table; commands.c lists the tables. A command
 * prints its own errors.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct command {
    const char *name;
    const char *usage; /* the arguments */
    const char *help;  /* one line */
    int least;         /* arguments it needs, the name not counted */
    void (*run)(int argc, char **argv);
};

/* Tables, each ended by an entry without a name. */
extern const struct command commands_call[];
extern const struct command commands_memory[];
extern const struct command commands_power[];
extern const struct command commands_program[];
extern const struct command commands_system[];
extern const struct command commands_waits[];

/* Reads row after row of a monitor's table and prints each; says so when it does not answer. */
void commands_table(uint32_t label, void *row, size_t bytes, void (*print)(const void *row));

/* Splits the line into words (it is changed) and runs the command that it names. */
void commands_run(char *line);
