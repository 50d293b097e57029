/* SPDX-License-Identifier: MIT */
/*
 * Rows of notifications.
 *
 * Rules: as in measure.h; each prints one row. The row of two cores is in virtual nanoseconds and takes two harts.
 */
#pragma once

void bench_signal_wait_pingpong(const char *id);
void bench_signal_to_higher(const char *id);
void bench_signal_nobody(const char *id);
void bench_xcore_signal_rt(const char *id);
