/* SPDX-License-Identifier: MIT */
/*
 * What Relacy knows of the memory of the code under test: shadows of atomics and of plain
 * variables, found by address.
 *
 * Rules: included by model.cpp only. It must be the first to include Relacy, which redefines new,
 * malloc and assert.
 */
#pragma once

#include <relacy/relacy.hpp>

#undef new
#undef delete
#undef malloc
#undef free
#undef assert

#include <cstdio>
#include <cstdlib>
#include <cstring>

extern "C" {
#define NORETURN __attribute__((noreturn))
#include "kernel/base/atomic_model.h"
#include "tests/relacy/model.h"
}

static const struct model_test *test;
static bool running; /* threads run: not in before() or after() */

/* --- sites and the one that is weakened --- */

#define SITES_MAX 256U

static struct {
    const char *file;
    int line;
    enum model_order order;
} sites[SITES_MAX];
static unsigned site_count;

static const char *weak_file;
static int weak_first, weak_last;
static int weak_order = -1; /* what it becomes */

static const char *const order_name[] = {"relaxed", "acquire", "release", "acq_rel", "seq_cst"};
static const rl::memory_order order_of[] = {rl::mo_relaxed, rl::mo_acquire, rl::mo_release,
                                            rl::mo_acq_rel, rl::mo_seq_cst};

static void note_site(const struct model_site *site)
{
    for (unsigned i = 0; i < site_count; i++) {
        if (sites[i].line == site->line && sites[i].order == site->order &&
            strcmp(sites[i].file, site->file) == 0) {
            return;
        }
    }
    if (site_count < SITES_MAX) {
        sites[site_count].file = site->file;
        sites[site_count].line = site->line;
        sites[site_count++].order = site->order;
    }
}

static enum model_order effective(const struct model_site *site)
{
    if (site->order == MODEL_RELAXED) {
        return site->order;
    }
    note_site(site);
    if (weak_order >= 0 && weak_first <= site->line && site->line <= weak_last &&
        strcmp(weak_file, site->file) == 0) {
        return (enum model_order)weak_order;
    }
    return site->order;
}

static rl::debug_info info_of(const struct model_site *site)
{
    return rl::debug_info("", site->file, (unsigned)site->line);
}

static void resumed()
{
    if (test->resume != NULL && running) {
        test->resume(rl::thread_index());
    }
}

/* --- shadows of atomics --- */

#define ATOMICS_MAX 128U
#define NO_WRITER UINT32_MAX

template <typename T> struct shadow {
    alignas(rl::atomic<T>) unsigned char place[sizeof(rl::atomic<T>)];

    rl::atomic<T> &get()
    {
        return *reinterpret_cast<rl::atomic<T> *>(place);
    }
};

static struct atomic_shadow {
    void *address;
    size_t size;
    unsigned writer;         /* the last one */
    shadow<uint32_t> narrow; /* up to 4 bytes */
    shadow<uint64_t> wide;
} atomics[ATOMICS_MAX];
static unsigned atomic_count;

static uint64_t plain_value(const void *p, size_t size)
{
    uint64_t value = 0;
    memcpy(&value, p, size);
    return value;
}

static void make_atomic(void *p, size_t size)
{
    struct atomic_shadow *shadow = &atomics[atomic_count++];

    shadow->address = p;
    shadow->size = size;
    shadow->writer = NO_WRITER;
    if (size <= 4) {
        new (shadow->narrow.place) rl::atomic<uint32_t>((uint32_t)plain_value(p, size));
    } else {
        new (shadow->wide.place) rl::atomic<uint64_t>(plain_value(p, size));
    }
}

/* Addresses of atomics so far; shared with the processes that run the executions. One that meets
 * another atomic adds it and ends. */
struct known_atomics {
    unsigned count;
    bool has_grown;
    struct {
        void *address;
        size_t size;
    } at[ATOMICS_MAX];
};
static struct known_atomics *known;

static void learn_atomic(const void *p, size_t size)
{
    if (known->count == ATOMICS_MAX) {
        model_fail("too many atomics", __FILE__, __LINE__);
    }
    known->at[known->count].address = const_cast<void *>(p);
    known->at[known->count++].size = size;
    known->has_grown = true;
    model_fail("an atomic was met for the first time", __FILE__, __LINE__);
}

/* With the values that before() gave them. */
static void make_atomics()
{
    for (unsigned i = 0; i < known->count; i++) {
        make_atomic(known->at[i].address, known->at[i].size);
    }
}

static struct atomic_shadow *find_atomic(const void *p)
{
    for (unsigned i = 0; i < atomic_count; i++) {
        if (atomics[i].address == p) {
            return &atomics[i];
        }
    }
    return NULL;
}

static struct atomic_shadow *atomic_at(const void *p, size_t size, const struct model_site *site)
{
    struct atomic_shadow *shadow = find_atomic(p);

    if (shadow == NULL) {
        learn_atomic(p, size);
    }
    if (shadow->size != size) {
        model_fail("an atomic of two sizes", site->file, site->line);
    }
    return shadow;
}

