/* SPDX-License-Identifier: MIT */
/* The row of faults that a pager answers; the name of the row is given. */
#pragma once

void bench_fault_user_pager(const char *id);
