/* SPDX-License-Identifier: MIT */
/*
 * Pages that are freed on another core than the one they came from, and their way home.
 *
 * A page's states:  PAGE -> TRAVELLING -> CACHED.  PAGE -> TRAVELLING is the freeing core's, which
 * had the only reference; TRAVELLING -> CACHED the owner's, or that of whoever has taken its place
 * (drain.c). In between the page is in one core's out[], then in the owner's inbox; remote.h has
 * the protocol. Freeing it again finds the state TRAVELLING.
 */
#include "arch/core.h"
#include "arch/irq.h"
#include "mm/drain.h"
#include "mm/nexus_priv.h"

/* Sends what the slot has. */
static void send(struct nexus *nexus, struct nexus_out *out)
{
    uint32_t n = out->count;
    uint64_t before = remote_push_chain(&nexuses[out->owner].inbox, out->first, out->last, n);

    out->count = 0;
    nexus_count(&nexus->counters.outgoing, 0UL - n);
    nexus_count(&nexus->counters.remote_out, n);
    if (before / NEXUS_BACKLOG_PAGES != (before + n) / NEXUS_BACKLOG_PAGES) {
        drain_backlog(out->owner);
    }
}

void nexus_free_slow(struct frame *frame, uint64_t state)
{
    struct nexus *nexus = &nexuses[core_index()];
    cpu_t owner = frame_owner(frame);
    struct nexus_out *out = &nexus->out[owner % NEXUS_OUT_SLOTS];

    if (owner >= MAX_CORES || frame->word != nexuses[owner].page_word) {
        nexus_panic("free of what is no page with one reference", frame);
    }
    /* Sending may drain for a sleeper, whose empty slabs' pages then are in the slot again. */
    while (out->count != 0 && out->owner != owner) {
        send(nexus, out);
    }
    /* relaxed: as in nexus_push */
    atomic_store_relaxed(&frame->word, FRAME_WORD(FRAME_ID(FRAME_TRAVELLING, 0, owner), 0));
    if (out->count == 0) {
        out->owner = owner;
        out->last = &frame->home;
    }
    frame->home.next = out->first;
    out->first = &frame->home;
    out->count++;
    nexus_count(&nexus->counters.outgoing, 1);
    if (out->count == NEXUS_OUT_PAGES) {
        send(nexus, out);
    }
    irq_restore_whole(state);
}

void nexus_flush_core(cpu_t cpu)
{
    struct nexus *nexus = &nexuses[cpu];

    for (unsigned i = 0; i < NEXUS_OUT_SLOTS && nexus->counters.outgoing != 0; i++) {
        if (nexus->out[i].count != 0) {
            send(nexus, &nexus->out[i]);
        }
    }
}

bool nexus_collect_some(cpu_t cpu, unsigned n)
{
    const uint64_t travelling = FRAME_WORD(FRAME_ID(FRAME_TRAVELLING, 0, cpu), 0);
    struct nexus *nexus = &nexuses[cpu];
    struct remote_node *node = nexus->rest;
    unsigned done = 0;

    if (node == NULL) {
        node = remote_take_all(&nexus->inbox);
    }
    for (; node != NULL && done < n; done++) {
        struct frame *frame = container_of(node, struct frame, home);

        if (frame->word != travelling) {
            nexus_panic("a free page was written to on its way home", frame);
        }
        node = node->next;
        (void)nexus_push(nexus, frame);
    }
    nexus->rest = node;
    if (done != 0) {
        remote_settle(&nexus->inbox, done);
        nexus_count(&nexus->counters.remote_in, done);
    }
    if (nexus->cached > nexus->high) {
        (void)nexus_trim_some(cpu, nexus->cached - nexus->high);
    }
    return node != NULL || remote_waiting(&nexus->inbox) != 0;
}
