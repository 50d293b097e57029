/* SPDX-License-Identifier: MIT */
/* The shell: reads lines from the console and runs the commands that they name. */
#include <stdio.h>

#include "user/lib/program.h"
#include "user/programs/shell/commands.h"
#include "user/programs/shell/editor.h"

#define PROMPT "baton> "

int main(void)
{
    char line[LINE_BYTES];
    status_t status;

    while ((status = editor_read(PROMPT, line)) == OK) {
        commands_run(line);
    }
    printf("shell: cannot read the console: %s\n", status_text(status));
    return 1;
}
