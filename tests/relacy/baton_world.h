/* SPDX-License-Identifier: MIT */
/*
 * The ports and callers of tests/relacy/baton_test.c, for letter_test.c.
 *
 * Rules: as for all tests under the model checker (model.h).
 */
#pragma once

#include "ipc/baton.h"

#define CALLERS 3U
#define PORTS 3U
#define SOME_DEADLINE 1UL /* it passes at any moment */

extern struct port baton_ports[PORTS];
extern uint64_t baton_ran[CALLERS]; /* calls that were run */

/* Idle ports, callers that wait for nothing; and that all is so again. */
void baton_set_up(void);
void baton_settled(void);

/* One run of the service: message->word[1] becomes word[0] + 1. The baton is ours. */
void baton_run(struct port *port, struct message *message);

/* A call by thread `self`; depth 1 is from within a service. */
void baton_call(struct port *port, unsigned self, unsigned depth, nsec_t deadline);