static void forget_atomics()
{
    for (unsigned i = 0; i < atomic_count; i++) {
        if (atomics[i].size <= 4) {
            atomics[i].narrow.get().~atomic();
        } else {
            atomics[i].wide.get().~atomic();
        }
    }
    atomic_count = 0;
}

/* Calls `call` with the shadow's atomic of the right width. */
#define WITH_ATOMIC(shadow_, call)                                                                 \
    ((shadow_)->size <= 4 ? (uint64_t)call((shadow_)->narrow.get(), uint32_t)                      \
                          : (uint64_t)call((shadow_)->wide.get(), uint64_t))

/* What the atomic holds now goes into the variable, for after() and for plain readers. */
static void write_back(struct atomic_shadow *shadow)
{
    uint64_t value =
        shadow->size <= 4 ? shadow->narrow.get().debug_value() : shadow->wide.get().debug_value();
    memcpy(shadow->address, &value, shadow->size);
    shadow->writer = rl::thread_index();
}

/* Outside of the threads, in before() and after(), the variables themselves are read and written. */
static void set_plain(void *p, size_t size, uint64_t value)
{
    memcpy(p, &value, size);
}

static uint64_t plain_rmw(uint64_t before, enum model_operation operation, uint64_t value)
{
    switch (operation) {
    case MODEL_ADD:
        return before + value;
    case MODEL_SUB:
        return before - value;
    case MODEL_OR:
        return before | value;
    case MODEL_AND:
        return before & value;
    default:
        return value;
    }
}

extern "C" uint64_t model_load(const void *p, size_t size, const struct model_site *site)
{
    if (!running) {
        return plain_value(p, size);
    }
    struct atomic_shadow *shadow = atomic_at(p, size, site);
    rl::memory_order order = order_of[effective(site)];
    rl::debug_info info = info_of(site);
#define LOAD(atomic_, type) (atomic_).load(order, info)
    uint64_t value = WITH_ATOMIC(shadow, LOAD);

    resumed();
    return value;
}

extern "C" void model_store(void *p, size_t size, uint64_t value, const struct model_site *site)
{
    if (!running) {
        set_plain(p, size, value);
        return;
    }
    struct atomic_shadow *shadow = atomic_at(p, size, site);
    rl::memory_order order = order_of[effective(site)];
    rl::debug_info info = info_of(site);
#define STORE(atomic_, type) ((atomic_).store((type)value, order, info), 0)
    (void)WITH_ATOMIC(shadow, STORE);
    write_back(shadow);
    resumed();
}

template <typename T>
static T perform(rl::atomic<T> &atomic, enum model_operation operation, T value,
                 rl::memory_order order, const rl::debug_info &info)
{
    switch (operation) {
    case MODEL_ADD:
        return atomic.fetch_add(value, order, info);
    case MODEL_SUB:
        return atomic.fetch_sub(value, order, info);
    case MODEL_OR:
        return atomic.fetch_or(value, order, info);
    case MODEL_AND:
        return atomic.fetch_and(value, order, info);
    default:
        return atomic.exchange(value, order, info);
    }
}

extern "C" uint64_t model_rmw(void *p, size_t size, enum model_operation operation, uint64_t value,
                              const struct model_site *site)
{
    if (!running) {
        uint64_t old = plain_value(p, size);
        set_plain(p, size, plain_rmw(old, operation, value));
        return old;
    }
    struct atomic_shadow *shadow = atomic_at(p, size, site);
    rl::memory_order order = order_of[effective(site)];
    rl::debug_info info = info_of(site);
#define RMW(atomic_, type) perform<type>((atomic_), operation, (type)value, order, info)
    uint64_t before = WITH_ATOMIC(shadow, RMW);

    write_back(shadow);
    resumed();
    return before;
}

template <typename T>
static bool exchange(rl::atomic<T> &atomic, void *expected, uint64_t desired,
                     rl::memory_order order, const rl::debug_info &info)
{
    T found;
    memcpy(&found, expected, sizeof(found));
    bool done = atomic.compare_exchange_strong(found, (T)desired, order, info);
    memcpy(expected, &found, sizeof(found));
    return done;
}

extern "C" bool model_cas(void *p, size_t size, void *expected, uint64_t desired,
                          const struct model_site *site)
{
    if (!running) {
        bool equal = memcmp(p, expected, size) == 0;
        memcpy(equal ? p : expected, equal ? (const void *)&desired : p, size);
        return equal;
    }
    struct atomic_shadow *shadow = atomic_at(p, size, site);
    rl::memory_order order = order_of[effective(site)];
    rl::debug_info info = info_of(site);
#define CAS(atomic_, type) exchange<type>((atomic_), expected, desired, order, info)
    bool done = WITH_ATOMIC(shadow, CAS) != 0;

    write_back(shadow);
    resumed();
    return done;
}

