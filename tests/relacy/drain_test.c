/* SPDX-License-Identifier: MIT */
/*
 * The holder word, requests by interrupt, and what they promise: nobody touches a core's memory but
 * its holder, and what was freed before a drain is home after it. The memory itself is pretended:
 * one batch, one inbox (mm/remote.h), numbers in plain variables that must not race.
 *
 * COVERS mm/drain.c
 * EXCEPT mm/drain.c: &cores[cpu].online: drain_all goes over all cores, too many steps for here
 */

#include "arch/core.h"
#include "kernel/base/atomic.h"
#include "mm/drain.h"
#include "mm/nexus.h"
#include "mm/spmalloc.h"
#include "tests/relacy/machine.h"
#include "tests/relacy/model.h"

#define CORES 3U
#define OWNER 1U /* whose objects they are */

struct object {
    struct remote_node node;
    uint64_t content; /* of its last user */
};

/* What belongs to the holder of the core's memory, and its inbox. */
static struct {
    struct remote_node *batch; /* for OWNER; one object at most */
    uint64_t slabs;
    uint64_t pages;
    struct remote_list inbox;
} memory[CORES];

static struct object objects[CORES];
static uint32_t home[CORES]; /* the object has come home */
static uint32_t finished;    /* threads that want nothing more */

/* --- what mm/drain.c calls --- */

void spmalloc_flush_core(cpu_t cpu)
{
    struct remote_node *node = memory[cpu].batch;

    if (node != NULL) {
        memory[cpu].batch = NULL;
        (void)remote_push_chain(&memory[OWNER].inbox, node, node, 1);
    }
}

bool spmalloc_collect_some(cpu_t cpu, unsigned n)
{
    struct remote_node *node = remote_take_all(&memory[cpu].inbox);
    uint64_t taken = 0;

    (void)n;
    memory[cpu].slabs++;
    while (node != NULL) {
        struct object *object = container_of(node, struct object, node);

        node = node->next;
        MODEL_CHECK(object->content == 1);
        object->content = 0;
        atomic_store_relaxed(&home[object - objects], 1U);
        taken++;
    }
    if (taken != 0) {
        remote_settle(&memory[cpu].inbox, taken);
    }
    return remote_waiting(&memory[cpu].inbox) != 0;
}

uint64_t spmalloc_waiting(cpu_t cpu)
{
    return cpu < CORES ? remote_waiting(&memory[cpu].inbox) : 0;
}

void spmalloc_trim_core(cpu_t cpu)
{
    memory[cpu].slabs++;
}

void nexus_flush_core(cpu_t cpu)
{
    memory[cpu].pages++;
}

bool nexus_collect_some(cpu_t cpu, unsigned n)
{
    (void)n;
    memory[cpu].pages++;
    return false;
}

bool nexus_trim_some(cpu_t cpu, unsigned n)
{
    (void)n;
    memory[cpu].pages++;
    return false;
}

uint64_t nexus_idle_pages(cpu_t cpu)
{
    return cpu < CORES;
}

/* In mm/drain.c interrupts are on where it waits for an answer, and off in drain_wake. */
static bool interrupts_on[CORES];

static void take_interrupt(void)
{
    machine_take_interrupt(drain_handle_ipi);
}

static void relax(void)
{
    if (interrupts_on[core_index()]) {
        take_interrupt();
    }
}

/* --- the tests --- */

static void set_up(void)
{
    machine_set_up(relax);
    drain_init();
    for (unsigned i = 0; i < CORES; i++) {
        objects[i] = (struct object){{NULL}, 1};
        memory[i].batch = i == OWNER ? NULL : &objects[i].node;
        memory[i].slabs = 0;
        memory[i].pages = 0;
        memory[i].inbox = (struct remote_list){NULL, 0};
        home[i] = 0;
        interrupts_on[i] = false;
    }
    finished = 0;
}

/* What a core does that nobody disturbs: it uses its own memory. */
static void work(void)
{
    memory[core_index()].slabs++;
    memory[core_index()].pages++;
}

static void sleep_and_wake(void)
{
    drain_sleep();
    model_pause();
    drain_wake();
    work();
}

/* Takes interrupts until all threads have done what they wanted. */
static void rest(void)
{
    (void)atomic_add_relaxed(&finished, 1U);
    while (atomic_load_relaxed(&finished) != CORES) {
        take_interrupt();
        model_yield();
    }
    take_interrupt();
}

/* Core 2 drains all cores; what was in the batches of 0 and 2 when it began is home then. */
static void drain_everything(void)
{
    interrupts_on[2] = true;
    for (unsigned round = 0; round < 2; round++) {
        for (cpu_t cpu = 0; cpu < CORES; cpu++) {
            drain_core(cpu);
        }
    }
    interrupts_on[2] = false;
    MODEL_CHECK(atomic_load_relaxed(&home[0]) == 1);
    MODEL_CHECK(atomic_load_relaxed(&home[2]) == 1);
}

static void drain_while_others_live(unsigned self)
{
    work();
    if (self == 2) {
        drain_everything();
    } else if (model_choose(2) == 1) {
        sleep_and_wake();
    }
    rest();
}

/* An interrupt for core 0's backlog may bring core 1 to see a request that is still being made. */
static void ask_while_another_asks(unsigned self)
{
    if (self == 0) {
        drain_backlog(OWNER);
    } else if (self == 2) {
        interrupts_on[2] = true;
        drain_core(2);
        drain_core(OWNER);
        interrupts_on[2] = false;
        MODEL_CHECK(atomic_load_relaxed(&home[2]) == 1);
    }
    rest();
}

static void help_a_sleeper(unsigned self)
{
    work();
    if (self == 2) {
        drain_backlog(OWNER);
        drain_backlog(0);
    } else {
        sleep_and_wake();
    }
    rest();
}

MODEL_TEST(drain_all_comes_home, .threads = CORES, .rounds = 20000, .before = set_up,
           .thread = drain_while_others_live, .resume = machine_resume);

MODEL_TEST(drain_sleepers_are_helped, .threads = CORES, .rounds = 20000, .before = set_up,
           .thread = help_a_sleeper, .resume = machine_resume);

MODEL_TEST(drain_answers_what_it_has_seen, .threads = CORES, .rounds = 20000, .before = set_up,
           .thread = ask_while_another_asks, .resume = machine_resume);
