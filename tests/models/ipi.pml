/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from core to core, and the core that sleeps: arch/riscv/core.c (ipi_request),
 * arch/riscv/trap.c (trap_handle_ipi), kernel/core/interrupt.c, sched/idle.c, sched/inbox.h, and of
 * sched/runqueue.c what looks into the inbox.
 *
 * One core runs its idle loop, polls or not, and runs whatever becomes ready. NP others each make a thread ready there;
 * with EPOCH one more wants an acknowledgement; with NEST the interrupt of a third comes on the
 * requester's own core, between its two halves if interrupts are on, and spins for its answer (a
 * panic that stops the others). A step is one access to memory or to a register of the core.
 *
 * CHECK all quick -DNP=2 -DEPOCH=1
 * CHECK three -DNP=3 -DEPOCH=0
 * CHECK nested -DNP=1 -DEPOCH=1 -DNEST=1
 * MUTANT 1 -DNP=1 -DEPOCH=1: trap_handle_ipi swaps the reasons, then clears the pending bit
 * MUTANT 2 -DNP=1: ipi_request sends before it sets the reason
 * MUTANT 3 -DNP=1: idle_loop sleeps without a look at the work
 * MUTANT 4 -DNP=1 -DEPOCH=1: the reasons are loaded, then stored as 0
 * MUTANT 5 -DNP=1: inbox_push interrupts when it did not raise the level
 * MUTANT 6 -DNP=2: give_way clears the work after it found nobody
 * MUTANT 7 -DNP=1 -DEPOCH=1 -DNEST=1: ipi_request with interrupts on
 * MUTANT 8 -DNP=2: inbox_push looks at the level after its push
 * MUTANT 9 -DNP=2: the core runs threads, then sleeps, without settling
 * MUTANT 10 -DNP=1: after a poll the core sleeps without settling
 * MUTANT 11 -DNP=1: a poll begins whether somebody has come or not
 * MUTANT 12 -DNP=1 -DEPOCH=1: the end of a poll takes a pending interrupt away
 */
#ifndef NP
#define NP 1
#endif
#ifndef EPOCH
#define EPOCH 0
#endif
#ifndef NEST
#define NEST 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define RESCHEDULE 1
#define ACKNOWLEDGE 2
#define STOP 4

/* struct core of the target */
byte reasons;   /* ipi_reasons */
bit pending;    /* sip.SSIP */
bit work;       /* WORK_RESCHEDULE */
bit busy;       /* a thread runs, not the idle thread */
/* its run queue, and the inbox */
byte ready;
bit slice;      /* the timer is set: the running thread gives way some time */
byte nodes;
byte level;
/* epoch_wanted, epoch_seen, panic's record */
bit wanted, seen, halted;

bit reaped;
byte ran;       /* threads that ran to their end */
byte done;

/* ipi_request; before is scratch */
inline REQUEST(reason, before) {
#if MUT == 2
	pending = 1;
	d_step { before = reasons; reasons = reasons | reason }
#else
	d_step { before = reasons; reasons = reasons | reason };
	if :: before == 0 -> pending = 1 :: else fi
#endif
}

/* runqueue_collect: nobody interrupts while the core looks */
#define COLLECT d_step { ready = ready + nodes; nodes = 0; level = 9 }

/* runqueue_look: runqueue_consider, until inbox_settle finds nobody; l is scratch */
inline LOOK_AGAIN(l) {
	do
	:: true ->
		skip;
		d_step {
			if
			:: ready > 0 && !busy -> work = 1; l = 2
			:: ready > 0 && busy -> slice = 1; l = 2
			:: else -> l = busy
			fi
		};
		if
		:: atomic { nodes == 0 -> level = l; break }
		:: nodes > 0 -> COLLECT
		fi
	od;
	l = 0
}

/* trap_handle_kernel with trap_handle_ipi and upcall_ipi; bits is scratch */
inline INTERRUPT(bits) {
#if MUT == 1
	d_step { bits = reasons; reasons = 0 };
	pending = 0;
#elif MUT == 4
	pending = 0;
	bits = reasons;
	reasons = 0;
#else
	pending = 0;
	d_step { bits = reasons; reasons = 0 };
#endif
	if :: bits & STOP -> halted = 1 :: else fi;
	if :: bits & ACKNOWLEDGE -> seen = wanted :: else fi; /* epoch_acknowledge */
	if :: bits & RESCHEDULE -> LOOK_AGAIN(bits) :: else fi;
	bits = 0
}