extern "C" void model_fence(const struct model_site *site)
{
    if (!running) {
        return;
    }
    enum model_order order = effective(site);

    if (order != MODEL_RELAXED) {
        rl::atomic_thread_fence(order_of[order], info_of(site));
        resumed();
    }
}

extern "C" void model_yield(void)
{
    rl::yield(1, rl::debug_info("", "model_yield", 0));
    resumed();
}

extern "C" void model_pause(void)
{
    rl::ctx().sched();
    resumed();
}

extern "C" unsigned model_choose(unsigned limit)
{
    return rl::rand(limit);
}

extern "C" void model_fail(const char *text, const char *file, int line)
{
    rl::ctx().fail_test(text, rl::test_result_user_assert_failed,
                        rl::debug_info("", file, (unsigned)line));
    abort();
}

/* kernel/base/assert.h, for the code under test */
extern "C" void assert_fail(const char *expression, const char *file, int line)
{
    model_fail(expression, file, line);
}

/* --- shadows of plain memory, four bytes each --- */

#define PLAIN_SLOTS 4096U
#define THREAD_LOCAL_BYTES 4096U

static struct {
    uintptr_t address;
    rl::var_data *data;
} plain[PLAIN_SLOTS];
static unsigned plain_used[PLAIN_SLOTS];
static unsigned plain_count;

static rl::var_data *plain_at(uintptr_t address)
{
    unsigned slot = (unsigned)((address >> 2) * 2654435761U) % PLAIN_SLOTS;

    while (plain[slot].data != NULL && plain[slot].address != address) {
        slot = (slot + 1) % PLAIN_SLOTS;
    }
    if (plain[slot].data == NULL) {
        if (plain_count == PLAIN_SLOTS / 2) {
            model_fail("too many plain variables", __FILE__, __LINE__);
        }
        plain[slot].address = address;
        plain[slot].data = rl::ctx().var_ctor();
        plain_used[plain_count++] = slot;
    }
    return plain[slot].data;
}

static void forget_plain(bool end)
{
    for (unsigned i = 0; i < plain_count; i++) {
        if (end) {
            rl::ctx().var_dtor(plain[plain_used[i]].data);
        }
        plain[plain_used[i]].data = NULL;
    }
    plain_count = 0;
}

/* A thread-local variable: one for all threads of the checker, which are one to the machine. Where
 * its value matters the test's resume() puts it right. */
static bool is_thread_local(const void *p)
{
    uintptr_t end = (uintptr_t)__builtin_thread_pointer(); /* x86-64: they lie below it */

    return end - (uintptr_t)p <= THREAD_LOCAL_BYTES;
}

static void plain_access(const void *p, size_t size, bool is_store)
{
    if (!running || is_thread_local(p)) {
        return; /* before() and after() are ordered with everything */
    }
    const struct atomic_shadow *atomic = find_atomic(p);
    if (atomic != NULL) {
        if (is_store || (atomic->writer != NO_WRITER && atomic->writer != rl::thread_index())) {
            model_fail("a plain access to an atomic that others write", __FILE__, __LINE__);
        }
        return; /* its last writer reads it */
    }
    uintptr_t address = (uintptr_t)p;
    rl::thread_info_base &thread = *rl::ctx().threadx_;
    for (uintptr_t at = address; at < address + size; at += 4) {
        rl::var_data *data = plain_at(at);
        if (!(is_store ? data->store(thread) : data->load(thread))) {
            char text[80];
            (void)snprintf(text, sizeof(text), "a plain %s of %p races with another core",
                           is_store ? "store" : "load", p);
            rl::ctx().fail_test(text, rl::test_result_data_race, rl::debug_info("", "plain", 0));
        }
    }
}

#define PLAIN_CALLS(bytes)                                                                         \
    extern "C" void __tsan_read##bytes(void *p)                                                    \
    {                                                                                              \
        plain_access(p, bytes, false);                                                             \
    }                                                                                              \
    extern "C" void __tsan_write##bytes(void *p)                                                   \
    {                                                                                              \
        plain_access(p, bytes, true);                                                              \
    }                                                                                              \
    extern "C" void __tsan_unaligned_read##bytes(void *p)                                          \
    {                                                                                              \
        plain_access(p, bytes, false);                                                             \
    }                                                                                              \
    extern "C" void __tsan_unaligned_write##bytes(void *p)                                         \
    {                                                                                              \
        plain_access(p, bytes, true);                                                              \
    }

PLAIN_CALLS(1)
PLAIN_CALLS(2)
PLAIN_CALLS(4)
PLAIN_CALLS(8)
PLAIN_CALLS(16)

extern "C" void __tsan_read_range(void *p, size_t size)
{
    plain_access(p, size, false);
}
extern "C" void __tsan_write_range(void *p, size_t size)
{
    plain_access(p, size, true);
}
extern "C" void __tsan_init(void)
{
}
extern "C" void __tsan_func_entry(void *)
{
}
extern "C" void __tsan_func_exit(void)
{
}
