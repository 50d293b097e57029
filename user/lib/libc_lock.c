/* SPDX-License-Identifier: MIT */
/*
 * The locks of picolibc (its heap has one): recursive, waiting by yielding.
 *
 * Rules: all of picolibc's lock functions are here, else its own empty ones would be linked.
 * The state is `owner`: 0 free, else the tp of the thread that holds it; only a free lock is
 * taken, only the owner clears it. `depth` belongs to the owner.
 */
#include "user/lib/libc_priv.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/lock.h>

#include "user/lib/thread.h"

struct __lock {
    uint64_t owner;
    uint64_t depth;
};

struct __lock __lock___libc_recursive_mutex;

static uint64_t self(void)
{
    uint64_t tp;

    __asm__("mv %0, tp" : "=r"(tp));
    return tp;
}

int __retarget_lock_try_acquire_recursive(_LOCK_T lock)
{
    uint64_t none = 0;

    /* relaxed: only this thread could have stored its own tp */
    if (__atomic_load_n(&lock->owner, __ATOMIC_RELAXED) == self()) {
        lock->depth++;
        return 1;
    }
    /* acquire: sees what the last owner wrote; pairs with __retarget_lock_release_recursive */
    if (!__atomic_compare_exchange_n(&lock->owner, &none, self(), 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED)) {
        return 0;
    }
    lock->depth = 1;
    return 1;
}

void __retarget_lock_acquire_recursive(_LOCK_T lock)
{
    while (!__retarget_lock_try_acquire_recursive(lock)) {
        thread_yield();
    }
}

void __retarget_lock_release_recursive(_LOCK_T lock)
{
    if (--lock->depth == 0) {
        /* release: the next owner sees what this one wrote; pairs with
         * __retarget_lock_try_acquire_recursive */
        __atomic_store_n(&lock->owner, 0, __ATOMIC_RELEASE);
    }
}

void __retarget_lock_init_recursive(_LOCK_T *lock)
{
    *lock = calloc(1, sizeof(**lock));
}

void __retarget_lock_close_recursive(_LOCK_T lock)
{
    free(lock);
}

void __retarget_lock_init(_LOCK_T *lock)
{
    __retarget_lock_init_recursive(lock);
}

void __retarget_lock_close(_LOCK_T lock)
{
    __retarget_lock_close_recursive(lock);
}

void __retarget_lock_acquire(_LOCK_T lock)
{
    __retarget_lock_acquire_recursive(lock);
}

int __retarget_lock_try_acquire(_LOCK_T lock)
{
    return __retarget_lock_try_acquire_recursive(lock);
}

void __retarget_lock_release(_LOCK_T lock)
{
    __retarget_lock_release_recursive(lock);
}