/* sched_preempt from the idle thread: all that is ready runs and ends, then idle comes back */
inline YIELD(l) {
#if MUT != 6
	work = 0;
#endif
	do
	:: true ->
		if :: nodes > 0 -> COLLECT :: else fi;
		if
		:: ready > 0 -> skip; d_step { ready--; busy = 1; slice = (ready > 0) };
#if MUT != 9
			LOOK_AGAIN(l);
#endif
			/* It runs; what comes meanwhile stays pending and is seen a little later. */
			ran++
		:: else -> break
		fi
	od;
	skip;
	d_step { busy = 0; slice = 0 };
#if MUT != 9
	LOOK_AGAIN(l);
#endif
	/* sched_finish_switch in the idle thread: the first that ends wakes the reaper, which is at
	 * home here; no interrupt tells of it */
	if
	:: !reaped -> reaped = 1; ready++; LOOK_AGAIN(l)
	:: else
	fi
#if MUT == 6
	;
	work = 0
#endif
}

/* poll of sched/idle.c: nobody interrupts while it looks; work is set in place of sched_preempt's own look. l is
 * scratch */
inline POLL(l) {
	if
#if MUT == 11
	:: atomic { true -> level = 9; nodes = 0 };
#else
	:: atomic { nodes == 0 -> level = 9 };
#endif
		pending = 1; /* ipi_poll_begin */
		if
		:: nodes > 0 -> skip
		:: true /* its time is over, or an interrupt waits */
		fi;
#if MUT == 12
		pending = 0;
#else
		pending = 0;
		if :: reasons != 0 -> pending = 1 :: else fi; /* ipi_poll_end */
#endif
#if MUT != 10
		if
		:: atomic { nodes == 0 -> level = 0 }
		:: nodes > 0 -> work = 1
		fi
#endif
	:: nodes > 0 -> work = 1
	fi
}

proctype core() {
	byte bits;
	bit asleep;

	do
	:: true -> /* idle_loop: interrupts go off */
		if
		:: !work -> POLL(bits)
		:: true
		fi;
#if MUT == 3
		asleep = 1;
#else
		asleep = !work;
#endif
		if
		:: !asleep -> YIELD(bits)
		:: else ->
end_wfi:
			(pending) /* wfi */
		fi;
		/* Interrupts are on until the next look; one comes now or is left pending. */
		if
		:: pending ->
			INTERRUPT(bits);
			if :: work -> YIELD(bits) :: else fi /* upcall_preempt_kernel */
		:: true
		fi
	od
}

/* sched_deliver from another core; interrupts are off */
proctype producer() {
	byte before;
	bit tell;

#if MUT == 8
	d_step { nodes++; level = (level < 2 -> 2 : level) };
	tell = (level < 2);
#else
	d_step { nodes++; tell = (level < 2); level = (level < 2 -> 2 : level) };
#endif
#if MUT == 5
	tell = !tell;
#endif
	if :: tell -> REQUEST(RESCHEDULE, before) :: else fi;
	d_step { done++; before = 0; tell = 0 }
}

#if EPOCH
/* epoch_synchronize, in a thread with interrupts on; ipi_request turns them off */
proctype synchronizer() {
	byte before, nested;

	wanted = 1;
	d_step { before = reasons; reasons = reasons | ACKNOWLEDGE };
#if NEST && MUT == 7
	if
	:: true -> REQUEST(STOP, nested); (halted)
	:: true
	fi;
#endif
	if :: before == 0 -> pending = 1 :: else fi;
#if NEST && MUT != 7
	REQUEST(STOP, nested);
	(halted); /* all_stopped */
#endif
	(seen == wanted); /* epoch_wait_for */
	d_step { done++; before = 0; nested = 0 }
}
#endif

init {
	atomic {
		byte i = 0;
		run core();
		do :: i < NP -> run producer(); i++ :: else -> break od;
#if EPOCH
		run synchronizer();
#endif
		i = 0
	}
}

active proctype settled() {
	timeout ->
	assert(done == NP + EPOCH); /* else somebody waits for an answer */
	assert(ready == 0 && nodes == 0 && ran == NP + 1); /* else a ready thread is not seen */
	assert(!busy && !work)
}
