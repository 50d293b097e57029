/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from core to core, and the core that sleeps: arch/riscv/core.c (ipi_request),
 * arch/riscv/trap.c (trap_handle_ipi), kernel/core/interrupt.c, sched/idle.c, and of
 * sched/runqueue.c what tells a core about its queue.
 *
 * One core runs its idle loop and whatever becomes ready. NP others each make a thread ready there;
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
 * MUTANT 5 -DNP=1: sched_notify_locked sends only for the second thread
 * MUTANT 6 -DNP=2: sched_yield clears the work after it found the queue empty
 * MUTANT 7 -DNP=1 -DEPOCH=1 -DNEST=1: ipi_request with interrupts on
 * MUTANT 8 -DNP=2: sched_notify_locked counts after the queue is unlocked
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
/* its run queue */
bit lock;
byte ready;
bit slice;      /* the timer is set: the running thread gives way some time */
/* epoch_wanted, epoch_seen, panic's record */
bit wanted, seen, halted;

bit reaped;
byte ran;       /* threads that ran to their end */
byte done;

#define LOCK atomic { lock == 0 -> lock = 1 }
#define UNLOCK d_step { assert(lock); lock = 0 }

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

/* sched_look_again; also the local half of sched_notify_locked */
inline LOOK_AGAIN() {
	d_step {
		if
		:: ready > 0 && !busy -> work = 1
		:: ready > 0 && busy -> slice = 1
		:: else
		fi
	}
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
	if :: bits & RESCHEDULE -> LOOK_AGAIN() :: else fi;
	bits = 0
}

/* sched_yield from the idle thread: all that is ready runs and ends, then idle comes back */
inline YIELD() {
#if MUT != 6
	work = 0;
#endif
	LOCK;
	do
	:: ready > 0 -> d_step { ready--; busy = 1; slice = (ready > 0) };
		UNLOCK;
		/* It runs; what comes meanwhile stays pending and is seen a little later. */
		ran++;
		LOCK
	:: else -> break
	od;
	busy = 0;
	UNLOCK;
	/* sched_finish_switch in the idle thread: the first that ends wakes the reaper, which is at
	 * home here; no interrupt tells of it */
	if
	:: !reaped -> reaped = 1; LOCK; ready++; LOOK_AGAIN(); UNLOCK
	:: else
	fi
#if MUT == 6
	;
	work = 0
#endif
}

proctype core() {
	byte bits;
	bit asleep;

	do
	:: true -> /* idle_loop: interrupts go off */
#if MUT == 3
		asleep = 1;
#else
		asleep = !work;
#endif
		if
		:: !asleep -> YIELD()
		:: else ->
end_wfi:
			(pending) /* wfi */
		fi;
		/* Interrupts are on until the next look; one comes now or is left pending. */
		if
		:: pending ->
			INTERRUPT(bits);
			if :: work -> YIELD() :: else fi /* upcall_preempt_kernel */
		:: true
		fi
	od
}

/* sched_enqueue or sched_wake_thread on another core; interrupts are off under the lock */
proctype producer() {
	byte before, count;

	LOCK;
	d_step { ready++; count = ready };
#if MUT == 8
	UNLOCK;
	count = ready;
	if :: count == 1 -> REQUEST(RESCHEDULE, before) :: else fi;
#else
#if MUT == 5
	if :: count == 2 -> REQUEST(RESCHEDULE, before) :: else fi;
#else
	if :: count == 1 -> REQUEST(RESCHEDULE, before) :: else fi;
#endif
	UNLOCK;
#endif
	d_step { done++; before = 0; count = 0 }
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
	assert(ready == 0 && ran == NP + 1); /* else a ready thread is not seen */
	assert(!lock && !busy && !work)
}
