/* SPDX-License-Identifier: MIT */
/*
 * The ledger of the torture of calls: each numbered request is run at most once, and answered once or refused
 * with a reason.
 *
 * Rules: what is not so fails the running test. A life is a program, or a thread of the kernel, that makes
 * requests; its numbers are never used again. Any thread, also as the service LEDGER_NAME for programs.
 */
#pragma once

#include "kernel/abi/status.h"
#include "kernel/base/types.h"

struct request;

void ledger_open(void);
void ledger_close(void);

/* A new life in `slot`, in which the one before has ended: its number. */
uint32_t ledger_begin_life(unsigned slot);

/* A request is being run. ERR_EXISTS: a second time. */
status_t ledger_note_run(uint64_t request);

/* What its caller was told; `reply` is the first word of an answer. */
void ledger_note_outcome(uint64_t request, status_t status, uint64_t reply);

/* The same of one that is no plain call; `kind` is an enum request_kind of call-user/protocol.h. */
void ledger_note_outcome_of(uint64_t kind, uint64_t request, status_t status, uint64_t reply);

/* Requests with an outcome so far; those of a kind that came to `status`. */
uint64_t ledger_count(void);
uint64_t ledger_count_of(unsigned kind, status_t status);

void ledger_print(void);
