/* SPDX-License-Identifier: MIT */
/*
 * Clang's thread-safety attributes, empty for other compilers.
 *
 * Rules: data names its lock with GUARDED_BY, functions that need a lock say REQUIRES. Source:
 * clang's Thread Safety Analysis.
 */
#pragma once

#if defined(__clang__)
#define THREAD_SAFETY(x) __attribute__((x))
#else
#define THREAD_SAFETY(x)
#endif

#define CAPABILITY(name) THREAD_SAFETY(capability(name))
/* Documentation only: clang's C front end cannot name a sibling field in an attribute. */
#define GUARDED_BY(lock)
#define REQUIRES(lock) THREAD_SAFETY(requires_capability(lock))
#define ACQUIRES(lock) THREAD_SAFETY(acquire_capability(lock))
#define TRY_ACQUIRES(lock) THREAD_SAFETY(try_acquire_capability(true, lock))
#define RELEASES(lock) THREAD_SAFETY(release_capability(lock))
#define NO_THREAD_SAFETY THREAD_SAFETY(no_thread_safety_analysis)
