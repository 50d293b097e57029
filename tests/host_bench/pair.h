/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks of two threads share: processors, time, the figure of many parts.
 *
 * Rules: pair_init first. A machine on which others work as well interrupts either thread now and then, so a
 * run is measured in parts, and the figure of two threads is the tenth percentile, that of one the median.
 * The C library's threads stay behind this interface: names of its header are those of sched/sched.h.
 */
#pragma once

#define PAIR_PARTS 200U

void pair_init(void);

/* Binds this thread to the i-th processor that the process might use when it began: 0 first. A thread inherits what
 * its maker was bound to, so it would find one processor only. */
void pair_bind(unsigned index);

/* A second thread. */
void pair_start(void *(*run)(void *unused));
void pair_join(void);

void pair_yield(void);
double pair_now_ns(void);

/* Sorts the PAIR_PARTS values. */
double pair_percentile(double *ns, unsigned percent);

void pair_mutex_lock(void);
void pair_mutex_unlock(void);
