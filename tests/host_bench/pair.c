/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/host_bench/pair.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

static cpu_set_t allowed;
static int first_processor; /* that the first thread was bound to */
static pthread_t second;
static _Alignas(64) pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

void pair_init(void)
{
    (void)sched_getaffinity(0, sizeof(allowed), &allowed);
}

void pair_bind(unsigned index)
{
    cpu_set_t one;
    unsigned seen = 0;

    CPU_ZERO(&one);
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (CPU_ISSET(cpu, &allowed) && seen++ == index % (unsigned)CPU_COUNT(&allowed)) {
            CPU_SET(cpu, &one);
        }
    }
    if (pthread_setaffinity_np(pthread_self(), sizeof(one), &one) != 0) {
        abort();
    }
    if (index == 0) {
        first_processor = sched_getcpu();
    } else if (sched_getcpu() == first_processor && CPU_COUNT(&allowed) > 1) {
        abort(); /* they would take turns, and nothing would travel */
    }
}

void pair_start(void *(*run)(void *unused))
{
    if (pthread_create(&second, NULL, run, NULL) != 0) {
        abort();
    }
}

void pair_join(void)
{
    (void)pthread_join(second, NULL);
}

void pair_yield(void)
{
    (void)sched_yield();
}

double pair_now_ns(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return (left > right) - (left < right);
}

double pair_percentile(double *ns, unsigned percent)
{
    qsort(ns, PAIR_PARTS, sizeof(ns[0]), compare);
    return ns[PAIR_PARTS * percent / 100];
}

void pair_mutex_lock(void)
{
    (void)pthread_mutex_lock(&mutex);
}

void pair_mutex_unlock(void)
{
    (void)pthread_mutex_unlock(&mutex);
}
