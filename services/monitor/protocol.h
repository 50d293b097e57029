/* SPDX-License-Identifier: MIT */
/*
 * Protocol of the `monitor` service: what the system is doing, and how to end it.
 *
 * Rules: the tables are read one row a call, by index from 0; a row that comes or goes in
 * between may be missed or seen twice. The caller's buffer has to hold the whole structure.
 * The label of the reply is the service's status (int32). Errors of every table:
 * ERR_NOT_FOUND (index past the last row), ERR_INVALID (the buffer is too small), ERR_FAULT
 * (the buffer is not mapped writable), ERR_UNKNOWN_CALL (no such label).
 */
#pragma once

#include <stdint.h>

#include "kernel/abi/limits.h"

enum monitor_call {
    MONITOR_DOMAIN = 1,   /* w0 index, w1 address, w2 bytes of a struct monitor_domain */
    MONITOR_THREAD = 2,   /* w0 index, w1 address, w2 bytes of a struct monitor_thread */
    MONITOR_PORT = 3,     /* w0 index, w1 address, w2 bytes of a struct monitor_port */
    MONITOR_CORE = 4,     /* w0 index, w1 address, w2 bytes of a struct monitor_core */
    MONITOR_MEMORY = 5,   /* w0 address, w1 bytes of a struct monitor_memory */
    MONITOR_PANIC = 6,    /* no words; panics the kernel on purpose, does not come back */
    MONITOR_POWEROFF = 7, /* w0 exit code 0..255; ends the machine, does not come back */
    MONITOR_NODE = 8,     /* w0 index, w1 address, w2 bytes of a struct monitor_node */
    MONITOR_ACCOUNT = 9,  /* w0 index, w1 address, w2 bytes of a struct monitor_account */
    MONITOR_NEXUS = 10,   /* w0 index, w1 address, w2 bytes of a struct monitor_nexus */
    MONITOR_CLASS = 11,   /* w0 index, w1 address, w2 bytes of a struct monitor_class */
};

enum monitor_thread_state {
    MONITOR_THREAD_READY = 0,
    MONITOR_THREAD_RUNNING = 1,
    MONITOR_THREAD_BLOCKED = 2, /* in a call's queue, a receive or a join */
    MONITOR_THREAD_SLEEPING = 3,
    MONITOR_THREAD_ENDED = 4, /* ended, a handle still names it */
};

struct monitor_domain {
    uint64_t id; /* 0 is the kernel */
    uint64_t threads;
    uint64_t ports;
    uint64_t handles;
    uint64_t pages; /* charged to its account */
    uint64_t page_limit;
    char name[MAX_PROGRAM_NAME_BYTES]; /* zero-terminated */
};
_Static_assert(sizeof(struct monitor_domain) == 80, "no padding in a protocol structure");

#define MONITOR_NO_PORT UINT32_MAX

struct monitor_thread {
    uint64_t id;
    uint64_t domain_id;
    uint64_t run_ns;   /* time on a core so far; 0 where it is not counted */
    uint64_t priority; /* real-time, or PRIORITY_SHARING; with what it is lent */
    uint32_t state;    /* enum monitor_thread_state */
    uint32_t core;     /* where it runs or ran last */
    uint32_t depth;    /* nested calls it is in */
    uint32_t waits;    /* for the baton of the port with this index; MONITOR_NO_PORT: for none */
    char name[MAX_PROGRAM_NAME_BYTES]; /* zero-terminated */
};
_Static_assert(sizeof(struct monitor_thread) == 80, "no padding in a protocol structure");

struct monitor_port {
    uint64_t index;
    uint64_t generation;
    uint64_t domain_id;        /* the owner */
    uint64_t holder[MAX_RUNS]; /* threads that run the service, by slot; 0: none */
    uint64_t queued;           /* requests that wait now */
    uint64_t served;           /* calls or messages so far; 0 where it is not counted */
    uint32_t kind;             /* PORT_EXCLUSIVE, PORT_MAILBOX, ... */
    uint32_t busy;             /* how many run the service */
    uint64_t runs;             /* how many may at once: slots of a concurrent service, else 1 */
    char name[MAX_NAME_BYTES]; /* padded with zeros, none when it is full; all zero: no name */
};
_Static_assert(sizeof(struct monitor_port) == 376, "no padding in a protocol structure");

struct monitor_core {
    uint64_t hart_id;
    uint64_t thread_id; /* what runs there; 0 is the idle thread */
    uint64_t ready;     /* threads in its run queue */
    uint64_t switches;  /* thread switches so far */
    uint64_t idles;     /* times it went idle so far */
    uint64_t interrupts;
    uint64_t queue_operations; /* insertions into its run queue and removals so far */
    uint32_t core;
    uint32_t numa_node;
};
_Static_assert(sizeof(struct monitor_core) == 64, "no padding in a protocol structure");

struct monitor_memory {
    uint64_t total_bytes; /* all frames that the kernel manages */
    uint64_t free_bytes;
    uint64_t heap_bytes;  /* what the object allocator hands out now */
    uint64_t stack_bytes; /* kernel stacks */
};
_Static_assert(sizeof(struct monitor_memory) == 32, "no padding in a protocol structure");

/* Rows below begin with their version: a field is only ever added, and then the number grows. */
#define MONITOR_ROW_VERSION 1

#define MONITOR_ORDERS 11

/* A NUMA node. */
struct monitor_node {
    uint32_t version;
    uint32_t node;
    uint64_t total_pages;
    uint64_t free_pages; /* in the node's free blocks; those that cores keep in stock are not */
    uint64_t reserve_pages;
    uint64_t free_blocks[MONITOR_ORDERS]; /* of 1, 2, 4 ... 1024 pages: how scattered it is */
};
_Static_assert(sizeof(struct monitor_node) == 120, "no padding in a protocol structure");

/* A core's stock of single pages. */
struct monitor_nexus {
    uint32_t version;
    uint32_t core;
    uint64_t cached;     /* free pages in stock */
    uint64_t in_use;     /* its pages that are handed out or on their way home */
    uint64_t waiting;    /* free pages that came home and are not in stock yet */
    uint64_t outgoing;   /* free pages of other cores that it has not sent yet */
    uint64_t refills;    /* batches taken from the node */
    uint64_t taken;      /* pages in them */
    uint64_t given;      /* pages given back to the node */
    uint64_t remote_in;  /* pages that came home from other cores */
    uint64_t remote_out; /* pages sent home to other cores */
};
_Static_assert(sizeof(struct monitor_nexus) == 80, "no padding in a protocol structure");

/* A size class of the object allocator; the last row is for larger objects, in pages of their own. */
struct monitor_class {
    uint32_t version;
    uint32_t object_bytes; /* 0: larger objects */
    uint64_t slabs;        /* pages */
    uint64_t objects;      /* in use, those on their way home included */
    uint64_t capacity;     /* objects that the slabs have room for */
    uint64_t waste_bytes;  /* of the slabs, in no object in use */
};
_Static_assert(sizeof(struct monitor_class) == 40, "no padding in a protocol structure");

/* What a domain pays for. */
struct monitor_account {
    uint32_t version;
    uint32_t reserved;
    uint64_t domain_id;
    uint64_t pages;
    uint64_t page_limit;               /* UINT64_MAX: none */
    uint64_t objects;                  /* of the object allocator */
    char name[MAX_PROGRAM_NAME_BYTES]; /* zero-terminated */
};
_Static_assert(sizeof(struct monitor_account) == 72, "no padding in a protocol structure");
