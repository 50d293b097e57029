/* SPDX-License-Identifier: MIT */
/*
 * Blocking and waking across a migration: sched/runqueue.c, sched/wait.c.
 *
 * One thread waits until NW others have each set their condition, and moves to the other core NMOVE
 * times, whenever it likes. The wakers set their condition and wake it, or raise a flag, which ends
 * its wait. Interrupts are off in all that is modelled, so a waker is only ever late. Each look at
 * a field of the thread is a step of its own, because the lock that guards it may be another's.
 *
 * CHECK wake quick -DNW=2 -DNMOVE=1
 * CHECK twice -DNW=2 -DNMOVE=2
 * CHECK raise -DNW=1 -DRAISE=1 -DNMOVE=2
 * MUTANT 1 -DNW=2 -DNMOVE=1: sched_enqueue changes the home with only the new queue locked
 * MUTANT 2 -DNW=1: sched_wake_thread leaves no token
 * MUTANT 3 -DNW=2 -DNMOVE=1: runqueue_lock_home does not look again under the lock
 * MUTANT 4 -DNW=1: sched_block looks for the token before it takes the lock
 * MUTANT 5 -DNW=1: the condition is set after the wake-up
 * MUTANT 6 -DNW=1 -DRAISE=1: thread_raise sets the flag after the wake-up
 * MUTANT 7 -DNW=2: sched_wake_thread looks at the state before it takes the lock
 * MUTANT 8 -DNW=1: the queue is unlocked before the thread is marked as blocked
 */
#ifndef NW
#define NW 1
#endif
#ifndef RAISE
#define RAISE 0
#endif
#ifndef NMOVE
#define NMOVE 0
#endif
#ifndef MUT
#define MUT 0
#endif

#define NIL 255

#define READY 0
#define RUNNING 1
#define BLOCKED 2
#define MOVING 3
#define DEAD 4

#define NT (NW + RAISE) /* who wakes */

bit lock[2];          /* runqueue.lock */
byte ready = NIL;     /* the queue that the thread is on */
/* struct thread */
byte state = RUNNING;
byte cpu;
bit token;
bit flags;
bit condition[NW];

byte core;            /* where it really runs; only for the proof */
byte done;

#define LOCK(c) atomic { lock[c] == 0 -> lock[c] = 1 }
#define UNLOCK(c) d_step { assert(lock[c]); lock[c] = 0 }

/* runqueue_push */
#define PUSH(c) d_step { assert(ready == NIL); ready = c; state = READY }

proctype sleeper() {
	byte moves, i;
	bit again;

L_look: /* wait_queue_wait, request_wait: the condition, then sched_block_until */
	skip;
	if :: flags -> goto L_stop :: else fi; /* thread_must_stop */
	i = 0;
	do
	:: i < NW && condition[i] -> i++
	:: else -> break
	od;
	if :: i == NW && !RAISE -> goto L_stop :: else fi;

	if
	:: moves < NMOVE -> /* sched_migrate */
		LOCK(core);
		d_step { moves++; state = MOVING };
		/* sched_switch_away, then sched_finish_switch on the old core */
#if MUT != 1
		cpu = 1 - core;
#endif
		UNLOCK(core);
		core = 1 - core;
		/* sched_enqueue */
		LOCK(core);
#if MUT == 1
		cpu = core;
#endif
		PUSH(core);
		UNLOCK(core);
		goto L_ready
	:: true
	fi;

	/* sched_block */
#if MUT == 4
	d_step { again = token; token = 0 };
	LOCK(core);
#else
	LOCK(core);
	d_step { again = token; token = 0 };
#endif
	if
	:: again -> UNLOCK(core); goto L_look
	:: else
	fi;
#if MUT == 8
	UNLOCK(core);
	state = BLOCKED;
#else
	state = BLOCKED;
	UNLOCK(core); /* sched_finish_switch */
#endif

L_ready: /* sched_switch_away on the core whose queue it is on */
	skip;
	atomic { ready != NIL && lock[ready] == 0 -> core = ready; lock[core] = 1 };
	d_step {
		assert(cpu == core); /* next->cpu == core->cpu */
		assert(state == READY);
		ready = NIL; state = RUNNING
	};
	UNLOCK(core);
	goto L_look;

L_stop: /* thread_exit */
	skip;
	LOCK(core);
	d_step { state = DEAD };
	UNLOCK(core);
	d_step { done++; i = 0; moves = 0; again = 0 }
}

/* Number NW and up raise a flag instead of setting a condition. */
proctype waker(byte w) {
	byte home, seen;

#if MUT != 5
	if :: w < NW -> condition[w] = 1 :: else fi;
#endif
#if MUT != 6
	if :: w >= NW -> flags = 1 :: else fi; /* thread_raise */
#endif
#if MUT == 7
	seen = state;
#endif
L_home: /* runqueue_lock_home */
	skip;
	home = cpu;
	LOCK(home);
#if MUT != 3
	if
	:: cpu == home
	:: else -> UNLOCK(home); goto L_home
	fi;
#endif
	/* sched_wake_thread, thread_raise */
#if MUT != 7
	seen = state;
#endif
	if
	:: seen == BLOCKED -> PUSH(home)
	:: else ->
#if MUT == 2
		skip
#else
		token = 1
#endif
	fi;
	UNLOCK(home);
#if MUT == 5
	if :: w < NW -> condition[w] = 1 :: else fi;
#endif
#if MUT == 6
	if :: w >= NW -> flags = 1 :: else fi;
#endif
	d_step { done++; home = 0; seen = 0 }
}

init {
	atomic {
		byte w = 0;
		run sleeper();
		do :: w < NT -> run waker(w); w++ :: else -> break od;
		w = 0
	}
}

active proctype settled() {
	timeout ->
	assert(done == NT + 1); /* else a wake-up was lost */
	assert(state == DEAD && ready == NIL)
}
